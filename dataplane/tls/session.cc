#include "dataplane/tls/session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <algorithm>
#include <climits>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/crypto/boring_error.h"

namespace portico::tls {

using base::Concat;

// The BIO under a session: reads take first what was kept, then what was fed; writes append to output_.
struct SessionBio {
  static int Read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    Session& session = *static_cast<Session*>(BIO_get_data(bio));
    size_t count = std::min(session.kept_.size() - session.kept_used_, static_cast<size_t>(size));
    if (count > 0) {
      session.kept_.copy(out, count, session.kept_used_);
      session.kept_used_ += count;
      if (session.kept_used_ == session.kept_.size()) session.kept_.clear(), session.kept_used_ = 0;
      return static_cast<int>(count);
    }
    count = std::min(session.fed_.size(), static_cast<size_t>(size));
    if (count > 0) {
      session.fed_.copy(out, count);
      session.fed_.remove_prefix(count);
      return static_cast<int>(count);
    }
    if (session.input_ended_) {
      session.end_was_read_ = true;
      return 0;
    }
    BIO_set_retry_read(bio);
    return -1;
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    static_cast<Session*>(BIO_get_data(bio))->output_.append(bytes, static_cast<size_t>(size));
    return size;
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static int Create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "portico");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      BIO_meth_set_create(made, Create);
      return made;
    }();
    return method;
  }
};

Session::Session(ssl_ctx_st* context) : ssl_(SSL_new(context)) {
  PORTICO_CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(SessionBio::Method());
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_shed_handshake_config(ssl_, 1);
}

Session::~Session() {
  SSL_free(ssl_);
}

void Session::Feed(std::string_view ciphertext) {
  PORTICO_CHECK(fed_.empty(), "KeepInput() before the next Feed()");
  fed_ = ciphertext;
}

void Session::KeepInput() {
  // What came before fed_ and is still here stands before it.
  if (state_ == State::kFailed || state_ == State::kEnded) {
    kept_.clear();  // nothing will read it
    kept_used_ = 0;
  } else if (!fed_.empty()) {
    kept_.erase(0, kept_used_);
    kept_used_ = 0;
    kept_ += fed_;
  }
  fed_ = {};
}

void Session::Handshake() {
  if (state_ != State::kHandshake) return;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) {
    Settle(SSL_get_error(ssl_, result));
    return;
  }
  state_ = State::kOpen;
  const std::string pending = std::exchange(pending_, std::string());
  Encrypt(pending);
  if (closed_ && state_ == State::kOpen) SSL_shutdown(ssl_);
}

Session::ReadResult Session::Read(char* out, size_t size) {
  Handshake();
  switch (state_) {
    case State::kHandshake:
      return {Outcome::kWantInput};
    case State::kEnded:
      return {Outcome::kEnd};
    case State::kFailed:
      return {Outcome::kFailed};
    case State::kOpen:
      break;
  }
  PORTICO_CHECK(size > 0);
  ERR_clear_error();
  const int result = SSL_read(ssl_, out, static_cast<int>(std::min<size_t>(size, INT_MAX)));
  if (result > 0) return {Outcome::kBytes, static_cast<size_t>(result)};
  return {Settle(SSL_get_error(ssl_, result))};
}

void Session::Write(std::string_view plaintext) {
  PORTICO_CHECK(!closed_, "Write() after Close()");
  Handshake();
  if (state_ == State::kHandshake) {
    pending_ += plaintext;
  } else {
    Encrypt(plaintext);
  }
}

void Session::Encrypt(std::string_view plaintext) {
  while (!plaintext.empty() && state_ != State::kFailed) {
    ERR_clear_error();
    const int result = SSL_write(ssl_, plaintext.data(), static_cast<int>(std::min<size_t>(plaintext.size(), INT_MAX)));
    if (result <= 0) {
      // The BIO takes everything, so this is an error and never "would block".
      Settle(SSL_get_error(ssl_, result));
      return;
    }
    plaintext.remove_prefix(static_cast<size_t>(result));
  }
}

void Session::Close() {
  if (closed_) return;
  closed_ = true;
  if (state_ == State::kOpen || state_ == State::kEnded) SSL_shutdown(ssl_);
  ERR_clear_error();
}

void Session::ConsumeOutput(size_t count) {
  output_sent_ += count;
  PORTICO_CHECK(output_sent_ <= output_.size());
  if (output_sent_ < output_.size()) return;
  // A connection that idles holds no buffer.
  output_sent_ = 0;
  if (output_.capacity() > kOutputKeptBytes || state_ != State::kHandshake) {
    std::string().swap(output_);
  } else {
    output_.clear();
  }
}

Session::Outcome Session::Settle(int error) {
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return Outcome::kWantInput;
    case SSL_ERROR_ZERO_RETURN:
      state_ = State::kEnded;
      return Outcome::kEnd;
    default:
      state_ = State::kFailed;
      error_ = Failure();
      return Outcome::kFailed;
  }
}

absl::Status Session::Failure() const {
  const uint32_t code = ERR_peek_error();
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  const std::string text = crypto::TakeBoringError("");
  const long verified = SSL_get_verify_result(ssl_);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return absl::UnauthenticatedError(
        base::ToAbsl(Concat("the peer's certificate is refused: ", X509_verify_cert_error_string(verified))));
  }
  // BoringSSL's reasons for alerts that came: 1000 and the alert's number (RFC 8446 section 6).
  if (reason >= SSL_AD_REASON_OFFSET) {
    return absl::UnavailableError(base::ToAbsl(Concat("the peer ended TLS with the alert ", text)));
  }
  if (reason != 0) return absl::InvalidArgumentError(base::ToAbsl(Concat("TLS error ", text)));
  if (end_was_read_) {
    return absl::DataLossError(SSL_in_init(ssl_) ? "the connection ended within the TLS handshake"
                                                 : "the connection ended without close_notify");
  }
  return absl::InvalidArgumentError(base::ToAbsl(Concat("TLS error ", text.empty() ? "without a reason" : text)));
}

std::string_view Session::alpn() const {
  const uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view Session::version() const {
  return SSL_get_version(ssl_);
}

std::string_view Session::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  return cipher == nullptr ? "" : SSL_CIPHER_standard_name(cipher);
}

std::string_view Session::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

bool Session::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

}  // namespace portico::tls
