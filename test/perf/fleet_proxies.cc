// Many proxies that serve nobody: each asks a control plane for its gateway's configuration as a real one does, on a
// connection of its own, and acknowledges what comes. `fleet` runs it.
//
//   fleet_proxies --discovery_address=127.0.0.1:9901 --proxies=500 [--gateway=default/default]
//
// Prints `first REVISION NANOSECONDS` when the first of them has a revision and `all REVISION NANOSECONDS` when the
// last has it or a later one; the time is the monotonic clock's. Ends with its standard input; exit 1 if a stream ended
// before.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "api/base/arguments.h"
#include "api/base/text.h"
#include "api/envoy/service/discovery/v3/ads.grpc.pb.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/revision.pb.h"
#include "api/wire/names.h"
#include "api/wire/node.h"

namespace portico {
namespace {

using envoy::service::discovery::v3::AggregatedDiscoveryService;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

// Who has which revision. Any thread.
class Tally {
 public:
  explicit Tally(size_t proxies) { at_[0] = proxies; }

  void Move(uint64_t from, uint64_t to) {
    const std::lock_guard lock(mutex_);
    if (to <= from) return;
    const uint64_t lowest = at_.begin()->first, highest = at_.rbegin()->first;
    if (--at_[from] == 0) at_.erase(from);
    ++at_[to];
    if (to > highest) Tell("first", to);
    if (at_.begin()->first > lowest) Tell("all", at_.begin()->first);
  }

 private:
  static void Tell(const char* what, uint64_t revision) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    std::printf("%s %llu %lld\n", what, static_cast<unsigned long long>(revision), static_cast<long long>(nanoseconds));
    std::fflush(stdout);
  }

  std::mutex mutex_;
  std::map<uint64_t, size_t> at_;  // revision -> how many have it
};

class SimulatedProxy final : public grpc::ClientBidiReactor<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
 public:
  SimulatedProxy(const std::string& address, const wire::Node& node, Tally& tally) : tally_(tally) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else all would share one connection
    stub_ = AggregatedDiscoveryService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    for (const std::string& type : wire::ResourceTypes())
      requests_.push(Subscription(type));
    requests_.push(Subscription(std::string(wire::kRevisionType)));
    *requests_.front().mutable_node() = wire::ToMessage(node);
  }

  void Start() {
    context_.set_wait_for_ready(true);
    stub_->async()->DeltaAggregatedResources(&context_, this);
    StartRead(&response_);
    StartWrite(&requests_.front());
    StartCall();
  }

  // Ends the stream. OK unless it had ended before.
  grpc::Status Finish() {
    context_.TryCancel();
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return over_; });
    return status_.error_code() == grpc::StatusCode::CANCELLED ? grpc::Status::OK : status_;
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.type_url() == wire::kRevisionType && response_.resources_size() > 0) TakeMark();
    DeltaDiscoveryRequest answer;
    answer.set_type_url(response_.type_url());
    answer.set_response_nonce(response_.nonce());
    Send(std::move(answer));
    StartRead(&response_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    requests_.pop();
    if (ok && !requests_.empty()) StartWrite(&requests_.front());
  }

  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    over_ = true;
    ended_.notify_all();
  }

 private:
  static DeltaDiscoveryRequest Subscription(const std::string& type) {
    DeltaDiscoveryRequest request;
    request.set_type_url(type);
    request.add_resource_names_subscribe("*");
    return request;
  }

  void TakeMark() {
    v1::Revision revision;
    if (!response_.resources(0).resource().UnpackTo(&revision)) return;
    tally_.Move(revision_, revision.number());
    revision_ = revision.number();
  }

  void Send(DeltaDiscoveryRequest request) {
    const std::lock_guard lock(mutex_);
    requests_.push(std::move(request));
    if (requests_.size() == 1) StartWrite(&requests_.front());
  }

  Tally& tally_;
  std::unique_ptr<AggregatedDiscoveryService::Stub> stub_;
  grpc::ClientContext context_;
  DeltaDiscoveryResponse response_;
  uint64_t revision_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::queue<DeltaDiscoveryRequest> requests_;  // the first is being written
  grpc::Status status_;
  bool over_ = false;
};

int Run(const base::Arguments& arguments) {
  const std::optional<uint64_t> proxies = base::ParseDecimal(arguments.Get("proxies"));
  const std::string gateway = arguments.Get("gateway", "default/default");
  const auto key = wire::KeyOf(wire::TypeUrl("Gateway"), gateway);
  if (!proxies || *proxies == 0 || !key) {
    std::cerr << "fleet_proxies: --proxies must be a number, --gateway NAMESPACE/NAME\n";
    return 2;
  }
  Tally tally(*proxies);
  std::vector<std::unique_ptr<SimulatedProxy>> fleet;
  for (uint64_t number = 0; number < *proxies; ++number) {
    const wire::Node node{.node_id = base::Concat("simulated-", number),
                          .gateway = *key,
                          .version = "0.1.0",
                          .instance = base::Concat("i", number),
                          .schema_level = wire::kSchemaLevel};
    fleet.push_back(std::make_unique<SimulatedProxy>(arguments.Get("discovery_address"), node, tally));
    fleet.back()->Start();
  }
  while (std::cin.get() != EOF) {
  }
  int failed = 0;
  for (const auto& proxy : fleet) {
    const grpc::Status status = proxy->Finish();
    if (!status.ok() && ++failed == 1) std::cerr << "fleet_proxies: a stream ended: " << status.error_message() << "\n";
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace portico

int main(int argc, char** argv) {
  const auto arguments = portico::base::ParseArguments(
      std::vector<std::string>(argv + 1, argv + argc),
      {{.name = "discovery_address", .required = true}, {.name = "proxies", .required = true}, {.name = "gateway"}});
  if (!arguments.ok()) {
    std::cerr << "fleet_proxies: " << arguments.status().message() << "\n";
    return 2;
  }
  return portico::Run(*arguments);
}
