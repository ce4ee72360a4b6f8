#include "controlplane/xds/feed.h"

#include <utility>

#include "absl/status/statusor.h"
#include "api/wire/names.h"

namespace portico::xds {
namespace {

portico::v1::Proxy ProxyOf(const wire::Node& node, const Peer& peer, std::string identity) {
  portico::v1::Proxy proxy;
  proxy.set_node_id(node.node_id);
  proxy.set_gateway(wire::ResourceName(node.gateway));
  proxy.set_identity(std::move(identity));
  proxy.set_peer(peer.address);
  proxy.set_version(node.version);
  proxy.set_schema_level(node.schema_level);
  proxy.set_instance(node.instance);
  return proxy;
}

fleet::Report ReportOf(const Running& running) {
  return {running.revision, running.refusals, running.refused_revision, running.refused_reason};
}

}  // namespace

Feed::Feed(const model::Model& model, int64_t made, fleet::Fleet& fleet)
    : fleet_(fleet), epoch_(model.epoch), reaches_(model) {
  std::map<std::string, uint64_t> gateways;
  for (const auto& [key, resource] : model.configuration.resources()) {
    if (resource->has_gateway()) gateways[wire::ResourceName(key)] = model.revision;
  }
  fleet_.OnRevision(model.revision, made, gateways);
}

void Feed::Open(uint64_t id, std::shared_ptr<Outlet> outlet, Peer peer) {
  streams_[id] = {.outlet = std::move(outlet), .peer = std::move(peer)};
}

void Feed::OnRequest(uint64_t id, const Request& request) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream& stream = found->second;
  absl::Status status = stream.session == nullptr ? Introduce(id, stream, request) : absl::OkStatus();
  if (status.ok()) status = stream.session->OnRequest(request);
  if (!status.ok()) {
    const std::shared_ptr<Outlet> outlet = stream.outlet;
    Drop(id);
    return outlet->Finish(status);
  }
  // What runs is said with the mark.
  if (request.type_url() == wire::kRevisionType) fleet_.OnReport(stream.member, ReportOf(stream.session->running()));
  WriteNext(stream);
  stream.outlet->Read();
}

absl::Status Feed::Introduce(uint64_t id, Stream& stream, const Request& request) {
  const absl::StatusOr<wire::Node> node = wire::ToNode(request.node());
  if (!node.ok()) return node.status();
  absl::StatusOr<std::string> identity = Admit(stream.peer, node->gateway);
  if (!identity.ok()) return identity.status();
  stream.gateway = node->gateway;
  stream.session = std::make_unique<Session>(reaches_.Of(node->gateway));
  streams_of_[node->gateway].insert(id);
  portico::v1::Proxy proxy = ProxyOf(*node, stream.peer, *std::move(identity));
  proxy.set_epoch(epoch_);
  stream.member = fleet_.Join(std::move(proxy));
  return absl::OkStatus();
}

void Feed::WriteNext(Stream& stream) {
  if (stream.writing || stream.session == nullptr) return;
  std::optional<Session::Response> response = stream.session->Next();
  if (!response.has_value()) return;
  stream.writing = true;
  stream.ticks = 0;
  stream.outlet->Write(*std::move(response));
}

void Feed::OnWritten(uint64_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second.writing = false;
  WriteNext(found->second);
}

void Feed::OnClosed(uint64_t id) {
  if (streams_.count(id) > 0) Drop(id);
}

void Feed::Drop(uint64_t id) {
  const Stream stream = std::move(streams_.extract(id).mapped());
  if (stream.session == nullptr) return;
  fleet_.Leave(stream.member);
  const auto others = streams_of_.find(stream.gateway);
  others->second.erase(id);
  if (!others->second.empty()) return;
  streams_of_.erase(others);
  reaches_.Forget(stream.gateway);
}

void Feed::OnStep(const model::Model& after, const std::vector<model::ResourceChange>& changes) {
  const std::vector<reach::SetStep> steps = reaches_.Advance(after, changes);
  std::map<std::string, uint64_t> gateways;
  for (const reach::SetStep& step : steps) {
    gateways[wire::ResourceName(step.set->gateway())] = step.set->known() ? step.set->revision() : 0;
  }
  fleet_.OnRevision(after.revision, fleet_.Now(), gateways);
  for (const reach::SetStep& step : steps) {
    const auto streams = streams_of_.find(step.set->gateway());
    if (streams == streams_of_.end()) continue;
    for (const uint64_t id : streams->second) {
      Stream& stream = streams_.at(id);
      stream.session->OnStep(step);
      WriteNext(stream);
    }
  }
  for (const model::ResourceChange& change : changes) {
    if (change.key.kind == "Gateway" && streams_of_.count(change.key) == 0) reaches_.Forget(change.key);
  }
}

void Feed::Tick() {
  std::vector<uint64_t> stalled;
  for (auto& [id, stream] : streams_)
    if (stream.writing && ++stream.ticks >= kStalledTicks) stalled.push_back(id);
  for (const uint64_t id : stalled) {
    const std::shared_ptr<Outlet> outlet = streams_.at(id).outlet;
    Drop(id);
    outlet->Finish(absl::DeadlineExceededError("a response was not read in time"));
  }
}

void Feed::End() {
  std::map<uint64_t, Stream> streams = std::exchange(streams_, {});
  streams_of_.clear();
  for (auto& [id, stream] : streams) {
    if (stream.session != nullptr) fleet_.Leave(stream.member);
    stream.outlet->Finish(absl::UnavailableError("this control plane ends; another, or its next start, goes on"));
  }
}

}  // namespace portico::xds
