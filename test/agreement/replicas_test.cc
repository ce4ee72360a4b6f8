// Proxies of two gateways, and two replicas that learn of the same revisions at different times. Until the faults stop,
// replicas restart, streams end and go on with any replica, verdicts come late, and what is between loses, doubles and
// reorders whole responses, as a broken intermediary would.
#include "test/agreement/replicas.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
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
using envoy::service::discovery::v3::DeltaDiscoveryRequest;

constexpr unsigned kSeeds = 200;
constexpr size_t kReplicas = 2;
constexpr size_t kSteps = 600;
constexpr size_t kTurnsMax = 10'000;  // to come to rest; a few hundred are needed

// What a proxy does wrong, which has to be found.
enum class Mistake { kNone, kLostNack, kNackAsAck };

// A proxy with its stream, both directions of which are held up.
class Proxy {
 public:
  Proxy(const Store& store, size_t gateway, Mistake mistake, std::mt19937& random)
      : store_(store), gateway_(gateway), mistake_(mistake), random_(random) {}

  size_t gateway() const { return gateway_; }
  size_t replica() const { return replica_; }
  Session* session() { return session_.get(); }
  // What was seen to be wrong first; "": nothing.
  const std::string& complaint() const { return complaint_; }

  void Connect(size_t replica, const reach::GatewaySet& set) {
    Disconnect();
    replica_ = replica;
    session_ = std::make_unique<Session>(set);
    client_.OnStreamStart();
  }
  void Disconnect() {
    session_.reset();
    to_client_.clear();
    to_server_.clear();
  }

  // Each of these is one thing that happens; false: there is nothing of the kind to do.
  bool Request();
  bool TakeRequest();
  bool Respond();
  bool Deliver();
  bool Judge(Verdict verdict);
  // Something befalls what is on its way to the proxy.
  void Disturb();

  void CheckAccepted(const reach::GatewaySet& set);
  void CheckRejected(const reach::GatewaySet& set);

 private:
  void Expect(bool good, const std::string& what) {
    if (!good && complaint_.empty()) complaint_ = what;
  }

  const Store& store_;
  const size_t gateway_;
  const Mistake mistake_;
  std::mt19937& random_;
  ClientSession client_{
      {.node_id = "n", .gateway = {"Gateway", "default", Concat("g", gateway_)}, .version = "1", .instance = "i"},
      &HashOf};
  size_t replica_ = 0;
  std::unique_ptr<Session> session_;  // null: there is no stream
  std::deque<std::string> to_client_;
  std::deque<DeltaDiscoveryRequest> to_server_;
  Judging judging_;
  std::string complaint_;
};

bool Proxy::Request() {
  if (session_ == nullptr) return false;
  const std::optional<std::string> bytes = client_.NextRequest();
  if (!bytes.has_value()) return false;
  DeltaDiscoveryRequest request;
  Expect(request.ParseFromString(*bytes), "a request that can't be read");
  const bool nack = request.error_detail().code() != 0;
  if (nack && mistake_ == Mistake::kLostNack) return true;
  if (nack && mistake_ == Mistake::kNackAsAck) request.clear_error_detail();
  to_server_.push_back(std::move(request));
  return true;
}

bool Proxy::TakeRequest() {
  if (to_server_.empty()) return false;
  const absl::Status status = session_->OnRequest(to_server_.front());
  to_server_.pop_front();
  Expect(status.ok(), Concat("the control plane ends the stream: ", status.ToString()));
  const uint64_t running = session_->running().revision;
  Expect(running == 0 || judging_.HasAccepted(store_.Of(gateway_, running)), "it runs what it never accepted");
  return true;
}

bool Proxy::Respond() {
  if (session_ == nullptr) return false;
  const std::optional<Session::Response> response = session_->Next();
  if (!response.has_value()) return false;
  std::string bytes = response->head;
  for (const auto& field : response->fields)
    bytes += *field;
  to_client_.push_back(std::move(bytes));
  return true;
}

bool Proxy::Deliver() {
  if (to_client_.empty()) return false;
  const std::string bytes = std::move(to_client_.front());
  to_client_.pop_front();
  const absl::Status status = client_.OnResponse(bytes);
  if (status.ok()) return true;
  Expect(status.code() == absl::StatusCode::kDataLoss, Concat("the proxy ends the stream: ", status.ToString()));
  Disconnect();
  return true;
}

// Takes a proposal, or says of the one that was taken what becomes of it.
bool Proxy::Judge(Verdict verdict) {
  if (judging_.waits()) {
    judging_.Say(verdict, client_, random_);
    return true;
  }
  const Proposal* taken = judging_.Take(client_);
  if (taken == nullptr) return false;
  Expect(ContentsOf(*taken) == store_.Of(gateway_, taken->mark.number), "a set that no revision had");
  return true;
}

void Proxy::Disturb() {
  if (to_client_.empty()) return;
  const auto one = to_client_.begin() + static_cast<std::ptrdiff_t>(random_() % to_client_.size());
  const std::string bytes = *one;
  const size_t what = random_() % 3;  // lost, sent twice, or sent at another time
  if (what != 1) to_client_.erase(one);
  if (what == 0) return;
  to_client_.insert(to_client_.begin() + static_cast<std::ptrdiff_t>(random_() % (to_client_.size() + 1)), bytes);
}

void Proxy::CheckAccepted(const reach::GatewaySet& set) {
  const Running& running = session_->running();
  Expect(judging_.in_force() == store_.Of(gateway_, store_.newest()), "what is in force is not its reach");
  Expect(client_.in_force().has_value() && client_.in_force()->mark.digest == set.digest(), "another mark is in force");
  Expect(running.revision == set.revision(), "the control plane thinks that it runs another revision");
  Expect(running.refusals.size() == judging_.refused(), "the control plane knows of other refusals");
  Expect(running.refused_revision == 0, "the control plane thinks that it refused what it runs");
}

void Proxy::CheckRejected(const reach::GatewaySet& set) {
  const Running& running = session_->running();
  // Of a stream that began since the last verdict nothing may have been said of what is in force.
  Expect(running.revision == 0 || judging_.in_force() == store_.Of(gateway_, running.revision),
         "it runs what is not in force");
  Expect(judging_.in_force() != store_.Of(gateway_, store_.newest()), "what was refused is in force");
  Expect(running.refused_revision == set.revision(), "the control plane does not know that it refused");
}

class World {
 public:
  World(unsigned seed, Mistake mistake) : random_(seed) {
    for (size_t i = 0; i < kReplicas; ++i)
      replicas_.emplace_back(store_);
    for (const size_t gateway : {0u, 1u, 0u})
      proxies_.emplace_back(store_, gateway, mistake, random_);
  }

  void Step();
  // No fault any more, and one last revision, until nobody has anything to say. `rejecting`: how many of the proxies
  // refuse it.
  void Rest(size_t rejecting);
  std::string Complaint() const;

 private:
  void Connect(Proxy& proxy) {
    const size_t replica = random_() % kReplicas;
    proxy.Connect(replica, replicas_.at(replica).set(proxy.gateway()));
  }
  void Restart(size_t replica);
  bool Learn(size_t replica);
  bool Turn(size_t rejecting);
  void StepOf(Proxy& proxy);

  std::mt19937 random_;
  Store store_;
  std::deque<Replica> replicas_;
  std::deque<Proxy> proxies_;
};

void World::Step() {
  switch (random_() % 64) {
    case 0:
    case 1:
      return store_.CommitAny(random_);
    case 2:
      return Restart(random_() % kReplicas);
    case 3:
    case 4:
    case 5:
    case 6:
      Learn(random_() % kReplicas);
      return;
    default:
      return StepOf(proxies_.at(random_() % proxies_.size()));
  }
}

void World::StepOf(Proxy& proxy) {
  const size_t what = random_() % 60;
  if (what == 0) return Connect(proxy);
  if (what <= 2) return proxy.Disturb();
  if (proxy.session() == nullptr) return what < 10 ? Connect(proxy) : void();
  switch (what % 5) {
    case 0:
      proxy.Request();
      return;
    case 1:
      proxy.TakeRequest();
      return;
    case 2:
      proxy.Respond();
      return;
    case 3:
      proxy.Deliver();
      return;
    default:
      proxy.Judge(Verdict::kAny);
  }
}

void World::Restart(size_t replica) {
  for (Proxy& proxy : proxies_) {
    if (proxy.replica() == replica) proxy.Disconnect();
  }
  replicas_.at(replica).Restart();
}

bool World::Learn(size_t replica) {
  if (replicas_.at(replica).knows_all()) return false;
  for (const reach::SetStep& step : replicas_.at(replica).Learn()) {
    for (Proxy& proxy : proxies_) {
      if (proxy.session() == nullptr || proxy.replica() != replica) continue;
      if (step.set == &replicas_.at(replica).set(proxy.gateway())) proxy.session()->OnStep(step);
    }
  }
  return true;
}

bool World::Turn(size_t rejecting) {
  bool any = false;
  for (size_t replica = 0; replica < kReplicas; ++replica)
    any = Learn(replica) || any;
  for (size_t i = 0; i < proxies_.size(); ++i) {
    Proxy& proxy = proxies_[i];
    if (proxy.session() == nullptr) Connect(proxy);
    any = proxy.Request() || any;
    any = proxy.TakeRequest() || any;
    any = proxy.Respond() || any;
    any = proxy.Deliver() || any;
    any = proxy.Judge(i < rejecting ? Verdict::kReject : Verdict::kAccept) || any;
    any = proxy.session() == nullptr || any;
  }
  return any;
}

void World::Rest(size_t rejecting) {
  store_.CommitForAll("last");
  size_t turns = 0;
  while (Turn(rejecting))
    ASSERT_LT(++turns, kTurnsMax) << "no rest";
  for (size_t i = 0; i < proxies_.size(); ++i) {
    const reach::GatewaySet& set = replicas_.at(proxies_[i].replica()).set(proxies_[i].gateway());
    if (i < rejecting) {
      proxies_[i].CheckRejected(set);
    } else {
      proxies_[i].CheckAccepted(set);
    }
  }
}

std::string World::Complaint() const {
  for (size_t i = 0; i < proxies_.size(); ++i) {
    if (!proxies_[i].complaint().empty()) return Concat("proxy ", i, ": ", proxies_[i].complaint());
  }
  return "";
}

// The first thing that went wrong; "": nothing.
std::string RunSeed(unsigned seed, Mistake mistake) {
  World world(seed, mistake);
  for (size_t i = 0; i < kSteps; ++i)
    world.Step();
  world.Rest(0);
  world.Rest(2);
  return world.Complaint();
}

TEST(ReplicasTest, AtRestEveryProxyHasItsReachOrIsKnownToRefuseIt) {
  for (unsigned seed = 0; seed < kSeeds; ++seed)
    EXPECT_EQ(RunSeed(seed, Mistake::kNone), "") << "seed " << seed;
}

// The mutants: what finds nothing wrong with a proxy that makes a mistake is no check.
TEST(ReplicasTest, FindsALostNack) {
  for (unsigned seed = 0; seed < kSeeds; ++seed)
    EXPECT_NE(RunSeed(seed, Mistake::kLostNack), "") << "seed " << seed;
}

TEST(ReplicasTest, FindsANackThatIsSentAsAnAck) {
  for (unsigned seed = 0; seed < kSeeds; ++seed)
    EXPECT_NE(RunSeed(seed, Mistake::kNackAsAck), "") << "seed " << seed;
}

}  // namespace
}  // namespace portico::xds
