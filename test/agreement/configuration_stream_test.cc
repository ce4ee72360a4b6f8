#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/cluster.pb.h"
#include "api/portico/v1/route.pb.h"
#include "api/wire/names.h"
#include "controlplane/reach/gateway_set.h"
#include "controlplane/reach/reaches.h"
#include "controlplane/xds/session.h"
#include "dataplane/xds/client_session.h"
#include "gtest/gtest.h"
#include "test/agreement/judging.h"
#include "test/agreement/sha256_for_test.h"

namespace portico::xds {
namespace {

using base::Concat;

const check::ResourceKey kGateway{"Gateway", "default", "g"};
constexpr size_t kSteps = 400;
constexpr size_t kTurnsMax = 10'000;  // to come to rest; a few hundred are needed

// The control plane's set, and what each of its revisions held.
class Gateway {
 public:
  explicit Gateway(std::mt19937& random) : random_(random) {
    set_.set_known(true);
    Commit();
  }

  // One revision: some resources, of which some are not understood, come, change or go; or nothing in the end.
  reach::SetStep Change() {
    for (size_t i = random_() % 4; i > 0; --i) {
      const std::string kind = random_() % 2 == 0 ? "Cluster" : "Route", name = Concat("n", random_() % 6);
      const std::string type_url = wire::TypeUrl(kind), full = "default/" + name;
      changed_.emplace_back(type_url, full);
      if (random_() % 3 == 0) {
        set_.Remove(type_url, full);
      } else {
        set_.Put(type_url, full, reach::MakeItem(type_url, full, Concat("e.", ++version_), Bytes(kind, name)));
      }
    }
    return Commit();
  }

  // One that comes to something.
  reach::SetStep Add(const std::string& name) {
    const std::string type_url = wire::TypeUrl("Cluster");
    changed_.emplace_back(type_url, name);
    set_.Put(type_url, name, reach::MakeItem(type_url, name, Concat("e.", ++version_), "\xff"));
    return Commit();
  }

  const reach::GatewaySet& set() const { return set_; }
  const Contents& Of(uint64_t revision) const { return history_.at(revision); }

 private:
  std::string Bytes(const std::string& kind, const std::string& name) {
    if (random_() % 8 == 0) return "\xff";
    if (kind == "Route") {
      portico::v1::Route route;
      route.mutable_metadata()->set_name(name);
      return route.SerializeAsString();
    }
    portico::v1::Cluster cluster;
    cluster.mutable_metadata()->set_name(name);
    return cluster.SerializeAsString();
  }

  reach::SetStep Commit() {
    set_.Seal("e", ++revision_);
    for (const char* kind : {"Cluster", "Route"}) {
      for (const auto& [name, item] : set_.OfType(wire::TypeUrl(kind)))
        history_[revision_][Concat(kind, " ", name)] = item.version;
    }
    history_[revision_];
    return {&set_, std::exchange(changed_, {})};
  }

  std::mt19937& random_;
  reach::GatewaySet set_{kGateway};
  uint64_t revision_ = 0, version_ = 0;
  std::vector<std::pair<std::string, std::string>> changed_;
  std::map<uint64_t, Contents> history_;
};

class Stream {
 public:
  Stream(unsigned seed, bool lossy) : random_(seed), lossy_(lossy), gateway_(random_) { Connect(); }

  void Step() {
    switch (random_() % 8) {
      case 0:
        return session_->OnStep(gateway_.Change());
      case 1:
      case 2:
        return Request();
      case 3:
      case 4:
        return Respond();
      case 5:
        return Deliver(lossy_ && random_() % 10 == 0);
      case 6:
        return Judge(Verdict::kAny);
      default:
        if (random_() % 10 == 0) Connect();
    }
  }

  // Nothing is lost any more, until nobody has anything to say.
  void Rest(Verdict verdict) {
    session_->OnStep(gateway_.Add("default/last"));
    for (size_t i = 0; i < kTurnsMax; ++i) {
      said_ = false;
      Request();
      Respond();
      Deliver(false);
      Judge(verdict);
      if (!said_) return;
    }
    FAIL() << "no rest";
  }

  void CheckAccepted() {
    const reach::GatewaySet& set = gateway_.set();
    EXPECT_EQ(judging_.in_force(), gateway_.Of(set.revision()));
    ASSERT_TRUE(client_.in_force().has_value());
    EXPECT_EQ(client_.in_force()->mark.digest, set.digest());
    EXPECT_EQ(session_->running().revision, set.revision());
    EXPECT_EQ(session_->running().refusals.size(), judging_.refused());
    EXPECT_EQ(session_->running().refused_revision, 0u);
  }
  void CheckRejected() {
    EXPECT_EQ(judging_.in_force(), gateway_.Of(session_->running().revision));
    EXPECT_EQ(session_->running().refused_revision, gateway_.set().revision());
    EXPECT_EQ(session_->running().refused_reason, "no");
  }

 private:
  void Connect() {
    session_ = std::make_unique<Session>(gateway_.set());
    to_client_.clear();
    client_.OnStreamStart();
  }

  void Request() {
    const std::optional<std::string> bytes = client_.NextRequest();
    if (!bytes.has_value()) return;
    said_ = true;
    envoy::service::discovery::v3::DeltaDiscoveryRequest request;
    ASSERT_TRUE(request.ParseFromString(*bytes));
    ASSERT_TRUE(session_->OnRequest(request).ok());
    const uint64_t running = session_->running().revision;
    if (running > 0) EXPECT_TRUE(judging_.HasAccepted(gateway_.Of(running))) << "it runs what it never accepted";
  }

  void Respond() {
    const std::optional<Session::Response> response = session_->Next();
    if (!response.has_value()) return;
    said_ = true;
    std::string bytes = response->head;
    for (const auto& field : response->fields)
      bytes += *field;
    to_client_.push_back(std::move(bytes));
  }

  void Deliver(bool lose) {
    if (to_client_.empty()) return;
    said_ = true;
    const std::string bytes = std::move(to_client_.front());
    to_client_.pop_front();
    if (lose) return;
    const absl::Status status = client_.OnResponse(bytes);
    if (status.ok()) return;
    EXPECT_TRUE(lossy_ && status.code() == absl::StatusCode::kDataLoss) << status;
    Connect();
  }

  // Takes a proposal, or says of the one that was taken what becomes of it.
  void Judge(Verdict verdict) {
    if (judging_.waits()) {
      said_ = true;
      return judging_.Say(verdict, client_, random_);
    }
    const Proposal* taken = judging_.Take(client_);
    if (taken == nullptr) return;
    said_ = true;
    EXPECT_EQ(ContentsOf(*taken), gateway_.Of(taken->mark.number)) << "half a revision";
  }

  std::mt19937 random_;
  const bool lossy_;
  Gateway gateway_;
  std::unique_ptr<Session> session_;
  ClientSession client_{{.node_id = "n", .gateway = kGateway, .version = "1", .instance = "i"}, &HashOf};
  std::deque<std::string> to_client_;
  Judging judging_;
  bool said_ = false;
};

class ConfigurationStreamTest : public testing::TestWithParam<unsigned> {};

TEST_P(ConfigurationStreamTest, AtRestBothHaveTheSame) {
  for (const bool lossy : {false, true}) {
    SCOPED_TRACE(Concat("seed ", GetParam(), lossy ? ", and responses are lost" : ""));
    Stream stream(GetParam(), lossy);
    for (size_t i = 0; i < kSteps; ++i)
      stream.Step();
    stream.Rest(Verdict::kAccept);
    stream.CheckAccepted();
    stream.Rest(Verdict::kReject);
    stream.CheckRejected();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConfigurationStreamTest, testing::Range(0u, 200u));

}  // namespace
}  // namespace portico::xds
