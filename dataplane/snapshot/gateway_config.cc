#include "dataplane/snapshot/gateway_config.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/duration_config.h"

namespace portico::snapshot {
namespace {

using base::Concat;
using std::chrono::hours;

class Reader {
 public:
  absl::StatusOr<GatewayConfig> Read(const v1::GatewaySpec& spec, const std::optional<net::Address>& bind_address) {
    ReadLimits(spec.limits());
    ReadTimeouts(spec.timeouts());
    ReadForwarding(spec);
    ReadAddresses(spec, bind_address);
    ReadAccessLog(spec.access_log());
    if (!status_.ok()) return status_;
    return std::move(out_);
  }

 private:
  void Refuse(std::string_view path, std::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(base::ToAbsl(Concat("spec.", path, ": ", message)));
  }

  uint64_t Number(std::string_view path, uint64_t value, uint64_t least, uint64_t most) {
    if (value < least || value > most) Refuse(path, Concat("must be ", least, " to ", most));
    return value;
  }

  base::Duration Timeout(std::string_view path, const google::protobuf::Duration& message, int hours_max) {
    const base::Duration value = base::DecodeDuration(message);
    if (value < std::chrono::milliseconds(1) || value > hours(hours_max)) {
      Refuse(path, Concat("must be 1ms to ", hours_max, "h"));
    }
    return value;
  }

  void ReadLimits(const v1::GatewayLimits& limits) {
    ClientConfig& client = out_.client;
    if (limits.has_request_head_bytes_max()) {
      client.limits.head_bytes_max =
          Number("limits.requestHeadBytesMax", limits.request_head_bytes_max(), 1024, 1'048'576);
    }
    if (limits.has_request_fields_max()) {
      client.limits.field_count_max = Number("limits.requestFieldsMax", limits.request_fields_max(), 1, 10'000);
    }
    if (limits.has_request_target_bytes_max()) {
      client.limits.target_bytes_max =
          Number("limits.requestTargetBytesMax", limits.request_target_bytes_max(), 64, 65'536);
    }
    if (limits.has_request_content_bytes_max()) client.request_content_bytes_max = limits.request_content_bytes_max();
    if (limits.has_concurrent_streams_max()) {
      client.limits.streams_max =
          static_cast<uint32_t>(Number("limits.concurrentStreamsMax", limits.concurrent_streams_max(), 1, 10'000));
    }
    if (limits.has_cache_bytes_max()) {
      out_.cache_bytes_max = Number("limits.cacheBytesMax", limits.cache_bytes_max(), 1 << 20, uint64_t{1} << 40);
    }
    if (limits.has_connections_max()) {
      client.connections_max = Number("limits.connectionsMax", limits.connections_max(), 1, 10'000'000);
    }
    if (limits.has_request_content_bytes_per_second_min()) {
      client.limits.upload_bytes_per_second_min = static_cast<uint32_t>(Number(
          "limits.requestContentBytesPerSecondMin", limits.request_content_bytes_per_second_min(), 0, 1'048'576));
    }
  }

  void ReadTimeouts(const v1::GatewayTimeouts& timeouts) {
    ClientConfig& client = out_.client;
    if (timeouts.has_request_head()) {
      client.request_head_timeout = Timeout("timeouts.requestHead", timeouts.request_head(), 1);
    }
    if (timeouts.has_response_head()) {
      out_.response_head_timeout = Timeout("timeouts.responseHead", timeouts.response_head(), 24);
    }
    if (timeouts.has_stream_idle()) {
      client.stream_idle_timeout = Timeout("timeouts.streamIdle", timeouts.stream_idle(), 24);
    }
    if (timeouts.has_connection_idle()) {
      client.connection_idle_timeout = Timeout("timeouts.connectionIdle", timeouts.connection_idle(), 24);
    }
    if (timeouts.has_stream_duration_max()) {
      client.stream_duration_max = Timeout("timeouts.streamDurationMax", timeouts.stream_duration_max(), 24);
    }
  }

  void ReadForwarding(const v1::GatewaySpec& spec) {
    const v1::ClientAddress& message = spec.client_address();
    for (int i = 0; i < message.trusted_networks_size(); ++i) {
      if (!net::Network4Or6::Parse(message.trusted_networks(i)).ok()) {
        Refuse(Concat("clientAddress.trustedNetworks[", i, "]"),
               "must be an address or a network whose bits behind the prefix are 0, as 10.0.0.0/8");
      }
    }
    if (message.has_forwarded_hops()) Number("clientAddress.forwardedHops", message.forwarded_hops(), 1, 16);
    out_.client.forwarding = downstream::BuildForwardingConfig(spec);
  }

  void ReadAddresses(const v1::GatewaySpec& spec, const std::optional<net::Address>& bind_address) {
    for (int i = 0; i < spec.addresses_size(); ++i) {
      absl::StatusOr<net::Address> address = net::Address::Parse(spec.addresses(i).value(), 0);
      if (!address.ok()) {
        Refuse(Concat("addresses[", i, "].value"), "must be an IPv4 or IPv6 address");
      } else if (std::find(out_.addresses.begin(), out_.addresses.end(), *address) == out_.addresses.end()) {
        out_.addresses.push_back(*address);  // one that is named twice can't be bound twice
      }
    }
    if (spec.addresses().empty() && bind_address) out_.addresses.push_back(bind_address->WithPort(0));
  }

  void ReadAccessLog(const v1::AccessLog& message) {
    if (message.disabled()) out_.access_log.kind = AccessLogTarget::Kind::kNone;
    if (!message.has_file()) return;
    if (!message.file().starts_with('/')) Refuse("accessLog.file", "must be an absolute path");
    out_.access_log = {AccessLogTarget::Kind::kFile, message.file()};
  }

  GatewayConfig out_;
  absl::Status status_;  // of the first value that is refused
};

}  // namespace

absl::StatusOr<GatewayConfig> BuildGatewayConfig(const v1::GatewaySpec& spec,
                                                 const std::optional<net::Address>& bind_address) {
  return Reader().Read(spec, bind_address);
}

}  // namespace portico::snapshot
