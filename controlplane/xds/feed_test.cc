#include "controlplane/xds/feed.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/model/encoding.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/xds/mailbox.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

using base::Concat;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

constexpr char kGateway[] = R"(
kind: Gateway
metadata: {name: g}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
)";
constexpr char kRest[] = R"(---
kind: Cluster
metadata: {name: c}
spec: {endpoints: [{address: 127.0.0.1, port: 1}]}
---
kind: Route
metadata: {name: r}
spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: c}]}]}
)";

std::string ClusterAt(int port) {
  return Concat("kind: Cluster\nmetadata: {name: c}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}");
}

DeltaDiscoveryResponse Parse(const Session::Response& response) {
  std::string bytes = response.head;
  for (const auto& field : response.fields)
    bytes += *field;
  DeltaDiscoveryResponse parsed;
  EXPECT_TRUE(parsed.ParseFromString(bytes));
  return parsed;
}

class FakeOutlet final : public Outlet {
 public:
  void Write(Session::Response response) override {
    EXPECT_FALSE(writing_) << "one at a time";
    EXPECT_FALSE(finished_.has_value());
    writing_ = true;
    last_ = std::move(response);
    all_.push_back(*last_);
  }
  void Read() override { ++reads_; }
  void Finish(const absl::Status& status) override {
    EXPECT_FALSE(finished_.has_value());
    finished_ = status;
  }

  bool writing_ = false;
  int reads_ = 0;
  std::optional<Session::Response> last_;
  std::vector<Session::Response> all_;
  std::optional<absl::Status> finished_;
};

class FeedTest : public testing::Test {
 protected:
  FeedTest() {
    model_.epoch = "e";
    Change(Concat(kGateway, kRest));
    feed_ = std::make_unique<Feed>(model_, 1, fleet_);
  }

  std::vector<model::ResourceChange> Change(const std::string& text) {
    ++model_.revision;
    std::vector<model::ResourceChange> changes;
    for (portico::v1::Resource& resource : test::ReadResources(text)) {
      model::MutableMetadata(resource).set_revision(model_.revision);
      changes.push_back({check::KeyOf(resource), model::ChangeKind::kUpdated});
      model_.configuration.Put(std::move(resource));
    }
    model::ResolveGateways(&model_, model_);
    return changes;
  }
  void Write(const std::string& text) {
    const auto changes = Change(text);
    feed_->OnStep(model_, changes);
  }
  void DeleteGateway() {
    ++model_.revision;
    const check::ResourceKey key{"Gateway", "default", "g"};
    EXPECT_TRUE(model_.configuration.Remove(key));
    model::ResolveGateways(&model_, model_);
    feed_->OnStep(model_, {{key, model::ChangeKind::kDeleted}});
  }

  std::shared_ptr<FakeOutlet> Open(uint64_t id, Peer peer = {"peer:1"}) {
    auto outlet = std::make_shared<FakeOutlet>();
    feed_->Open(id, outlet, std::move(peer));
    return outlet;
  }
  static Feed::Request First(const std::string& type, const std::string& gateway = "default/g") {
    Feed::Request request;
    request.mutable_node()->set_id("edge");
    request.mutable_node()->set_cluster(gateway);
    request.set_type_url(Concat(wire::kTypePrefix, type));
    return request;
  }
  void Subscribe(uint64_t id, const std::string& gateway = "default/g") {
    for (const char* type : {"Gateway", "Cluster", "Route", "Secret", "Revision"})
      feed_->OnRequest(id, First(type, gateway));
  }
  // What is written until nothing is owed, each said to be written: "Cluster c@e.1; … Revision 1; ".
  std::string Drain(uint64_t id, FakeOutlet& outlet) {
    std::string text;
    while (std::exchange(outlet.writing_, false)) {
      const DeltaDiscoveryResponse response = Parse(*outlet.last_);
      const std::string type = response.type_url().substr(wire::kTypePrefix.size());
      nonce_ = response.nonce();
      text += type;
      for (const auto& resource : response.resources()) {
        const bool mark = type == "Revision";
        text += mark ? Concat(" ", response.system_version_info())
                     : Concat(" ", resource.name().substr(8), "@", resource.version());
      }
      for (const std::string& name : response.removed_resources())
        text += Concat(" -", name.substr(8));
      text += "; ";
      feed_->OnWritten(id);
    }
    return text;
  }
  void Answer(uint64_t id, const std::string& nonce, int code = 0) {
    Feed::Request request;
    request.set_type_url(std::string(wire::kRevisionType));
    request.set_response_nonce(nonce);
    request.mutable_error_detail()->set_code(code);
    if (code != 0) request.mutable_error_detail()->set_message("no");
    feed_->OnRequest(id, request);
  }
  std::string Fleet() {
    std::string text;
    for (const fleet::SharedProxy& proxy : fleet_.List().proxies) {
      text += Concat(proxy->gateway(), proxy->connected() ? " up" : " down", " runs ", proxy->running_revision(),
                     " wants ", proxy->wanted_revision(), " refused ", proxy->refused_revision(), "; ");
    }
    return text;
  }

  model::Model model_;
  int64_t now_ = 5;
  fleet::Fleet fleet_{[this] { return now_; }};
  std::unique_ptr<Feed> feed_;
  std::string nonce_;  // of the last response that was drained
};

TEST_F(FeedTest, AClientGetsItsGatewayAndSaysThatItRuns) {
  const auto outlet = Open(1);
  Subscribe(1);
  EXPECT_EQ(outlet->reads_, 5);
  EXPECT_EQ(Drain(1, *outlet), "Gateway g@e.1; Secret; Cluster c@e.1; Route r@e.1; Revision 1; ");
  EXPECT_EQ(Fleet(), "default/g up runs 0 wants 1 refused 0; ");
  Answer(1, nonce_);
  EXPECT_EQ(Fleet(), "default/g up runs 1 wants 1 refused 0; ");
  Write(ClusterAt(2));
  EXPECT_EQ(Fleet(), "default/g up runs 1 wants 2 refused 0; ");
  EXPECT_EQ(Drain(1, *outlet), "Cluster c@e.2; Revision 2; ");
  Answer(1, nonce_, 3);
  EXPECT_EQ(Fleet(), "default/g up runs 1 wants 2 refused 2; ");
  feed_->OnClosed(1);
  EXPECT_EQ(Fleet(), "default/g down runs 1 wants 2 refused 2; ");
}

TEST_F(FeedTest, ASlowReaderIsOwedTheNewestOnly) {
  const auto outlet = Open(1);
  Subscribe(1);
  Drain(1, *outlet);
  Write(ClusterAt(2));
  const size_t written = outlet->all_.size();
  for (int port = 3; port < 50; ++port)
    Write(ClusterAt(port));
  EXPECT_EQ(outlet->all_.size(), written);
  EXPECT_EQ(Drain(1, *outlet), "Cluster c@e.2; Revision 2; Cluster c@e.49; Revision 49; ");
}

TEST_F(FeedTest, StreamsShareTheirBytes) {
  constexpr uint64_t kStreams = 500;
  std::vector<std::shared_ptr<FakeOutlet>> outlets;
  for (uint64_t id = 1; id <= kStreams; ++id) {
    outlets.push_back(Open(id));
    feed_->OnRequest(id, First("Cluster"));
    outlets.back()->writing_ = false;
    feed_->OnWritten(id);
  }
  Write(ClusterAt(2));
  for (const auto& outlet : outlets) {
    ASSERT_EQ(outlet->all_.size(), 2u);
    for (const size_t one : {0, 1}) {
      ASSERT_EQ(outlet->all_[one].fields.size(), 1u);
      EXPECT_EQ(outlet->all_[one].fields[0].get(), outlets[0]->all_[one].fields[0].get());
    }
  }
}

TEST_F(FeedTest, WhatIsWrongEndsTheStream) {
  Feed::Request no_type = First("Route");
  no_type.clear_type_url();
  const struct {
    const char* name;
    Peer peer;
    Feed::Request request;
    absl::StatusCode code;
    const char* says;
  } kRows[] = {
      {"no node", {}, {}, absl::StatusCode::kInvalidArgument, "id"},
      {"no gateway", {}, First("Route", ""), absl::StatusCode::kInvalidArgument, "cluster"},
      {"no type", {}, no_type, absl::StatusCode::kInvalidArgument, "type_url"},
      {"a certificate without a name", {"", true, {}}, First("Route"), absl::StatusCode::kPermissionDenied, "no URI"},
      {"another's certificate",
       {"", true, {"portico://gateway/default/other"}},
       First("Route"),
       absl::StatusCode::kPermissionDenied,
       "portico://gateway/default/g; the client's says portico://gateway/default/o"},
      {"a longer name",
       {"", true, {"portico://gateway/default/gg"}},
       First("Route"),
       absl::StatusCode::kPermissionDenied,
       "default/gg"},
  };
  uint64_t id = 0;
  for (const auto& row : kRows) {
    const auto outlet = Open(++id, row.peer);
    feed_->OnRequest(id, row.request);
    ASSERT_TRUE(outlet->finished_.has_value()) << row.name;
    EXPECT_EQ(outlet->finished_->code(), row.code) << row.name;
    EXPECT_NE(outlet->finished_->ToString().find(row.says), std::string::npos) << outlet->finished_->ToString();
    EXPECT_EQ(outlet->reads_, 0) << row.name;
    feed_->OnRequest(id, First("Route"));
    feed_->OnWritten(id);
    feed_->OnClosed(id);
    EXPECT_TRUE(outlet->all_.empty()) << row.name;
  }
  for (const fleet::SharedProxy& proxy : fleet_.List().proxies)
    EXPECT_FALSE(proxy->connected());
}

TEST_F(FeedTest, TheCertificatesNameIsTheIdentity) {
  Open(1, {"10.0.0.7:1", true, {"spiffe://a", "portico://gateway/default/g"}});
  feed_->OnRequest(1, First("Route"));
  EXPECT_EQ(fleet_.List().proxies.at(0)->identity(), "portico://gateway/default/g");
  EXPECT_EQ(fleet_.List().proxies.at(0)->peer(), "10.0.0.7:1");
  EXPECT_EQ(fleet_.List().proxies.at(0)->epoch(), "e");
}

TEST_F(FeedTest, AStreamMayEndAnywhere) {
  const struct {
    const char* name;
    int requests;  // of those that subscribe
    bool written;
    bool step;
  } kRows[] = {
      {"before it said who it is", 0, false, false}, {"while its first answer is written", 1, false, false},
      {"between two answers", 5, true, false},       {"with everything owed", 5, false, false},
      {"with a step owed", 5, false, true},          {"with a step being written", 5, true, true},
  };
  uint64_t id = 0;
  int port = 2;
  for (const auto& row : kRows) {
    const auto outlet = Open(++id);
    for (int i = 0; i < row.requests; ++i)
      feed_->OnRequest(id, First(std::vector<std::string>{"Gateway", "Cluster", "Route", "Secret", "Revision"}[i]));
    if (row.written) Drain(id, *outlet);
    if (row.step) Write(ClusterAt(port++));
    feed_->OnClosed(id);
    const size_t written = outlet->all_.size();
    feed_->OnWritten(id);
    feed_->OnClosed(id);
    Write(ClusterAt(port++));
    EXPECT_EQ(outlet->all_.size(), written) << row.name;
    EXPECT_FALSE(outlet->finished_.has_value()) << row.name;
    EXPECT_EQ(outlet.use_count(), 1) << row.name;
  }
}

TEST_F(FeedTest, WhoComesBackGetsWhatDiffers) {
  const auto first = Open(1);
  Subscribe(1);
  Drain(1, *first);
  const std::string digest = Parse(*first->last_).resources(0).version();
  feed_->OnClosed(1);
  const auto come_back = [&](uint64_t id) {
    const auto outlet = Open(id);
    Feed::Request cluster = First("Cluster");
    (*cluster.mutable_initial_resource_versions())["default/c"] = "e.1";
    feed_->OnRequest(id, cluster);
    Feed::Request mark = First("Revision");
    (*mark.mutable_initial_resource_versions())["default/g"] = digest;
    feed_->OnRequest(id, mark);
    return Drain(id, *outlet);
  };
  EXPECT_EQ(come_back(2), "Cluster; Revision; ");  // a first wildcard is answered, with nothing
  EXPECT_EQ(Fleet(), "default/g up runs 1 wants 1 refused 0; ");
  feed_->OnClosed(2);
  Write(ClusterAt(2));
  EXPECT_EQ(come_back(3), "Cluster c@e.2; Revision 2; ");
}

TEST_F(FeedTest, AGatewayMayBeUnknownAndComeAndGo) {
  const auto stranger = Open(1);
  Subscribe(1, "default/later");
  EXPECT_EQ(Drain(1, *stranger), "Gateway; Cluster; Revision; Route; Secret; ");
  EXPECT_FALSE(stranger->finished_.has_value());
  EXPECT_EQ(Fleet(), "default/later up runs 0 wants 0 refused 0; ");
  feed_->OnClosed(1);

  const auto outlet = Open(2);
  Subscribe(2);
  Drain(2, *outlet);
  DeleteGateway();
  EXPECT_EQ(Drain(2, *outlet), "");
  EXPECT_EQ(Fleet(), "default/g up runs 0 wants 0 refused 0; default/later down runs 0 wants 0 refused 0; ");
  Write(kGateway);
  EXPECT_EQ(Drain(2, *outlet), "Gateway g@e.3; Revision 3; ");
}

TEST_F(FeedTest, WhoDoesNotReadIsFinished) {
  const auto reading = Open(1), stalled = Open(2), silent = Open(3);
  Subscribe(1);
  Subscribe(2);
  for (int tick = 1; tick < Feed::kStalledTicks; ++tick)
    feed_->Tick();
  EXPECT_NE(Drain(1, *reading), "");
  feed_->Tick();
  EXPECT_EQ(stalled->finished_.value().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(reading->finished_, std::nullopt);
  EXPECT_EQ(silent->finished_, std::nullopt) << "that is the call's to say";
  feed_->OnWritten(2);  // too late
  Write(ClusterAt(2));
  EXPECT_TRUE(reading->writing_);
  EXPECT_EQ(stalled->all_.size(), 1u);
}

TEST_F(FeedTest, TheEndFinishesEveryStream) {
  const auto silent = Open(1), writing = Open(2);
  Subscribe(2);
  feed_->End();
  for (const auto& outlet : {silent, writing})
    EXPECT_EQ(outlet->finished_.value().code(), absl::StatusCode::kUnavailable);
  feed_->OnWritten(2);
  feed_->OnClosed(1);
  Write(ClusterAt(2));
  EXPECT_EQ(writing->all_.size(), 1u);
  EXPECT_EQ(Fleet(), "default/g down runs 0 wants 2 refused 0; ");
}

TEST_F(FeedTest, AMailboxTicksByTheClock) {
  Mailbox mailbox(1);
  const auto stalled = std::make_shared<FakeOutlet>();
  const uint64_t id = *mailbox.Open(stalled, {});
  mailbox.OnRequest(id, First("Gateway"));
  EXPECT_TRUE(mailbox.Deliver(*feed_));
  EXPECT_TRUE(stalled->writing_);
  for (int tick = 1; tick <= Feed::kStalledTicks; ++tick) {
    EXPECT_EQ(stalled->finished_, std::nullopt) << tick;
    now_ += Mailbox::kTickMicros;
    EXPECT_TRUE(mailbox.Deliver(*feed_));
  }
  EXPECT_EQ(stalled->finished_.value().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(FeedTest, AMailboxHoldsOneOfEach) {
  Mailbox mailbox(2);
  const auto a = std::make_shared<FakeOutlet>(), b = std::make_shared<FakeOutlet>(), c = std::make_shared<FakeOutlet>();
  const uint64_t id = *mailbox.Open(a, {});
  EXPECT_TRUE(mailbox.Open(b, {}).ok());
  EXPECT_EQ(mailbox.Open(b, {}).status().code(), absl::StatusCode::kResourceExhausted);
  mailbox.OnRequest(id, First("Cluster"));
  for (int port = 2; port < 5; ++port) {  // steps that wait become one
    const auto changes = Change(ClusterAt(port));
    mailbox.OnStep({nullptr, std::make_shared<const model::Model>(model_), changes});
  }
  EXPECT_TRUE(mailbox.Deliver(*feed_));
  ASSERT_EQ(a->all_.size(), 1u);
  EXPECT_EQ(Parse(a->all_[0]).resources(0).version(), "e.4");
  mailbox.OnClosed(id);
  EXPECT_TRUE(mailbox.Open(c, {}).ok());
  mailbox.OnRequest(id, First("Route"));  // too late
  mailbox.OnWritten(id);
  EXPECT_TRUE(mailbox.Deliver(*feed_));
  EXPECT_EQ(a.use_count(), 1);
  mailbox.End();
  mailbox.End();
  EXPECT_EQ(mailbox.Open(a, {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(mailbox.Deliver(*feed_));
}

}  // namespace
}  // namespace portico::xds
