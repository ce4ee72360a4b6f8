#include "dataplane/upstream/origin_tls.h"

#include <utility>

#include "dataplane/tls/tls_stream.h"

namespace portico::upstream {
namespace {

// One for each thread, for the streams of its worker: it holds nothing between two calls.
tls::Scratch& ThreadScratch() {
  static thread_local tls::Scratch scratch;
  return scratch;
}

}  // namespace

OriginTls::OriginTls(std::unique_ptr<const tls::ClientContext> context, std::string host, std::string alpn)
    : context_(std::move(context)), host_(std::move(host)), alpn_(std::move(alpn)) {}

std::unique_ptr<net::ByteStream> OriginTls::Wrap(std::unique_ptr<net::ByteStream> stream, event::Loop& loop) const {
  auto session = context_->NewSession({.host = host_, .alpn = {alpn_}}, loop.WallNow());
  return std::make_unique<tls::TlsStream>(std::move(stream), std::move(session), ThreadScratch());
}

}  // namespace portico::upstream
