#include "controlplane/north/caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <string>
#include <string_view>

#include "api/base/hex.h"
#include "api/base/utf8.h"

namespace portico::north {
namespace {

constexpr size_t kTextBytesMax = 256;  // it is kept with every revision

// "ipv6:%5B::1%5D:4711" -> "[::1]:4711": gRPC writes peers as URIs.
std::string PeerOf(const std::string& uri) {
  const size_t colon = uri.find(':');
  std::string_view rest = std::string_view(uri).substr(colon == std::string::npos ? 0 : colon + 1);
  std::string text;
  for (size_t i = 0; i < rest.size() && text.size() < kTextBytesMax; ++i) {
    const bool escaped =
        rest[i] == '%' && i + 2 < rest.size() && base::HexDigit(rest[i + 1]) >= 0 && base::HexDigit(rest[i + 2]) >= 0;
    text.push_back(escaped ? static_cast<char>(base::HexDigit(rest[i + 1]) << 4 | base::HexDigit(rest[i + 2]))
                           : rest[i]);
    if (escaped) i += 2;
  }
  return text;
}

std::string AuthorOf(const grpc::AuthContext& identity) {
  for (const char* property : {GRPC_PEER_URI_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& value : identity.FindPropertyValues(property)) {
      if (!value.empty()) return base::Utf8Prefix({value.data(), value.size()}, kTextBytesMax);
    }
  }
  return "anonymous";
}

}  // namespace

change::Caller CallerOf(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> identity = context.auth_context();
  const bool known = identity != nullptr && identity->IsPeerAuthenticated();
  return {known ? AuthorOf(*identity) : "anonymous", PeerOf(context.peer())};
}

}  // namespace portico::north
