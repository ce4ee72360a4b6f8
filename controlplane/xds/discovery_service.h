#ifndef PORTICO_CONTROLPLANE_XDS_DISCOVERY_SERVICE_H_
#define PORTICO_CONTROLPLANE_XDS_DISCOVERY_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "api/envoy/service/discovery/v3/ads.grpc.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/xds/counters.h"
#include "controlplane/xds/discovery_call.h"
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
  static constexpr size_t kHolderStreamsMax = 5'000;   // half: one that has gone mad, or a load balancer's fleet
  static constexpr size_t kRequestBytesMax = 4 << 20;  // what gRPC takes by default; the names of 50,000 resources
  static constexpr int64_t kIntroductionTimeoutMs = 10'000;  // a proxy says who it is as soon as it is connected
  static constexpr int64_t kFarewellTimeoutMs = 5'000;       // for a finished client to read the rest, and why

  struct Options {
    // What each response's control_plane.identifier says: which process it is of, for people only.
    std::string identifier = {};
    size_t streams_max = kStreamsMax;
    size_t holder_streams_max = kHolderStreamsMax;  // of one address and certificate
    size_t request_bytes_max = kRequestBytesMax;
    int64_t introduction_timeout_ms = kIntroductionTimeoutMs;
    int64_t farewell_timeout_ms = kFarewellTimeoutMs;
  };

  // Follows until End. `fleet` outlives the service.
  DiscoveryService(const Follow& follow, fleet::Fleet& fleet, Options options);

  // When it returns every stream is finished (UNAVAILABLE) and none is taken in any more. Again is nothing.
  void End() { feed_.End(); }

  Counts counts() const { return setting_->counters->Read(); }

 private:
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  Reactor* DeltaAggregatedResources(grpc::CallbackServerContext* context) override;

  FeedThread feed_;
  const std::shared_ptr<const DiscoveryCall::Setting> setting_;
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_DISCOVERY_SERVICE_H_
