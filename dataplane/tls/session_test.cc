#include "dataplane/tls/session.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/tls/context_defaults.h"
#include "dataplane/tls/server_context.h"
#include "dataplane/tls/ticket_keys.h"
#include "test/support/key_material.h"

namespace portico::tls {
namespace {

using Outcome = Session::Outcome;
using State = Session::State;

crypto::KeyPair Pair(const std::string& certificates, const char* key) {
  return *crypto::KeyPair::Parse(certificates, key);
}

crypto::KeyPair Leaf() {
  return Pair(std::string(test::k_leaf_certificate) + test::k_intermediate_certificate, test::k_leaf_key);
}
crypto::KeyPair Other() {
  return Pair(std::string(test::k_other_certificate) + test::k_intermediate_certificate, test::k_other_key);
}

// When the certificates are valid, whatever the day.
base::WallTime Now() {
  return Leaf().not_before() + std::chrono::hours(1);
}

ServerContext::Options ServerOptions() {
  ServerContext::Options options;
  options.certificates.push_back({Leaf(), {}});
  options.certificates.push_back({Other(), {}});
  options.certificates.push_back({Pair(test::k_rsa2048_certificate, test::k_rsa2048_key), {"api.shop.example"}});
  return options;
}

std::unique_ptr<ServerContext> Server(ServerContext::Options options = ServerOptions()) {
  return *ServerContext::Create(std::move(options));
}

std::unique_ptr<ClientContext> Client(const char* roots = test::k_root_certificate) {
  return *ClientContext::Create({.ca_certificates_pem = roots});
}

// Moves up to `step` bytes at a time from one session to the other; collects what the receiver reads.
bool Move(Session& from, Session& to, size_t step, std::string* content = nullptr) {
  if (from.output().empty()) return false;
  const std::string piece(from.output().substr(0, step));  // memory of its own, so that a stale view is found
  from.ConsumeOutput(piece.size());
  to.Feed(piece);
  char buffer[4096];
  for (;;) {
    const Session::ReadResult result = to.Read(buffer, sizeof buffer);
    if (result.outcome != Outcome::kBytes) break;
    if (content != nullptr) content->append(buffer, result.bytes);
  }
  to.KeepInput();
  return true;
}

void Exchange(Session& client, Session& server, size_t step = SIZE_MAX) {
  client.Handshake();
  for (bool moved = true; moved;) {
    moved = Move(client, server, step);
    moved |= Move(server, client, step);
  }
}

TEST(SessionTest, CarriesContentInEverySplit) {
  const auto server_context = Server();
  const auto client_context = Client();
  std::string large(100'000, 'x');
  for (size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>(i * 31 >> 3);
  for (const size_t step : {size_t{1}, size_t{2}, size_t{5}, size_t{1000}, size_t{16389}, SIZE_MAX}) {
    SCOPED_TRACE(step);
    const auto client = client_context->NewSession({.host = "shop.example", .alpn = {"h2", "http/1.1"}}, Now());
    const auto server = server_context->NewSession();
    client->Write("early");  // kept until the handshake is over
    Exchange(*client, *server, step);
    ASSERT_EQ(client->state(), State::kOpen) << client->error();
    ASSERT_EQ(server->state(), State::kOpen) << server->error();
    EXPECT_EQ(client->version(), "TLSv1.3");
    EXPECT_EQ(client->alpn(), "h2");
    EXPECT_EQ(server->alpn(), "h2");
    EXPECT_EQ(server->server_name(), "shop.example");
    EXPECT_FALSE(client->cipher().empty());
    std::string received;
    server->Write(large);
    while (Move(*server, *client, step, &received)) {
    }
    EXPECT_EQ(received, large);
    EXPECT_TRUE(client->output().empty());
  }
}

TEST(SessionTest, EndsEachSideByItself) {
  const auto server_context = Server();
  const auto client_context = Client();
  const auto client = client_context->NewSession({.host = "shop.example"}, Now());
  const auto server = server_context->NewSession();
  Exchange(*client, *server);
  std::string received;
  client->Write("last words");
  client->Close();
  while (Move(*client, *server, 7, &received)) {
  }
  EXPECT_EQ(received, "last words");
  EXPECT_EQ(server->state(), State::kEnded);
  server->InputEnded();
  char buffer[16];
  EXPECT_EQ(server->Read(buffer, sizeof buffer).outcome, Outcome::kEnd);
  server->Write("answer");
  server->Close();
  received.clear();
  while (Move(*server, *client, 7, &received)) {
  }
  EXPECT_EQ(received, "answer");
  EXPECT_EQ(client->state(), State::kEnded);
}

TEST(SessionTest, CloseBeforeTheHandshakesEndWaitsForIt) {
  const auto server_context = Server();
  const auto client_context = Client();
  const auto client = client_context->NewSession({.host = "shop.example"}, Now());
  const auto server = server_context->NewSession();
  client->Write("all");
  client->Close();
  std::string received;
  for (bool moved = true; moved;) {
    moved = Move(*client, *server, SIZE_MAX, &received);
    moved |= Move(*server, *client, SIZE_MAX);
  }
  EXPECT_EQ(received, "all");
  EXPECT_EQ(server->state(), State::kEnded);
}

TEST(SessionTest, ReportsTruncationEverywhere) {
  const auto server_context = Server();
  const auto client_context = Client();
  struct Row {
    std::string_view name;
    size_t cut;  // bytes of the record that still arrive
  };
  const Row rows[] = {{"between records", 0}, {"in a record's head", 3}, {"in a record", 10}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto client = client_context->NewSession({.host = "shop.example"}, Now());
    const auto server = server_context->NewSession();
    Exchange(*client, *server);
    client->Write("a record that is cut");
    server->Feed(client->output().substr(0, row.cut));
    server->InputEnded();
    char buffer[64];
    EXPECT_EQ(server->Read(buffer, sizeof buffer).outcome, Outcome::kFailed);
    EXPECT_EQ(server->error().code(), absl::StatusCode::kDataLoss) << server->error();
    EXPECT_EQ(server->Read(buffer, sizeof buffer).outcome, Outcome::kFailed);
  }
  const auto server = server_context->NewSession();
  server->InputEnded();
  server->Handshake();
  EXPECT_EQ(server->state(), State::kFailed);
  EXPECT_EQ(server->error().code(), absl::StatusCode::kDataLoss);
}

TEST(SessionTest, JudgesCertificates) {
  struct Row {
    std::string_view name;
    const char* roots;
    std::string host;
    base::WallTime now;
    std::string_view error;  // "": accepted
  };
  const auto day = std::chrono::hours(24);
  const Row rows[] = {
      {"good", test::k_root_certificate, "shop.example", Now(), ""},
      {"in upper case", test::k_root_certificate, "SHOP.example", Now(), ""},
      {"wildcard", test::k_root_certificate, "www.shop.example", Now(), ""},
      {"IP address", test::k_root_certificate, "127.0.0.1", Now(), ""},
      {"wildcard of two labels", test::k_root_certificate, "a.b.shop.example", Now(), "ostname mismatch"},
      {"wrong host", test::k_root_certificate, "shop.test", Now(), "ostname mismatch"},
      {"common name does not count", test::k_root_certificate, "leaf", Now(), "ostname mismatch"},
      {"wrong IP address", test::k_root_certificate, "127.0.0.2", Now(), "IP address mismatch"},
      {"expired", test::k_root_certificate, "shop.example", Now() + day * 31, "expired"},
      {"not valid yet", test::k_root_certificate, "shop.example", Now() - day, "not yet valid"},
      {"unknown root", test::k_rsa2048_certificate, "shop.example", Now(), "get local issuer"},
  };
  const auto server_context = Server();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto client_context = Client(row.roots);
    const auto client = client_context->NewSession({.host = row.host}, row.now);
    const auto server = server_context->NewSession();
    Exchange(*client, *server);
    EXPECT_EQ(client->state(), row.error.empty() ? State::kOpen : State::kFailed) << client->error();
    if (row.error.empty()) continue;
    EXPECT_EQ(client->error().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_NE(base::ToStd(client->error().message()).find(row.error), std::string::npos) << client->error();
    char buffer[16];
    EXPECT_EQ(server->Read(buffer, sizeof buffer).outcome, Outcome::kFailed);
    EXPECT_EQ(server->error().code(), absl::StatusCode::kUnavailable) << "the alert arrives";
  }
}

TEST(SessionTest, SkipsVerificationOnlyWhenAsked) {
  const auto context = *ClientContext::Create({.ca_certificates_pem = {}, .skip_verification = true});
  const auto server_context = Server();
  const auto client = context->NewSession({.host = "elsewhere.example"}, Now());
  const auto server = server_context->NewSession();
  Exchange(*client, *server);
  EXPECT_EQ(client->state(), State::kOpen);
}

TEST(SessionTest, RefusesHostsThatAreNoNames) {
  const auto context = Client();
  for (const char* host : {"", "a b", "shop.example.", ".shop", "a..b", "shop.example:443", "[::1]", "h\xc3\xb6st"}) {
    SCOPED_TRACE(host);
    const auto client = context->NewSession({.host = host}, Now());
    EXPECT_EQ(client->state(), State::kFailed);
    EXPECT_TRUE(client->output().empty());
  }
}

TEST(ClientContextTest, RefusesBadRoots) {
  for (const char* pem :
       {"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", test::k_leaf_key}) {
    EXPECT_FALSE(ClientContext::Create({.ca_certificates_pem = pem}).ok());
  }
}

TEST(ServerContextTest, ChoosesTheCertificateByName) {
  struct Row {
    std::string_view name;
    std::string host;         // an IP address sends no SNI
    bool refuse;              // Fallback::kRefuse for both
    std::string certificate;  // a name that the chosen one has; "": refused
  };
  const Row rows[] = {
      {"exact", "shop.example", false, "shop.example"},
      {"second certificate", "other.example", false, "other.example"},
      {"wildcard", "www.shop.example", false, "shop.example"},
      {"exact over wildcard", "api.shop.example", false, "rsa.example"},
      {"upper case", "OTHER.example", false, "other.example"},
      {"unknown", "unknown.example", false, "shop.example"},
      {"two labels under a wildcard", "a.b.shop.example", true, ""},
      {"no name", "192.0.2.1", false, "shop.example"},
      {"unknown, refused", "unknown.example", true, ""},
      {"no name, refused", "192.0.2.1", true, ""},
      {"known, strict", "other.example", true, "other.example"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ServerContext::Options options = ServerOptions();
    if (row.refuse) options.without_name = options.unknown_name = ServerContext::Fallback::kRefuse;
    const auto server_context = Server(std::move(options));
    bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
    bssl::UniquePtr<SSL> client(SSL_new(context.get()));
    SSL_set0_rbio(client.get(), BIO_new(BIO_s_mem()));
    SSL_set0_wbio(client.get(), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.get());
    if (!row.host.starts_with("192")) SSL_set_tlsext_host_name(client.get(), row.host.c_str());
    const auto server = server_context->NewSession();
    for (int round = 0; round < 4; ++round) {
      SSL_do_handshake(client.get());
      const uint8_t* bytes = nullptr;
      size_t size = 0;
      BIO_mem_contents(SSL_get_wbio(client.get()), &bytes, &size);
      const std::string flight(reinterpret_cast<const char*>(bytes), size);
      BIO_reset(SSL_get_wbio(client.get()));
      server->Feed(flight);
      server->Handshake();
      server->KeepInput();
      BIO_write(SSL_get_rbio(client.get()), server->output().data(), static_cast<int>(server->output().size()));
      server->ConsumeOutput(server->output().size());
    }
    EXPECT_EQ(server->state(), row.certificate.empty() ? State::kFailed : State::kOpen) << server->error();
    bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(client.get()));
    ASSERT_EQ(certificate != nullptr, !row.certificate.empty());
    if (certificate == nullptr) continue;
    EXPECT_EQ(X509_check_host(certificate.get(), row.certificate.data(), row.certificate.size(), 0, nullptr), 1);
  }
}

TEST(ServerContextTest, RefusesBadOptions) {
  EXPECT_FALSE(ServerContext::Create({}).ok());
  ServerContext::Options options = ServerOptions();
  options.alpn = {""};
  EXPECT_FALSE(ServerContext::Create(std::move(options)).ok());
}

TEST(ServerContextTest, ASessionOutlivesItsContext) {
  auto server_context = Server();
  auto client_context = Client();
  const auto client = client_context->NewSession({.host = "other.example"}, Now());
  const auto server = server_context->NewSession();
  server_context.reset();
  client_context.reset();
  Exchange(*client, *server);
  EXPECT_EQ(server->state(), State::kOpen) << server->error();
}

TEST(AlpnTest, JudgesOffers) {
  struct Row {
    std::string_view name;
    std::vector<std::string> ours, theirs;
    std::string_view chosen;
  };
  const Row rows[] = {
      {"our preference", {"h2", "http/1.1"}, {"http/1.1", "h2"}, "h2"},
      {"HTTP/1.1 alone", {"h2", "http/1.1"}, {"http/1.1"}, "http/1.1"},
      {"none offered", {"h2", "http/1.1"}, {}, ""},
      {"nothing in common", {"h2", "http/1.1"}, {"spdy/3"}, ""},
      {"we speak none", {}, {"h2"}, ""},
  };
  const auto client_context = Client();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ServerContext::Options options = ServerOptions();
    options.alpn = row.ours;
    const auto server_context = Server(std::move(options));
    const auto client = client_context->NewSession({.host = "shop.example", .alpn = row.theirs}, Now());
    const auto server = server_context->NewSession();
    Exchange(*client, *server);
    EXPECT_EQ(client->state(), State::kOpen) << client->error();
    EXPECT_EQ(server->state(), State::kOpen) << server->error();
    EXPECT_EQ(server->alpn(), row.chosen);
    EXPECT_EQ(client->alpn(), row.chosen);
  }
}

// A peer of BoringSSL's own, which does what our sessions don't.
class RawClient {
 public:
  RawClient(uint16_t version_min, uint16_t version_max, SSL_SESSION* resumed = nullptr)
      : context_(SSL_CTX_new(TLS_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), version_min);
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_ex_data(context_.get(), 0, this);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<RawClient*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0))->ticket.reset(session);
      return 1;
    });
    ssl.reset(SSL_new(context_.get()));
    SSL_set0_rbio(ssl.get(), BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl.get(), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl.get()), -1);
    SSL_set_connect_state(ssl.get());
    SSL_set_tlsext_host_name(ssl.get(), "shop.example");
    if (resumed != nullptr) SSL_set_session(ssl.get(), resumed);
  }

  void Exchange(Session& server) {
    for (int round = 0; round < 4; ++round) {
      char buffer[1024];
      SSL_read(ssl.get(), buffer, sizeof buffer);
      const uint8_t* bytes = nullptr;
      size_t size = 0;
      BIO_mem_contents(SSL_get_wbio(ssl.get()), &bytes, &size);
      const std::string flight(reinterpret_cast<const char*>(bytes), size);
      BIO_reset(SSL_get_wbio(ssl.get()));
      server.Feed(flight);
      while (server.Read(buffer, sizeof buffer).outcome == Outcome::kBytes) {
      }
      server.KeepInput();
      BIO_write(SSL_get_rbio(ssl.get()), server.output().data(), static_cast<int>(server.output().size()));
      server.ConsumeOutput(server.output().size());
    }
  }

  bssl::UniquePtr<SSL> ssl;
  bssl::UniquePtr<SSL_SESSION> ticket;

 private:
  bssl::UniquePtr<SSL_CTX> context_;
};

TEST(VersionTest, OneTwoIsTheOldest) {
  struct Row {
    uint16_t version;
    bool accepted;
  };
  const auto context = Server();
  for (const Row& row :
       {Row{TLS1_VERSION, false}, Row{TLS1_1_VERSION, false}, Row{TLS1_2_VERSION, true}, Row{TLS1_3_VERSION, true}}) {
    SCOPED_TRACE(row.version);
    RawClient client(row.version, row.version);
    const auto server = context->NewSession();
    client.Exchange(*server);
    EXPECT_EQ(server->state(), row.accepted ? State::kOpen : State::kFailed) << server->error();
  }
}

// A server of BoringSSL's own, which asks who the client is.
class RawServer {
 public:
  RawServer() : context_(SSL_CTX_new(TLS_method())) {
    EXPECT_TRUE(UseKeyPair(context_.get(), Leaf()).ok());
    SSL_CTX_set_custom_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                              [](SSL*, uint8_t*) { return ssl_verify_ok; });
    ssl_.reset(SSL_new(context_.get()));
    SSL_set0_rbio(ssl_.get(), BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl_.get(), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
    SSL_set_accept_state(ssl_.get());
  }

  // How many certificates the client has shown.
  size_t Exchange(Session& client) {
    client.Handshake();
    for (int round = 0; round < 4; ++round) {
      char buffer[1024];
      BIO_write(SSL_get_rbio(ssl_.get()), client.output().data(), static_cast<int>(client.output().size()));
      client.ConsumeOutput(client.output().size());
      SSL_read(ssl_.get(), buffer, sizeof buffer);
      const uint8_t* bytes = nullptr;
      size_t size = 0;
      BIO_mem_contents(SSL_get_wbio(ssl_.get()), &bytes, &size);
      const std::string flight(reinterpret_cast<const char*>(bytes), size);
      BIO_reset(SSL_get_wbio(ssl_.get()));
      client.Feed(flight);
      while (client.Read(buffer, sizeof buffer).outcome == Outcome::kBytes) {
      }
      client.KeepInput();
    }
    const STACK_OF(CRYPTO_BUFFER)* shown = SSL_get0_peer_certificates(ssl_.get());
    return shown == nullptr ? 0 : sk_CRYPTO_BUFFER_num(shown);
  }

  bool open() const { return !SSL_in_init(ssl_.get()); }

 private:
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
};

TEST(ClientContextTest, ShowsItsCertificateToWhoAsks) {
  for (const bool has : {true, false}) {
    ClientContext::Options options;
    options.ca_certificates_pem = test::k_root_certificate;
    if (has) options.key_pair = Leaf();
    const auto context = ClientContext::Create(options);
    ASSERT_TRUE(context.ok()) << context.status();
    const auto client = (*context)->NewSession({.host = "shop.example"}, Now());
    RawServer server;
    EXPECT_EQ(server.Exchange(*client), has ? 2u : 0u);
    EXPECT_EQ(server.open(), has);
  }
}

TEST(KeyUpdateTest, AFewAreFineAFloodIsNot) {
  const auto context = Server();
  for (const int count : {1, 10, 40}) {
    SCOPED_TRACE(count);
    RawClient client(TLS1_3_VERSION, TLS1_3_VERSION);
    const auto server = context->NewSession();
    client.Exchange(*server);
    ASSERT_EQ(server->state(), State::kOpen);
    for (int i = 0; i < count; ++i) {
      // BoringSSL sends a queued update with the next write, so the raw records are what counts: no content between.
      ASSERT_TRUE(SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_NOT_REQUESTED));
      SSL_write(client.ssl.get(), "", 0);
    }
    client.Exchange(*server);
    EXPECT_EQ(server->state(), count < 32 ? State::kOpen : State::kFailed) << server->error();
  }
}

TEST(TicketTest, ResumesOnAnotherWorkerAndAfterARotation) {
  const TicketKeys keys = TicketKeys::Generate();
  struct Row {
    std::string_view name;
    TicketKeys keys;
    bool resumed;
  };
  const Row rows[] = {
      {"same keys", keys, true},
      {"rotated", keys.Rotated(), true},
      {"rotated twice", keys.Rotated().Rotated(), true},
      {"forgotten", keys.Rotated().Rotated().Rotated(), false},
      {"other keys", TicketKeys::Generate(), false},
  };
  for (const uint16_t version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.name);
      ServerContext::Options options = ServerOptions();
      options.ticket_keys = keys;
      const auto first_context = Server(std::move(options));
      RawClient first(version, version);
      const auto first_server = first_context->NewSession();
      first.Exchange(*first_server);
      ASSERT_EQ(first_server->state(), State::kOpen);
      first_server->Write("answer");  // in TLS 1.3 the ticket leaves together with the first content
      first.Exchange(*first_server);
      ASSERT_NE(first.ticket, nullptr);
      options = ServerOptions();
      options.ticket_keys = row.keys;
      const auto second_context = Server(std::move(options));
      RawClient second(version, version, first.ticket.get());
      const auto second_server = second_context->NewSession();
      second.Exchange(*second_server);
      EXPECT_EQ(second_server->state(), State::kOpen) << second_server->error();
      EXPECT_EQ(second_server->resumed(), row.resumed);
    }
  }
}

TEST(TicketTest, OpensOnlyWhatItSealed) {
  const TicketKeys keys = TicketKeys::Generate();
  const std::string ticket = keys.Seal("state");
  EXPECT_EQ(ticket.size(), 5 + TicketKeys::kOverheadBytes);
  EXPECT_EQ(keys.Open(ticket), "state");
  EXPECT_NE(keys.Seal("state"), ticket);
  for (size_t i = 0; i < ticket.size(); ++i) {
    EXPECT_EQ(keys.Open(std::string_view(ticket).substr(0, i)), std::nullopt);
    std::string changed = ticket;
    changed[i] ^= 1;
    EXPECT_EQ(keys.Open(changed), std::nullopt);
  }
}

TEST(GarbageTest, FailsInEverySplit) {
  const auto context = Server();
  const std::string huge_hello("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9);  // a ClientHello of 16 MiB is announced
  const std::string huge_record("\x16\x03\x01\xff\xff", 5);
  for (const std::string& input :
       {std::string("GET / HTTP/1.1\r\nhost: a\r\n\r\n"), std::string(64, '\0'), huge_hello, huge_record}) {
    for (const size_t step : {size_t{1}, size_t{3}, input.size()}) {
      const auto server = context->NewSession();
      for (size_t i = 0; i < input.size() && server->state() != State::kFailed; i += step) {
        server->Feed(std::string_view(input).substr(i, step));
        server->Handshake();
        server->KeepInput();
      }
      EXPECT_EQ(server->state(), State::kFailed);
      EXPECT_EQ(server->error().code(), absl::StatusCode::kInvalidArgument) << server->error();
    }
  }
}

}  // namespace
}  // namespace portico::tls
