// Why a handshake with an origin failed, as the caller hears it: over a scripted network, with the origin's half of TLS
// played by a session of ours.
#include "dataplane/upstream/origin_tls.h"

#include <gtest/gtest.h>

#include "dataplane/crypto/key_pair.h"
#include "dataplane/tls/server_context.h"
#include "dataplane/upstream/cluster_for_test.h"
#include "test/support/key_material.h"

namespace portico::upstream {
namespace {

using namespace for_test;
using call::ErrorKind;

struct Origin {
  void Answer(test::FarEnd& far) { Answer(far, far.TakeWritten()); }
  void Answer(test::FarEnd& far, const std::string& heard) {
    session->Feed(heard);
    session->Handshake();
    session->KeepInput();
    const std::string says(session->output());
    session->ConsumeOutput(says.size());
    far.Say(says);
  }
  const crypto::KeyPair pair = *crypto::KeyPair::Parse(
      std::string(test::k_leaf_certificate) + test::k_intermediate_certificate, test::k_leaf_key);
  const std::unique_ptr<tls::ServerContext> context = *tls::ServerContext::Create({.certificates = {{pair, {}}}});
  const std::unique_ptr<tls::Session> session = context->NewSession();
};

TEST(OriginTls, TheCallerHearsWhatFailed) {
  const struct {
    std::string_view name;
    std::function<void(test::FarEnd&)> does;
    ErrorKind error;
    std::string_view says;  // in proxy-status
  } kRows[] = {
      {"refuses the connection", [](test::FarEnd& far) { far.Open(false); }, ErrorKind::kConnectionRefused,
       "connection_refused"},
      {"has a certificate of somebody else",
       [](test::FarEnd& far) {
         far.Open(true);
         Origin().Answer(far);
       },
       ErrorKind::kTlsCertificateError, "tls_certificate_error"},
      {"sends an alert",
       [](test::FarEnd& far) {
         far.Open(true);
         far.Say(std::string_view("\x15\x03\x03\x00\x02\x02\x28", 7));
       },
       ErrorKind::kTlsAlertReceived, "tls_alert_received"},
      {"speaks something else",
       [](test::FarEnd& far) {
         far.Open(true);
         far.Say("HTTP/1.1 400 Bad Request\r\n\r\n");
       },
       ErrorKind::kTlsProtocolError, "tls_protocol_error"},
      {"ends the connection",
       [](test::FarEnd& far) {
         far.Open(true);
         far.End();
       },
       ErrorKind::kConnectionTerminated, "connection_terminated"},
      {"resets the connection",
       [](test::FarEnd& far) {
         far.Open(true);
         far.Fail();
       },
       ErrorKind::kConnectionTerminated, "connection_terminated"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    auto config = Config({9001});
    config->security = std::make_shared<const OriginTls>(
        *tls::ClientContext::Create({.ca_certificates_pem = std::string(test::k_other_certificate)}), "www.example",
        "http/1.1");
    World world(config);
    Caller caller;
    caller.Start(*world.cluster);
    row.does(world.far(0));
    world.loop.Turn();
    ASSERT_TRUE(caller.error);
    EXPECT_EQ(*caller.error, row.error);
    EXPECT_EQ(call::ErrorName(*caller.error), row.says);
    EXPECT_TRUE(caller.retry_safe);
    EXPECT_EQ(world.observer.Text(), row.error == ErrorKind::kConnectionTerminated ? "reset 1" : "connect_failure 1");
  }
}

// TLS 1.3: our half of the handshake is over, and the request sent, before the origin judges it. Here it is damaged, as
// good a reason for an alert as a certificate that it wants and we have not.
TEST(OriginTls, TheCallerHearsOfAnAlertAfterOurHalf) {
  const std::string root(test::k_root_certificate);
  auto config = Config({9001});
  config->security = std::make_shared<const OriginTls>(
      *tls::ClientContext::Create({.ca_certificates_pem = root, .skip_verification = true}), "www.example", "http/1.1");
  World world(config);
  Caller caller;
  caller.Start(*world.cluster);
  world.far(0).Open(true);
  Origin origin;
  origin.Answer(world.far(0));
  world.loop.Turn();
  EXPECT_FALSE(caller.error);
  std::string finished = world.far(0).TakeWritten();
  const size_t record = finished.find("\x17\x03\x03");
  ASSERT_NE(record, std::string::npos);
  finished.at(record + 8) ^= 1;
  origin.Answer(world.far(0), finished);
  world.far(0).End();
  world.loop.Turn();
  EXPECT_EQ(caller.error, ErrorKind::kTlsAlertReceived);
  EXPECT_FALSE(caller.retry_safe);
  EXPECT_EQ(world.network.connects.size(), 1u);
}

TEST(OriginTls, AHandshakeThatHangsIsATimeout) {
  auto config = Config({9001});
  config->security = std::make_shared<const OriginTls>(
      *tls::ClientContext::Create({.ca_certificates_pem = std::string(test::k_other_certificate)}), "www.example",
      "http/1.1");
  World world(config);
  Caller caller;
  caller.Start(*world.cluster);
  world.far(0).Open(true);
  world.loop.Turn(config->connect_timeout + seconds(1));
  EXPECT_EQ(caller.error, ErrorKind::kConnectionTimeout);
}

}  // namespace
}  // namespace portico::upstream
