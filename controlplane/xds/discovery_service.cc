#include "controlplane/xds/discovery_service.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>
#include <utility>

#include "controlplane/listen/peer_address.h"
#include "controlplane/xds/discovery_call.h"

namespace portico::xds {
namespace {

constexpr char kStateOfTheWorld[] = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

// Says to a client of the other half of the protocol what to ask for instead.
class Unspoken final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Unspoken() {
    Finish({grpc::StatusCode::UNIMPLEMENTED, "state of the world is not spoken here; use DeltaAggregatedResources"});
  }

 private:
  void OnDone() override { delete this; }
};

Peer PeerOf(const grpc::CallbackServerContext& context) {
  Peer peer{listen::PeerAddress(context.peer())};
  const std::shared_ptr<const grpc::AuthContext> identity = context.auth_context();
  peer.authenticated = identity != nullptr && identity->IsPeerAuthenticated();
  if (!peer.authenticated) return peer;
  for (const grpc::string_ref& uri : identity->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME))
    peer.uris.emplace_back(uri.data(), uri.size());
  return peer;
}

}  // namespace

DiscoveryService::DiscoveryService(const Follow& follow, fleet::Fleet& fleet, Options options)
    : options_(options), feed_(follow, fleet, options.streams_max) {
  using Method = grpc::internal::RpcServiceMethod;
  using Handler = grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
  AddMethod(new Method(kStateOfTheWorld, Method::BIDI_STREAMING, nullptr));
  MarkMethodRawCallback(1, new Handler([](grpc::CallbackServerContext*) { return new Unspoken; }));
}

DiscoveryService::Reactor* DiscoveryService::DeltaAggregatedResources(grpc::CallbackServerContext* context) {
  return DiscoveryCall::Make(feed_.mailbox(), PeerOf(*context), options_.request_bytes_max);
}

}  // namespace portico::xds
