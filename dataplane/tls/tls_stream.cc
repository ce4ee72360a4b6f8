#include "dataplane/tls/tls_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::tls {

using net::IoResult;
using net::IoStatus;

namespace {

// What TLS adds to a record at most, so that a read for N bytes of content seldom reads into the next record.
constexpr size_t kRecordOverheadBytes = 1024;

size_t TotalBytes(const struct iovec* vectors, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; ++i)
    bytes += vectors[i].iov_len;
  return bytes;
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<net::ByteStream> transport, std::unique_ptr<Session> session, Scratch& scratch)
    : transport_(std::move(transport)), session_(std::move(session)), scratch_(scratch) {}

void TlsStream::set_handler(net::ByteStream::Handler* handler) {
  const bool first = handler_ == nullptr;
  handler_ = handler;
  if (!first) return;
  transport_->set_handler(this);
  if (!transport_->open()) return;
  begun_ = true;
  // A client's first flight; a server has nothing to say yet. No callback comes from here.
  session_->Handshake();
  Flush();
}

void TlsStream::OnOpen(bool ok) {
  failed_ = !ok;
  if (ok) {
    Handshake();
  } else {
    Announce(false);
  }
}

void TlsStream::OnReadable() {
  if (!announced_) {
    Handshake();
  } else if (!refused_ && handler_ != nullptr) {
    handler_->OnReadable();
  }
}

void TlsStream::OnWritable() {
  Flush();
  if (announced_ && !refused_ && write_blocked_ && (failed_ || session_->output().empty())) {
    write_blocked_ = false;
    if (handler_ != nullptr) handler_->OnWritable();
  }
}

// Reads and answers until the handshake has an end or the transport has no more.
void TlsStream::Handshake() {
  if (announced_) return;
  begun_ = true;
  session_->Handshake();
  while (session_->state() == Session::State::kHandshake && !failed_) {
    // A server's answer may be what the client waits for before it sends more.
    Flush();
    if (Fill(kRecordBytesMax) == IoStatus::kWouldBlock) return;
    session_->Handshake();
    session_->KeepInput();
  }
  Flush();
  Announce(session_->state() != Session::State::kFailed && !failed_);
}

void TlsStream::Announce(bool ok) {
  if (announced_) return;
  announced_ = true;
  refused_ = !ok;
  if (ok) server_name_ = base::LowerAscii(session_->server_name());
  if (handler_ != nullptr) handler_->OnOpen(ok);
  if (ok && handler_ != nullptr) handler_->OnReadable();
}

// Reads from the transport into the scratch and hands it to the session. kWouldBlock: nothing came. Whoever calls it
// calls KeepInput() before anything else can use the scratch.
IoStatus TlsStream::Fill(size_t wanted_bytes) {
  const size_t size = std::min(wanted_bytes + kRecordOverheadBytes, scratch_.bytes.size());
  const IoResult result = transport_->Read(scratch_.bytes.data(), size);
  switch (result.status) {
    case IoStatus::kOk:
      session_->Feed({scratch_.bytes.data(), result.bytes});
      break;
    case IoStatus::kEnd:
      session_->InputEnded();
      break;
    case IoStatus::kFailed:
      failed_ = true;
      break;
    case IoStatus::kWouldBlock:
      break;
  }
  return result.status;
}

IoResult TlsStream::Read(char* into, size_t size) {
  if (!announced_) return {IoStatus::kWouldBlock};
  size_t filled = 0;
  IoStatus end = IoStatus::kOk;
  while (filled < size && end == IoStatus::kOk) {
    const Session::ReadResult result = session_->Read(into + filled, size - filled);
    filled += result.bytes;
    if (result.outcome == Session::Outcome::kEnd) end = IoStatus::kEnd;
    if (result.outcome == Session::Outcome::kFailed) end = IoStatus::kFailed;
    if (result.outcome != Session::Outcome::kWantInput) continue;
    const IoStatus filling = Fill(size - filled);
    if (filling == IoStatus::kWouldBlock || filling == IoStatus::kFailed) end = filling;
  }
  session_->KeepInput();
  Flush();  // answers to key updates, alerts
  // An end that came with content is told by the next call: a session's end stays.
  if (filled > 0) return {IoStatus::kOk, filled};
  return {end};
}

IoResult TlsStream::Write(const struct iovec* vectors, int count) {
  if (failed_ || session_->state() == Session::State::kFailed) return {IoStatus::kFailed};
  PORTICO_CHECK(!session_->closed(), "Write() after ShutdownWrite()");
  const size_t total = TotalBytes(vectors, count);
  size_t taken = 0;
  if (announced_) {
    Flush();
    while (taken < total && session_->output().empty() && !failed_) {
      const size_t encrypted = EncryptSome(vectors, count, taken);
      if (session_->state() == Session::State::kFailed) return {IoStatus::kFailed};
      taken += encrypted;
      Flush();
    }
  }
  if (failed_) return {IoStatus::kFailed};
  write_blocked_ = taken < total;
  if (taken == 0) return {IoStatus::kWouldBlock};
  return {IoStatus::kOk, taken};
}

// Encrypts up to kEncryptBytesMax of what follows the first `skip` bytes. Pieces are gathered, so that a head and its
// content share a record; a piece that fills records by itself is not copied.
size_t TlsStream::EncryptSome(const struct iovec* vectors, int count, size_t skip) {
  size_t taken = 0;
  size_t gathered = 0;
  for (int i = 0; i < count && taken < kEncryptBytesMax; ++i) {
    std::string_view piece(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
    const size_t skipped = std::min(skip, piece.size());
    piece.remove_prefix(skipped);
    skip -= skipped;
    piece = piece.substr(0, kEncryptBytesMax - taken);
    taken += piece.size();
    while (!piece.empty()) {
      if (gathered == 0 && piece.size() >= kRecordBytesMax) {
        const size_t whole = piece.size() / kRecordBytesMax * kRecordBytesMax;
        session_->Write(piece.substr(0, whole));
        piece.remove_prefix(whole);
        continue;
      }
      const size_t part = std::min(piece.size(), kRecordBytesMax - gathered);
      std::memcpy(scratch_.bytes.data() + gathered, piece.data(), part);
      piece.remove_prefix(part);
      gathered += part;
      if (gathered < kRecordBytesMax) continue;
      session_->Write({scratch_.bytes.data(), gathered});
      gathered = 0;
    }
  }
  if (gathered > 0) session_->Write({scratch_.bytes.data(), gathered});
  return taken;
}

void TlsStream::Flush() {
  while (!failed_ && !session_->output().empty()) {
    const std::string_view output = session_->output();
    struct iovec vector = {const_cast<char*>(output.data()), output.size()};
    const IoResult result = transport_->Write(&vector, 1);
    if (result.status != IoStatus::kOk) {
      failed_ = result.status == IoStatus::kFailed;
      return;
    }
    session_->ConsumeOutput(result.bytes);
  }
  if (shutdown_wanted_ && session_->output().empty() && session_->state() != Session::State::kHandshake) {
    shutdown_wanted_ = false;
    transport_->ShutdownWrite();
  }
}

void TlsStream::ShutdownWrite() {
  if (session_->closed()) return;
  session_->Close();
  shutdown_wanted_ = true;
  Flush();
}

net::TlsInfo TlsStream::tls() const {
  if (!open()) return {};
  return {.alpn = session_->alpn(), .server_name = server_name_, .version = session_->version()};
}

std::string TlsStream::error() const {
  if (!session_->error().ok()) return std::string(base::ToStd(session_->error().message()));
  return transport_->error();
}

}  // namespace portico::tls
