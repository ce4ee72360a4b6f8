#include "controlplane/xds/session.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/crypto/sealer.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

using base::Concat;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

const std::string kCluster = wire::TypeUrl("Cluster"), kRoute = wire::TypeUrl("Route");
const std::string kMark(wire::kRevisionType);

// A gateway's set that a test changes, and who is told.
class World {
 public:
  World() {
    set_.set_known(true);
    set_.Seal("e", 0);
  }

  void Put(const std::string& type_url, const std::string& name) {
    set_.Put(type_url, name, reach::MakeItem(type_url, name, Concat("e.", revision_ + 1), "x"));
    changed_.emplace_back(type_url, name);
  }
  void Remove(const std::string& type_url, const std::string& name) {
    set_.Remove(type_url, name);
    changed_.emplace_back(type_url, name);
  }
  reach::SetStep Commit() {
    set_.Seal("e", ++revision_);
    return {&set_, std::exchange(changed_, {})};
  }

  reach::GatewaySet set_{check::ResourceKey{"Gateway", "default", "g"}};
  uint64_t revision_ = 0;

 private:
  std::vector<std::pair<std::string, std::string>> changed_;
};

DeltaDiscoveryResponse Whole(const Session::Response& response) {
  std::string bytes = response.head;
  for (const auto& field : response.fields)
    bytes += *field;
  DeltaDiscoveryResponse whole;
  EXPECT_TRUE(whole.ParseFromString(bytes));
  return whole;
}

DeltaDiscoveryRequest Request(const std::string& type_url, const std::string& nonce = "") {
  DeltaDiscoveryRequest request;
  request.set_type_url(type_url);
  request.set_response_nonce(nonce);
  return request;
}

// What is sent, one after the other: "Cluster: default/a", "Revision 1".
std::string Drain(Session& session, std::string* last_nonce = nullptr) {
  std::string text;
  while (std::optional<Session::Response> response = session.Next()) {
    const DeltaDiscoveryResponse whole = Whole(*response);
    text += whole.type_url().substr(wire::kTypePrefix.size()) + ":";
    for (const auto& resource : whole.resources())
      text += " " + resource.name();
    for (const std::string& name : whole.removed_resources())
      text += " -" + name;
    text += "; ";
    if (last_nonce != nullptr) *last_nonce = whole.nonce();
  }
  return text;
}

TEST(SessionTest, TheMarkComesLastAndItsAckMeansRunning) {
  World world;
  world.Put(kRoute, "default/r");
  world.Put(kCluster, "default/c");
  world.Commit();
  Session session(world.set_);
  for (const std::string& type : {kMark, kRoute, kCluster})
    ASSERT_TRUE(session.OnRequest(Request(type)).ok());
  std::string nonce;
  EXPECT_EQ(Drain(session, &nonce), "Cluster: default/c; Route: default/r; Revision: default/g; ");
  EXPECT_EQ(session.sent_revision(), 1u);
  EXPECT_EQ(session.running().revision, 0u);
  ASSERT_TRUE(session.OnRequest(Request(kMark, nonce)).ok());
  EXPECT_EQ(session.running().revision, 1u);
  EXPECT_EQ(Drain(session), "");
}

TEST(SessionTest, NoTextIsKeptThatIsTooLong) {
  const std::string longest(Session::kNameBytesMax, 'x'), too_long(Session::kNameBytesMax + 1, 'x');
  for (const bool good : {true, false}) {
    const std::string& text = good ? longest : too_long;
    std::vector<DeltaDiscoveryRequest> requests(4, Request(kRoute));
    requests[0].set_type_url(text);
    requests[1].add_resource_names_subscribe(text);
    (*requests[2].mutable_initial_resource_versions())[text] = "1";
    (*requests[3].mutable_initial_resource_versions())["default/r"] = text;
    for (const DeltaDiscoveryRequest& request : requests) {
      World world;
      EXPECT_EQ(Session(world.set_).OnRequest(request).ok(), good) << request.ShortDebugString().substr(0, 60);
    }
  }
}

TEST(SessionTest, AnswersToMarks) {
  World world;
  Session session(world.set_);
  ASSERT_TRUE(session.OnRequest(Request(kMark)).ok());
  std::vector<std::string> nonces(5);
  Drain(session, &nonces[0]);
  for (int i = 1; i <= 4; ++i) {
    world.Put(kRoute, "default/r");
    session.OnStep(world.Commit());
    EXPECT_EQ(Drain(session, &nonces[static_cast<size_t>(i)]), "Revision: default/g; ");
  }
  ASSERT_TRUE(session.OnRequest(Request(kMark, "99")).ok());  // no such
  ASSERT_TRUE(session.OnRequest(Request(kMark, "x")).ok());
  EXPECT_EQ(session.running().revision, 0u);
  DeltaDiscoveryRequest partial = Request(kMark, nonces[2]);
  portico::v1::RevisionReport report;
  report.add_refusals()->set_resource("Route default/r");
  partial.mutable_error_detail()->add_details()->PackFrom(report);
  ASSERT_TRUE(session.OnRequest(partial).ok());
  EXPECT_EQ(session.running().revision, 2u);
  ASSERT_EQ(session.running().refusals.size(), 1u);
  ASSERT_TRUE(session.OnRequest(Request(kMark, nonces[1])).ok());  // covered already
  EXPECT_EQ(session.running().revision, 2u);
  DeltaDiscoveryRequest refused = Request(kMark, nonces[3]);
  refused.mutable_error_detail()->set_code(3);
  refused.mutable_error_detail()->set_message("no memory");
  ASSERT_TRUE(session.OnRequest(refused).ok());
  EXPECT_EQ(session.running().revision, 2u);
  EXPECT_EQ(session.running().refusals.size(), 1u);  // of what it runs
  EXPECT_EQ(session.running().refused_revision, 3u);
  EXPECT_EQ(session.running().refused_reason, "no memory");
  refused = Request(kMark, nonces[4]);
  refused.mutable_error_detail()->set_code(3);
  refused.mutable_error_detail()->set_message(std::string(Session::kReasonBytesMax - 1, 'x') + "€");
  ASSERT_TRUE(session.OnRequest(refused).ok());
  EXPECT_EQ(session.running().refused_reason, std::string(Session::kReasonBytesMax - 1, 'x')) << "no half a character";
}

TEST(SessionTest, WhatIsKeptOfAReportIsBounded) {
  World world;
  world.Put(kRoute, "default/r");
  world.Commit();
  Session session(world.set_);
  ASSERT_TRUE(session.OnRequest(Request(kMark)).ok());
  std::string nonce;
  Drain(session, &nonce);
  DeltaDiscoveryRequest partial = Request(kMark, nonce);
  for (int half = 0; half < 2; ++half) {
    portico::v1::RevisionReport report;
    for (int i = 0; i < 200; ++i)
      report.add_refusals()->set_reason(std::string(3000, 'x'));
    partial.mutable_error_detail()->add_details()->PackFrom(report);
  }
  ASSERT_TRUE(session.OnRequest(partial).ok());
  const auto& refusals = session.running().refusals;
  size_t bytes = 0;
  for (const portico::v1::Refusal& refusal : refusals)
    bytes += refusal.ByteSizeLong();
  EXPECT_LT(bytes, 40'000u);
  EXPECT_GT(refusals.size(), 10u);
  EXPECT_EQ(refusals.back().resource(), Concat("and ", 401 - refusals.size(), " more"));
}

TEST(SessionTest, WhoComesBackWithTheSetRunsIt) {
  World world;
  world.Put(kRoute, "default/r");
  world.Commit();
  for (const bool same : {true, false}) {
    Session session(world.set_);
    DeltaDiscoveryRequest request = Request(kMark);
    (*request.mutable_initial_resource_versions())["default/g"] = same ? world.set_.digest() : "other";
    portico::v1::RevisionReport report;
    report.add_refusals()->set_resource("Route default/r");
    request.mutable_error_detail()->add_details()->PackFrom(report);
    ASSERT_TRUE(session.OnRequest(request).ok());
    EXPECT_EQ(session.running().revision, same ? 1u : 0u);
    EXPECT_EQ(session.running().refusals.size(), same ? 1u : 0u);
    EXPECT_EQ(session.sent_revision(), same ? 1u : 0u);
    EXPECT_EQ(Drain(session), same ? "Revision:; " : "Revision: default/g; ");
  }
}

TEST(SessionTest, MarksComeHoweverOftenThingsChange) {
  World world;
  Session session(world.set_);
  for (const std::string& type : {kCluster, kRoute, kMark})
    ASSERT_TRUE(session.OnRequest(Request(type)).ok());
  int marks = 0;
  for (int i = 0; i < 30; ++i) {
    world.Put(i % 2 == 0 ? kCluster : kRoute, "default/a");
    session.OnStep(world.Commit());
    const std::optional<Session::Response> response = session.Next();
    ASSERT_TRUE(response.has_value());
    if (Whole(*response).type_url() == kMark) ++marks;
  }
  EXPECT_GE(marks, 7);
}

TEST(SessionTest, WhatComesToNothingIsMarkedAllTheSame) {
  World world;
  Session session(world.set_);
  for (const std::string& type : {kCluster, kMark})
    ASSERT_TRUE(session.OnRequest(Request(type)).ok());
  Drain(session);
  world.Put(kCluster, "default/a");
  session.OnStep(world.Commit());
  world.Remove(kCluster, "default/a");
  session.OnStep(world.Commit());
  std::string nonce;
  EXPECT_EQ(Drain(session, &nonce), "Revision: default/g; ");
  ASSERT_TRUE(session.OnRequest(Request(kMark, nonce)).ok());
  EXPECT_EQ(session.running().revision, 2u);
  // A type that is asked for after the mark is marked too.
  world.Put(kRoute, "default/r");
  session.OnStep(world.Commit());
  Drain(session);
  ASSERT_TRUE(session.OnRequest(Request(kRoute)).ok());
  EXPECT_EQ(Drain(session), "Route: default/r; Revision: default/g; ");
}

TEST(SessionTest, WhoAnswersNothingIsSentNothingMore) {
  World world;
  Session session(world.set_);
  ASSERT_TRUE(session.OnRequest(Request(kMark)).ok());
  std::string nonce;
  for (size_t i = 0; i < 2 * Session::kMarksMax; ++i) {
    session.OnStep(world.Commit());
    Drain(session, &nonce);
  }
  EXPECT_EQ(session.sent_revision(), Session::kMarksMax);
  ASSERT_TRUE(session.OnRequest(Request(kMark, nonce)).ok());
  EXPECT_EQ(Drain(session), "Revision: default/g; ");
  EXPECT_EQ(session.sent_revision(), world.revision_);
}

TEST(SessionTest, AGatewayThatIsNotThereTakesNothingAway) {
  World world;
  world.set_.set_known(false);
  Session session(world.set_);
  DeltaDiscoveryRequest request = Request(kRoute);
  (*request.mutable_initial_resource_versions())["default/r"] = "e.1";
  ASSERT_TRUE(session.OnRequest(request).ok());
  ASSERT_TRUE(session.OnRequest(Request(kMark)).ok());
  EXPECT_EQ(Drain(session), "Revision:; Route:; ");
  world.set_.set_known(true);
  world.Put(kRoute, "default/other");
  session.OnStep(world.Commit());
  EXPECT_EQ(Drain(session), "Route: default/other -default/r; Revision: default/g; ");
}

TEST(SessionTest, AnUnknownTypeIsAnsweredWithNothing) {
  World world;
  Session session(world.set_);
  ASSERT_TRUE(session.OnRequest(Request("type.googleapis.com/envoy.config.listener.v3.Listener")).ok());
  const std::optional<Session::Response> response = session.Next();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(Whole(*response).resources_size(), 0);
  EXPECT_FALSE(session.Next().has_value());
}

TEST(SessionTest, LimitsEndTheStream) {
  World world;
  Session session(world.set_);
  EXPECT_EQ(session.OnRequest(Request("")).code(), absl::StatusCode::kInvalidArgument);
  for (size_t i = 0; i < Session::kTypesMax; ++i)
    ASSERT_TRUE(session.OnRequest(Request(Concat("t", i))).ok());
  EXPECT_EQ(session.OnRequest(Request("one more")).code(), absl::StatusCode::kResourceExhausted);
  Session other(world.set_);
  DeltaDiscoveryRequest many = Request(kRoute);
  for (size_t i = 0; i <= Session::kNamesMax; ++i)
    many.add_resource_names_subscribe(Concat("n", i));
  EXPECT_EQ(other.OnRequest(many).code(), absl::StatusCode::kResourceExhausted);
}

// A client that keeps to the protocol, answers as it likes, and comes back with what it has.
class Client {
 public:
  explicit Client(std::mt19937& random) : random_(random) {}

  void Connect(Session& session) {
    waiting_.clear();
    for (const std::string& type : {kCluster, kRoute, kMark}) {
      DeltaDiscoveryRequest request = Request(type);
      for (const auto& [name, version] : has_[type])
        (*request.mutable_initial_resource_versions())[name] = version;
      ASSERT_TRUE(session.OnRequest(request).ok());
    }
  }

  void Take(const DeltaDiscoveryResponse& response) {
    std::map<std::string, std::string>& has = has_[response.type_url()];
    if (response.type_url() != kMark && response.resources_size() + response.removed_resources_size() > 0)
      marked_ = false;
    for (const auto& resource : response.resources()) {
      if (response.type_url() != kMark) EXPECT_NE(has[resource.name()], resource.version()) << "sent twice";
      has[resource.name()] = resource.version();
    }
    for (const std::string& name : response.removed_resources())
      EXPECT_EQ(has.erase(name), 1u) << name;
    if (response.type_url() == kMark && response.resources_size() > 0) {  // none: it came back with this one
      portico::v1::Revision mark;
      ASSERT_TRUE(response.resources(0).resource().UnpackTo(&mark));
      EXPECT_EQ(response.resources(0).version(), Digest()) << "the mark of another set";
      marked_ = true;
    }
    waiting_.push_back(Request(response.type_url(), response.nonce()));
  }

  // Answers one of those that wait, with a NACK now and then.
  void Answer(Session& session, bool may_refuse) {
    if (waiting_.empty()) return;
    DeltaDiscoveryRequest request = waiting_.front();
    waiting_.erase(waiting_.begin());
    if (may_refuse && random_() % 4 == 0) request.mutable_error_detail()->set_code(3);
    ASSERT_TRUE(session.OnRequest(request).ok());
  }
  // Nothing that it has is without a mark.
  bool marked() const { return marked_; }
  bool waits() const { return !waiting_.empty(); }

  std::string Digest() const {
    wire::SetDigest digest;
    for (const auto& [type, names] : has_) {
      if (type == kMark) continue;
      for (const auto& [name, version] : names)
        digest.Add(openssl::Sha256(wire::DigestInput(type, name, version)));
    }
    return digest.ToString();
  }

 private:
  std::mt19937& random_;
  std::map<std::string, std::map<std::string, std::string>> has_;
  std::vector<DeltaDiscoveryRequest> waiting_;
  bool marked_ = true;
};

class SessionRandomTest : public testing::TestWithParam<unsigned> {};

TEST_P(SessionRandomTest, AtRestTheClientHasTheSet) {
  std::mt19937 random(GetParam());
  World world;
  Client client(random);
  auto session = std::make_unique<Session>(world.set_);
  client.Connect(*session);
  const auto name = [&random] { return Concat("default/n", random() % 6); };
  for (int i = 0; i < 400; ++i) {
    switch (random() % 8) {
      case 0:
      case 1:
        world.Put(random() % 2 == 0 ? kCluster : kRoute, name());
        session->OnStep(world.Commit());
        break;
      case 2:
        world.Remove(random() % 2 == 0 ? kCluster : kRoute, name());
        session->OnStep(world.Commit());
        break;
      case 3:
        if (random() % 8 != 0) break;
        session = std::make_unique<Session>(world.set_);
        client.Connect(*session);
        break;
      case 4:
        client.Answer(*session, true);
        break;
      default:
        if (const auto response = session->Next(); response.has_value()) client.Take(Whole(*response));
    }
  }
  while (const auto response = session->Next())
    client.Take(Whole(*response));
  world.Put(kCluster, "default/last");
  session->OnStep(world.Commit());
  while (const auto response = session->Next())
    client.Take(Whole(*response));
  while (client.waits())
    client.Answer(*session, false);
  EXPECT_EQ(client.Digest(), world.set_.digest()) << "seed " << GetParam();
  EXPECT_EQ(session->running().revision, world.revision_);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SessionRandomTest, testing::Range(0u, 100u));

}  // namespace
}  // namespace portico::xds
