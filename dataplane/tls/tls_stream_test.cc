#include "dataplane/tls/tls_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/net/byte_stream.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/tls/server_context.h"
#include "test/support/key_material.h"

namespace portico::tls {
namespace {

using net::IoResult;
using net::IoStatus;

// One direction of a connection in memory.
struct Pipe {
  std::string bytes;
  bool ended = false;
  size_t capacity = SIZE_MAX;  // what a socket's buffer holds
  size_t moved = 0;            // bytes that ever came out
};

// A transport between two pipes that moves at most `step` bytes a call.
class FakeTransport : public net::ByteStream {
 public:
  FakeTransport(Pipe& in, Pipe& out, size_t step, bool open) : in_(in), out_(out), step_(step), open_(open) {}

  void set_handler(Handler* handler) override { handler_ = handler; }
  bool open() const override { return open_; }
  IoResult Read(char* into, size_t size) override {
    if (reset) return {IoStatus::kFailed};
    const size_t count = std::min({size, step_, in_.bytes.size()});
    if (count == 0) return {in_.ended ? IoStatus::kEnd : IoStatus::kWouldBlock};
    in_.bytes.copy(into, count);
    in_.bytes.erase(0, count);
    in_.moved += count;
    return {IoStatus::kOk, count};
  }
  IoResult Write(const struct iovec* vectors, int count) override {
    if (reset) return {IoStatus::kFailed};
    ++writes;
    const size_t room = out_.capacity - std::min(out_.capacity, out_.bytes.size());
    size_t taken = 0;
    for (int i = 0; i < count; ++i) {
      const size_t part = std::min({vectors[i].iov_len, room - taken, step_ - taken});
      out_.bytes.append(static_cast<const char*>(vectors[i].iov_base), part);
      taken += part;
    }
    if (taken == 0) return {IoStatus::kWouldBlock};
    return {IoStatus::kOk, taken};
  }
  void ShutdownWrite() override { out_.ended = true; }
  void AbortOnClose() override {}
  const net::Address& peer() const override { return address_; }
  const net::Address& local() const override { return address_; }
  std::string error() const override { return "connection reset by peer"; }

  void Open(bool ok) {
    open_ = ok;
    handler_->OnOpen(ok);
  }
  void Poll() {
    handler_->OnReadable();
    handler_->OnWritable();
  }

  bool reset = false;
  int writes = 0;

 private:
  Pipe& in_;
  Pipe& out_;
  const size_t step_;
  bool open_;
  Handler* handler_ = nullptr;
  net::Address address_;
};

// The owner of a stream: reads all that comes, and writes `to_send` as far as it is taken.
class Owner : public net::ByteStream::Handler {
 public:
  void Own(TlsStream& stream) {
    stream_ = &stream;
    stream.set_handler(this);
  }
  void OnOpen(bool ok) override {
    events += ok ? "open " : "failed ";
    if (ok) OnWritable();
  }
  void OnReadable() override {
    char buffer[3000];
    for (;;) {
      const IoResult result = stream_->Read(buffer, sizeof buffer);
      if (result.status == IoStatus::kOk) {
        received.append(buffer, result.bytes);
        continue;
      }
      if (result.status == IoStatus::kEnd && !ended) events += "end ", ended = true;
      if (result.status == IoStatus::kFailed && !ended) events += "broken ", ended = true;
      return;
    }
  }
  void OnWritable() override {
    while (!to_send.empty()) {
      // Three pieces, as a head, a size and a content.
      const size_t first = std::min<size_t>(to_send.size(), 100);
      const size_t second = std::min<size_t>(to_send.size() - first, 5);
      const struct iovec pieces[] = {{to_send.data(), first},
                                     {to_send.data() + first, second},
                                     {to_send.data() + first + second, to_send.size() - first - second}};
      const IoResult result = stream_->Write(pieces, 3);
      if (result.status != IoStatus::kOk) return;
      to_send.erase(0, result.bytes);
    }
    if (end_after_sending) stream_->ShutdownWrite();
  }

  std::string events, received, to_send;
  bool end_after_sending = false;
  bool ended = false;

 private:
  TlsStream* stream_ = nullptr;
};

class TlsStreamTest : public testing::Test {
 public:
  void Connect(size_t step, const std::string& host = "shop.example", bool client_open = false) {
    auto client_transport = std::make_unique<FakeTransport>(to_client_, to_server_, step, client_open);
    auto server_transport = std::make_unique<FakeTransport>(to_server_, to_client_, step, true);
    client_transport_ = client_transport.get();
    server_transport_ = server_transport.get();
    client_ = std::make_unique<TlsStream>(std::move(client_transport),
                                          client_context_->NewSession({.host = host, .alpn = {"h2"}}, now_), scratch_);
    server_ = std::make_unique<TlsStream>(std::move(server_transport), server_context_->NewSession(), scratch_);
    server_owner_.Own(*server_);
    client_owner_.Own(*client_);
    if (!client_open) client_transport_->Open(true);
  }

  // Both ends get their events until nothing moves any more.
  void Run() {
    size_t before = SIZE_MAX;
    for (int idle = 0; idle < 3;) {
      client_transport_->Poll();
      server_transport_->Poll();
      const size_t moved = to_client_.moved + to_server_.moved;
      idle = moved == before ? idle + 1 : 0;
      before = moved;
    }
  }

  const crypto::KeyPair pair_ = *crypto::KeyPair::Parse(
      std::string(test::k_leaf_certificate) + test::k_intermediate_certificate, test::k_leaf_key);
  const base::WallTime now_ = pair_.not_before() + std::chrono::hours(1);
  const std::unique_ptr<ServerContext> server_context_ = *ServerContext::Create({.certificates = {{pair_, {}}}});
  const std::unique_ptr<ClientContext> client_context_ =
      *ClientContext::Create({.ca_certificates_pem = test::k_root_certificate});
  Pipe to_client_, to_server_;
  Scratch scratch_;
  Owner client_owner_, server_owner_;
  std::unique_ptr<TlsStream> client_, server_;
  FakeTransport* client_transport_ = nullptr;
  FakeTransport* server_transport_ = nullptr;
};

TEST_F(TlsStreamTest, CarriesBothWaysWithHalfCloseInEverySplit) {
  for (const size_t step : {size_t{1}, size_t{7}, size_t{1000}, size_t{20'000}, SIZE_MAX}) {
    for (const size_t capacity : {size_t{500}, SIZE_MAX}) {
      SCOPED_TRACE(step);
      to_client_ = to_server_ = Pipe();
      to_client_.capacity = to_server_.capacity = capacity;
      client_owner_ = {};
      server_owner_ = {};
      const std::string request(50'000, 'q');
      const std::string response(300'000, 'r');
      client_owner_.to_send = request;
      client_owner_.end_after_sending = true;
      Connect(step);
      Run();
      EXPECT_EQ(server_owner_.events, "open end ");
      EXPECT_TRUE(server_owner_.received == request);
      EXPECT_TRUE(to_server_.ended);
      server_owner_.to_send = response;  // our side is still open
      server_owner_.end_after_sending = true;
      server_owner_.OnWritable();
      Run();
      EXPECT_EQ(client_owner_.events, "open end ");
      EXPECT_TRUE(client_owner_.received == response);
      EXPECT_TRUE(to_client_.ended);
    }
  }
}

TEST_F(TlsStreamTest, TellsTheSession) {
  Connect(SIZE_MAX, "SHOP.example");
  EXPECT_FALSE(server_->open());
  EXPECT_EQ(server_->tls().alpn, "");
  Run();
  EXPECT_TRUE(server_->open());
  EXPECT_EQ(server_->tls().alpn, "h2");
  EXPECT_EQ(server_->tls().server_name, "shop.example");
  EXPECT_EQ(server_->tls().version, "TLSv1.3");
}

TEST_F(TlsStreamTest, WorksOverATransportThatIsOpen) {
  Connect(SIZE_MAX, "shop.example", true);
  Run();
  EXPECT_EQ(client_owner_.events, "open ");
  EXPECT_EQ(server_owner_.events, "open ");
}

TEST_F(TlsStreamTest, OneWriteLeavesInOneWrite) {
  Connect(SIZE_MAX);
  Run();
  server_transport_->writes = 0;
  std::string content(60'000, 'c');
  const struct iovec pieces[] = {{content.data(), 10}, {content.data() + 10, content.size() - 10}};
  const IoResult result = server_->Write(pieces, 2);
  EXPECT_EQ(result.bytes, content.size());
  EXPECT_EQ(server_transport_->writes, 1);
  EXPECT_LT(to_client_.bytes.size(), content.size() + 4 * 30 + 300) << "four records, and tickets";
}

TEST_F(TlsStreamTest, ASlowTransportBoundsWhatIsEncryptedAhead) {
  Connect(SIZE_MAX);
  Run();
  to_client_.capacity = 1000;
  std::string content(10'000'000, 'c');
  struct iovec piece = {content.data(), content.size()};
  const IoResult result = server_->Write(&piece, 1);
  EXPECT_EQ(result.status, IoStatus::kOk);
  EXPECT_LE(result.bytes, TlsStream::kEncryptBytesMax);
  EXPECT_EQ(server_->Write(&piece, 1).status, IoStatus::kWouldBlock);
}

TEST_F(TlsStreamTest, Failures) {
  struct Row {
    std::string_view name;
    void (*act)(TlsStreamTest& test);
    std::string_view client_events, server_events, server_error;
  };
  const Row rows[] = {
      {"wrong host", [](TlsStreamTest& test) { test.Connect(SIZE_MAX, "wrong.test"); }, "failed ", "failed ",
       "the peer ended TLS with the alert SSLV3_ALERT_BAD_CERTIFICATE"},
      {"not TLS",
       [](TlsStreamTest& test) {
         test.to_server_.bytes = "GET / HTTP/1.1\r\n\r\n";
         test.Connect(SIZE_MAX);
       },
       "", "failed ", "TLS error HTTP_REQUEST"},
      {"FIN in the handshake",
       [](TlsStreamTest& test) {
         test.to_server_.ended = true;
         test.Connect(3);
         test.to_server_.bytes.resize(40);
       },
       "", "failed ", "the connection ended within the TLS handshake"},
      {"FIN without close_notify",
       [](TlsStreamTest& test) {
         test.Connect(SIZE_MAX);
         test.Run();
         test.to_server_.ended = true;
       },
       "open ", "open broken ", "the connection ended without close_notify"},
      {"reset in the handshake",
       [](TlsStreamTest& test) {
         test.Connect(SIZE_MAX);
         test.server_transport_->reset = true;
       },
       "", "failed ", "connection reset by peer"},
      {"reset",
       [](TlsStreamTest& test) {
         test.Connect(SIZE_MAX);
         test.Run();
         test.server_transport_->reset = true;
       },
       "open ", "open broken ", "connection reset by peer"},
      {"connection refused",
       [](TlsStreamTest& test) {
         test.Connect(SIZE_MAX, "shop.example", true);
         test.client_transport_->reset = true;
         test.client_transport_->Open(false);
       },
       "failed ", "", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    to_client_ = to_server_ = {};
    client_owner_ = {};
    server_owner_ = {};
    row.act(*this);
    if (row.name != "connection refused") Run();
    EXPECT_EQ(client_owner_.events, row.client_events);
    EXPECT_EQ(server_owner_.events, row.server_events);
    if (!row.server_error.empty()) {
      EXPECT_EQ(server_->error(), row.server_error);
    }
  }
}

}  // namespace
}  // namespace portico::tls
