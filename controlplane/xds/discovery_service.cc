#include "controlplane/xds/discovery_service.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>
#include <utility>

#include "controlplane/listen/peer_address.h"

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

// A message's fields may come in any order, so the one that every response has alike is made once and goes last.
std::string SignatureOf(const std::string& identifier) {
  envoy::service::discovery::v3::DeltaDiscoveryResponse part;
  if (!identifier.empty()) part.mutable_control_plane()->set_identifier(identifier);
  return part.SerializeAsString();
}

std::shared_ptr<const DiscoveryCall::Setting> SettingOf(const DiscoveryService::Options& options,
                                                        const std::shared_ptr<Mailbox>& mailbox) {
  return std::make_shared<const DiscoveryCall::Setting>(DiscoveryCall::Setting{
      .mailbox = mailbox,
      .counters = std::make_shared<Counters>(),
      .signature = std::make_shared<const std::string>(SignatureOf(options.identifier)),
      .request_bytes_max = options.request_bytes_max,
      .introduction_timeout_ms = options.introduction_timeout_ms,
      .farewell_timeout_ms = options.farewell_timeout_ms,
  });
}

}  // namespace

DiscoveryService::DiscoveryService(const Follow& follow, fleet::Fleet& fleet, Options options)
    : feed_(follow, fleet, options.streams_max, options.holder_streams_max),
      setting_(SettingOf(options, feed_.mailbox())) {
  using Method = grpc::internal::RpcServiceMethod;
  using Handler = grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
  AddMethod(new Method(kStateOfTheWorld, Method::BIDI_STREAMING, nullptr));
  MarkMethodRawCallback(1, new Handler([](grpc::CallbackServerContext*) { return new Unspoken; }));
}

DiscoveryService::Reactor* DiscoveryService::DeltaAggregatedResources(grpc::CallbackServerContext* context) {
  return DiscoveryCall::Make(setting_, *context, PeerOf(*context));
}

}  // namespace portico::xds
