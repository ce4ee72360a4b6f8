#include "dataplane/downstream/forwarding_config.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace portico::downstream {

namespace {

template <typename Texts>
std::vector<net::Network4Or6> NetworksOf(const Texts& texts) {
  std::vector<net::Network4Or6> networks;
  for (const std::string& text : texts) {
    absl::StatusOr<net::Network4Or6> network = net::Network4Or6::Parse(text);
    if (network.ok()) networks.push_back(*network);
  }
  return networks;
}

}  // namespace

ForwardingConfig BuildForwardingConfig(const v1::GatewaySpec& spec) {
  ForwardingConfig config;
  config.trusted_networks = NetworksOf(spec.client_address().trusted_networks());
  config.timing_networks = NetworksOf(spec.server_timing().networks());
  if (spec.client_address().has_forwarded_hops()) config.forwarded_hops = spec.client_address().forwarded_hops();
  if (spec.forwarded_headers().has_append()) config.append_forwarded = spec.forwarded_headers().append();
  if (spec.via().has_append()) config.append_via = spec.via().append();
  if (spec.request_id().has_generate()) config.generate_request_id = spec.request_id().generate();
  if (spec.trace().has_generate()) config.begin_trace = spec.trace().generate();
  return config;
}

}  // namespace portico::downstream
