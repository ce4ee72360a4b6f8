#ifndef PORTICO_CONTROLPLANE_XDS_DISCOVERY_SERVICE_H_
#define PORTICO_CONTROLPLANE_XDS_DISCOVERY_SERVICE_H_

#include <cstddef>

#include "api/envoy/service/discovery/v3/ads.grpc.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/xds/feed_thread.h"

namespace portico::xds {

// envoy.service.discovery.v3.AggregatedDiscoveryService: what the proxies connect to. Outlives the server that it is
// registered with; End() comes before the server's Shutdown, so that no stream holds it up.
//
// A client with a certificate gets the gateway that this names; one without gets any, so a server without TLS is for
// loopback addresses.
class DiscoveryService final
    : public envoy::service::discovery::v3::AggregatedDiscoveryService::WithRawCallbackMethod_DeltaAggregatedResources<
          envoy::service::discovery::v3::AggregatedDiscoveryService::Service> {
 public:
  static constexpr size_t kStreamsMax = 10'000;        // a session and its buffers are 100 kB or less
  static constexpr size_t kRequestBytesMax = 4 << 20;  // what gRPC takes by default; the names of 50,000 resources

  struct Options {
    size_t streams_max = kStreamsMax;
    size_t request_bytes_max = kRequestBytesMax;
  };

  // Follows until End. `fleet` outlives the service.
  DiscoveryService(const Follow& follow, fleet::Fleet& fleet, Options options);

  // When it returns every stream is finished (UNAVAILABLE) and none is taken in any more. Again is nothing.
  void End() { feed_.End(); }

 private:
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  Reactor* DeltaAggregatedResources(grpc::CallbackServerContext* context) override;

  const Options options_;
  FeedThread feed_;
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_DISCOVERY_SERVICE_H_
