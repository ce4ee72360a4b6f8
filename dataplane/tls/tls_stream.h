#ifndef PORTICO_DATAPLANE_TLS_TLS_STREAM_H_
#define PORTICO_DATAPLANE_TLS_TLS_STREAM_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "dataplane/net/byte_stream.h"
#include "dataplane/tls/session.h"

namespace portico::tls {

// Memory that all TLS streams of one worker read and gather through, one after another. It holds nothing between calls.
struct Scratch {
  std::array<char, 64 * 1024> bytes;
};

// TLS around another stream: a net::ByteStream like any other, with the same edge-triggered readiness.
//
//   auto stream = std::make_unique<TlsStream>(std::move(accepted), context.NewSession(), scratch);
//   stream->set_handler(this);      → OnOpen(true): the handshake is over, tls() is filled in → OnReadable …
//
// Not open before the handshake's end: until then Read and Write answer kWouldBlock. OnOpen(true) is followed by
// OnReadable, because content may have come with the handshake. kEnd means close_notify; a FIN without it is kFailed
// (RFC 8446 section 6.1), since anybody on the way can send one. ShutdownWrite sends close_notify and then ends the
// transport's side too; reading goes on. One Write leaves as records of 16 KiB in as few transport writes as it takes.
//
// Owner: whoever accepted or connected. `scratch` outlives it. One thread. No timer: handshakes are timed by the owner.
class TlsStream : public net::ByteStream, private net::ByteStream::Handler {
 public:
  static constexpr size_t kRecordBytesMax = 16 * 1024;    // of plaintext: RFC 8446 section 5.1
  static constexpr size_t kEncryptBytesMax = 128 * 1024;  // plaintext turned into ciphertext ahead of the transport

  TlsStream(std::unique_ptr<net::ByteStream> transport, std::unique_ptr<Session> session, Scratch& scratch);

  void set_handler(net::ByteStream::Handler* handler) override;
  bool open() const override { return announced_ && !refused_ && !failed_; }
  net::IoResult Read(char* into, size_t size) override;
  net::IoResult Write(const struct iovec* vectors, int count) override;
  void ShutdownWrite() override;
  void AbortOnClose() override { transport_->AbortOnClose(); }
  const net::Address& peer() const override { return transport_->peer(); }
  const net::Address& local() const override { return transport_->local(); }
  net::TlsInfo tls() const override;
  std::string error() const override;

  const Session& session() const { return *session_; }
  // The transport has stood once.
  bool handshake_begun() const { return begun_; }
  // It has stood once, whatever became of it since.
  bool handshake_done() const { return announced_ && !refused_; }

 private:
  void OnOpen(bool ok) override;
  void OnReadable() override;
  void OnWritable() override;

  void Handshake();
  void Announce(bool ok);
  net::IoStatus Fill(size_t wanted_bytes);
  size_t EncryptSome(const struct iovec* vectors, int count, size_t skip);
  void Flush();

  const std::unique_ptr<net::ByteStream> transport_;
  const std::unique_ptr<Session> session_;
  Scratch& scratch_;
  net::ByteStream::Handler* handler_ = nullptr;
  std::string server_name_;
  bool begun_ = false;
  bool announced_ = false;        // OnOpen was called
  bool refused_ = false;          // it said false: nothing is called any more
  bool failed_ = false;           // the transport failed
  bool write_blocked_ = false;    // the owner waits for OnWritable
  bool shutdown_wanted_ = false;  // the transport's side ends when the output is gone
};

}  // namespace portico::tls

#endif  // PORTICO_DATAPLANE_TLS_TLS_STREAM_H_
