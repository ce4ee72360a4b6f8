#include "test/simulation/simulation.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "dataplane/filters/filters.h"
#include "dataplane/observe/families.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/worker/worker.h"
#include "test/simulation/configuration.h"
#include "test/simulation/http1_client.h"
#include "test/simulation/http2_client.h"
#include "test/simulation/origin.h"
#include "test/support/sim/sim_loop.h"
#include "test/support/sim/sim_network.h"

namespace portico::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Longer than every deadline of the proxy and every client's patience one after the other.
constexpr base::Duration kBound = seconds(4000);

class Run {
 public:
  Run(uint64_t seed, bool keep_trace);
  RunResult Go();

 private:
  enum class Ending { kQuiet, kDrained, kClosed };

  sim::FaultPlan Plan();
  void MakeOrigins();
  void MakeClients();
  void Publish();
  void Traffic();
  void Drain();
  void CloseAbruptly();
  void AwaitEnds();
  void AwaitQuiet();
  void CloseAll();
  bool ClientsDone() const;
  bool ClustersAreEmpty() const;
  void CheckMetrics();
  // Calls into the worker from its loop, and lets it happen.
  template <typename Act>
  void OnWorker(Act act);
  void Expect(bool condition, std::string_view what) {
    if (!condition) judge_.Violation("(run)", what);
  }
  base::Random& random() { return world_.random(); }

  sim::SimWorld world_;
  const Mood mood_;
  const Ending ending_;
  Judge judge_;
  observe::Metrics metrics_;
  const filters::SharedState filter_state_;
  sim::SimLoop proxy_loop_, client_loop_, origin_loop_;
  sim::SimNetwork proxy_network_, client_network_, origin_network_;
  std::unique_ptr<worker::Worker> worker_;
  std::vector<std::unique_ptr<Origin>> origins_;
  std::vector<std::unique_ptr<Client>> clients_;
};

Run::Run(uint64_t seed, bool keep_trace)
    : world_(seed),
      mood_{.calm = seed % 2 == 0, .bulk = seed / 2 % 3 == 0, .pages = seed % 7 == 0},
      ending_(static_cast<Ending>(seed / 6 % 3)),
      judge_(world_, mood_),
      proxy_loop_(world_, "proxy"),
      client_loop_(world_, "clients"),
      origin_loop_(world_, "origins"),
      proxy_network_(world_, proxy_loop_, "10.0.0.1"),
      client_network_(world_, client_loop_, "10.0.0.2"),
      origin_network_(world_, origin_loop_, "10.0.0.3") {
  if (keep_trace) world_.KeepTraceText();
  world_.set_plan_chooser([this](const net::Address&, base::Random&) { return Plan(); });
  worker_ = std::make_unique<worker::Worker>(
      worker::WorkerParts{proxy_loop_, proxy_network_, seed, metrics_, /*access_log=*/nullptr});
}

// The smallest pieces only where there is little to carry: a run is bounded by its events.
sim::FaultPlan Run::Plan() {
  sim::FaultPlan plan =
      mood_.calm ? sim::FaultPlan::RandomButWorking(random()) : sim::FaultPlan::Random(random(), /*one_in=*/4);
  const size_t smallest = mood_.bulk ? 2000 : world_.Chance(4) ? 1 : 60;
  plan.piece_bytes_max = smallest + random().Below(smallest * 8);
  plan.send_buffer_bytes = std::max(plan.send_buffer_bytes, smallest);
  plan.receive_buffer_bytes = std::max(plan.receive_buffer_bytes, smallest);
  plan.latency_max = plan.latency_min + base::Duration(random().Below(smallest < 60 ? 100 : 2000));
  return plan;
}

void Run::MakeOrigins() {
  const std::pair<const char*, const char*> kOrigins[] = {
      {"10.0.0.3:9001", "one"}, {"10.0.0.4:9001", "one"}, {"10.0.0.5:9002", "two"}, {"10.0.0.6:9002", "two"}};
  for (const auto& [address, cluster] : kOrigins)
    origins_.push_back(std::make_unique<Origin>(origin_loop_, origin_network_,
                                                net::Address::ParseWithPort(address).value(), cluster, judge_));
}

void Run::MakeClients() {
  const ClientParts parts = {client_loop_, client_network_, net::Address::Parse("10.0.0.1", kProxyPort).value(),
                             judge_};
  for (uint64_t i = 0, count = 2 + random().Below(3); i < count; ++i) {
    std::deque<Script> scripts;
    for (uint64_t j = 0, exchanges = 2 + random().Below(4); j < exchanges; ++j)
      scripts.push_back(RandomScript(random(), mood_));
    if (world_.Chance(2)) {
      clients_.push_back(std::make_unique<Http1Client>(parts, std::move(scripts), /*pipelines=*/world_.Chance(2)));
    } else {
      clients_.push_back(std::make_unique<Http2Client>(parts, std::move(scripts), 1 + random().Below(5)));
    }
  }
}

template <typename Act>
void Run::OnWorker(Act act) {
  bool done = false;
  proxy_loop_.Post([&] {
    act();
    done = true;
  });
  Expect(world_.RunUntil([&] { return done; }, seconds(1)), "the worker's loop does not turn");
}

void Run::Publish() {
  const auto next = MakeSnapshot(judge_.revision() + 1, RandomVariant(random()), filter_state_, proxy_loop_, judge_);
  OnWorker([&] {
    const absl::Status prepared = worker_->Prepare(next);
    Expect(prepared.ok(), base::ToStd(prepared.message()));
    if (!prepared.ok()) return;
    judge_.SetRevision(judge_.revision() + 1);
    worker_->Swap(next);
  });
}

void Run::Traffic() {
  for (uint64_t i = 0, swaps = random().Below(4); i < swaps; ++i) {
    world_.RunFor(base::Duration(random().Below(400'000)));
    Publish();
  }
  if (!mood_.calm && world_.Chance(3)) {
    origin_loop_.Post([this] { origins_[random().Below(origins_.size())]->Drain(); });
  }
  if (ending_ != Ending::kQuiet) world_.RunFor(base::Duration(random().Below(600'000)));
}

// Nobody begins anything new, and what is under way ends as if nothing were.
void Run::Drain() {
  client_loop_.Post([this] {
    for (const auto& client : clients_)
      client->Stop();
  });
  world_.RunFor(milliseconds(1));
  OnWorker([&] { worker_->Drain(/*final=*/false); });
  world_.RunFor(base::Duration(random().Below(500'000)));
  OnWorker([&] { worker_->Drain(/*final=*/true); });
}

void Run::CloseAbruptly() {
  judge_.ExpectCuts();
  client_loop_.Post([this] {
    for (const auto& client : clients_)
      client->Stop();
  });
  world_.RunFor(milliseconds(1));
  OnWorker([&] { worker_->Close(); });
}

bool Run::ClientsDone() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->done(); });
}

bool Run::ClustersAreEmpty() const {
  for (const worker::ClusterState& cluster : worker_->Clusters()) {
    if (cluster.connections > 0 || cluster.calls > 0 || cluster.pending > 0) return false;
  }
  return true;
}

void Run::AwaitEnds() {
  Expect(world_.RunUntil([&] { return ClientsDone(); }, kBound), "not every exchange has ended");
  Expect(judge_.client_exchanges == 0, "exchanges are not over");
}

// Without a word to the proxy: what is idle for long enough goes by itself.
void Run::AwaitQuiet() {
  Expect(world_.RunUntil([&] { return worker_->idle(); }, seconds(300)), "the proxy keeps connections of clients");
  Expect(world_.RunUntil([&] { return ClustersAreEmpty(); }, seconds(300)), "the proxy keeps connections or calls");
  Expect(judge_.filters == 0, "filters outlive their exchanges");
}

void Run::CheckMetrics() {
  uint64_t requests = 0;
  for (const auto& [name, family] : metrics_.Read()) {
    for (const auto& [labels, value] : family.series)
      if (name == observe::kRequests.name) requests += std::get<uint64_t>(value);
    if (family.family->kind != observe::MetricKind::kGauge) continue;
    for (const auto& [labels, value] : family.series) {
      if (std::get<int64_t>(value) != 0) Expect(false, base::Concat("gauge ", name, " is ", std::get<int64_t>(value)));
    }
  }
  Expect(requests >= judge_.tally.responses, "responses that no metric counts");
}

void Run::CloseAll() {
  client_loop_.Post([this] {
    for (const auto& client : clients_)
      client->Close();
  });
  OnWorker([&] { worker_->Drain(/*final=*/true); });
  world_.RunFor(seconds(3));
  OnWorker([&] { worker_->Close(); });
  world_.RunFor(seconds(1));
  Expect(worker_->idle(), "the proxy keeps connections of clients after its end");
  Expect(judge_.filters == 0, "filters outlive the proxy's end");
  CheckMetrics();
  worker_.reset();
  origin_loop_.Post([this] {
    for (const auto& origin : origins_)
      origin->Close();
  });
  world_.RunFor(seconds(1));
  Expect(judge_.origin_exchanges == 0, "requests at origins are not over");
  clients_.clear();
  origins_.clear();
  world_.RunFor(seconds(1));
  const std::string leaks = world_.Leaks();
  Expect(leaks.empty(), leaks);
}

RunResult Run::Go() {
  MakeOrigins();
  Publish();
  client_loop_.Post([this] { MakeClients(); });
  world_.RunUntil([this] { return !clients_.empty(); }, seconds(1));
  Traffic();
  if (ending_ == Ending::kDrained) Drain();
  if (ending_ == Ending::kClosed) CloseAbruptly();
  AwaitEnds();
  if (ending_ != Ending::kClosed) AwaitQuiet();
  CloseAll();
  return {world_.trace_hash(), world_.trace_text(), judge_.violations(), judge_.tally};
}

}  // namespace

RunResult RunSeed(uint64_t seed, bool keep_trace) {
  return Run(seed, keep_trace).Go();
}

}  // namespace portico::simulation
