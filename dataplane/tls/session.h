#ifndef PORTICO_DATAPLANE_TLS_SESSION_H_
#define PORTICO_DATAPLANE_TLS_SESSION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

struct ssl_st;
struct ssl_ctx_st;

namespace portico::tls {

// One end of one TLS connection, without a socket: ciphertext in, ciphertext out, plaintext in between.
//
//   session = context.NewSession(…);
//   session->Handshake();                          // a client's first flight is now in output()
//   loop:
//     session->Feed(bytes just received);          // borrowed, see below
//     while ((result = session->Read(buffer, size)).outcome == kBytes) …   // makes the handshake progress as well
//     session->KeepInput();                        // before the memory that was fed is used again
//     write session->output(), session->ConsumeOutput(written);
//   session->InputEnded();                         // at the transport's end: truncation becomes an error
//   session->Write(text); session->Close();        // encrypts at once; close_notify
//
//   HANDSHAKE --finished--> OPEN --close_notify came--> ENDED
//       any of them --alert, bad record, untrusted certificate, transport ended too early--> FAILED
//
// A failed session still has output(): the alert that tells the peer why. Sending is not ended by ENDED: TLS has half
// closed connections (RFC 8446 section 6.1). After Close() nothing more can be written.
//
// One thread. What a peer can make a session hold is bounded: a handshake message by kHandshakeBytesMax, a record by
// 16 KiB, runs of empty records, key updates and warnings by 32 (BoringSSL). output() is bounded by its owner, who
// stops writing while it is large. Renegotiation does not exist.
class Session {
 public:
  static constexpr size_t kHandshakeBytesMax = 64 * 1024;  // certificates of a peer; others: 16 KiB

  static constexpr size_t kOutputKeptBytes = 16 * 1024;  // a larger buffer is given back as soon as it is empty

  enum class State { kHandshake, kOpen, kEnded, kFailed };
  enum class Outcome { kBytes, kWantInput, kEnd, kFailed };
  struct ReadResult {
    Outcome outcome;
    size_t bytes = 0;  // kBytes: at least 1
  };

  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  State state() const { return state_; }

  // Hands in ciphertext. It is not copied: it must stay until the next KeepInput(). Only when nothing is pending, or
  // after KeepInput().
  void Feed(std::string_view ciphertext);
  // Copies what was not used up of the bytes last fed (less than a record, if Read() was called until kWantInput).
  void KeepInput();
  // The transport will deliver nothing more.
  void InputEnded() { input_ended_ = true; }

  // Makes the handshake progress as far as the input goes. Read() and Write() do so too.
  void Handshake();
  ReadResult Read(char* out, size_t size);
  // Encrypts all of it. Before the handshake is over it is kept and sent then. Only before Close(); on a failed session
  // the bytes go nowhere.
  void Write(std::string_view plaintext);
  // Sends close_notify after everything written; before the handshake's end, when it is over.
  void Close();
  bool closed() const { return closed_; }

  std::string_view output() const { return std::string_view(output_).substr(output_sent_); }
  void ConsumeOutput(size_t count);
  // True if Read() could go on without new input.
  bool has_input() const { return !kept_.empty() || !fed_.empty(); }

  // Once open. "h2", "http/1.1" or "": the peer named none that we speak.
  std::string_view alpn() const;
  std::string_view version() const;      // "TLSv1.2", "TLSv1.3"
  std::string_view cipher() const;       // IANA's name
  std::string_view server_name() const;  // SNI as the client sent it, "" if it did not; lives as long as the session
  bool resumed() const;

  // kFailed: what went wrong, for the log. kUnauthenticated: the peer's certificate; kDataLoss: truncation;
  // kUnavailable: the peer sent an alert; kInvalidArgument: the peer broke the protocol.
  const absl::Status& error() const { return error_; }

 private:
  friend class ServerContext;
  friend class ClientContext;
  friend struct SessionBio;

  explicit Session(ssl_ctx_st* context);  // takes a reference of its own
  void Encrypt(std::string_view plaintext);
  Outcome Settle(int error);
  absl::Status Failure() const;

  ssl_st* const ssl_;
  State state_ = State::kHandshake;
  bool input_ended_ = false;
  bool closed_ = false;
  bool end_was_read_ = false;  // the BIO answered "end of the transport"
  std::string kept_;
  size_t kept_used_ = 0;
  std::string_view fed_;
  std::string pending_;  // plaintext written before the handshake's end
  std::string output_;
  size_t output_sent_ = 0;
  absl::Status error_;
};

}  // namespace portico::tls

#endif  // PORTICO_DATAPLANE_TLS_SESSION_H_
