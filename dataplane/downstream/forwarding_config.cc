#include "dataplane/downstream/forwarding_config.h"

#include <string>

#include "absl/status/statusor.h"

namespace portico::downstream {

ForwardingConfig BuildForwardingConfig(const v1::GatewaySpec& spec) {
  ForwardingConfig config;
  for (const std::string& text : spec.client_address().trusted_networks()) {
    if (absl::StatusOr<net::Network4Or6> network = net::Network4Or6::Parse(text); network.ok()) {
      config.trusted_networks.push_back(*network);
    }
  }
  if (spec.client_address().has_forwarded_hops()) config.forwarded_hops = spec.client_address().forwarded_hops();
  if (spec.forwarded_headers().has_append()) config.append_forwarded = spec.forwarded_headers().append();
  if (spec.via().has_append()) config.append_via = spec.via().append();
  if (spec.request_id().has_generate()) config.generate_request_id = spec.request_id().generate();
  if (spec.trace().has_generate()) config.begin_trace = spec.trace().generate();
  return config;
}

}  // namespace portico::downstream
