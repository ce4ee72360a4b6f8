#ifndef PORTICO_API_WIRE_NODE_H_
#define PORTICO_API_WIRE_NODE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/envoy/config/core/v3/base.pb.h"

namespace portico::wire {

// The level of the resources' schema that this build knows: one more with each release that adds a field, a kind or a
// value of an enum, each of which is marked with it (options.proto). A proxy refuses what it does not know; the level
// lets the control plane say so before.
inline constexpr uint32_t kSchemaLevel = 2;

// What a proxy says of itself in the first request of its stream, as envoy.config.core.v3.Node.
struct Node {
  static constexpr size_t kTextBytesMax = 253;  // of each text

  std::string node_id;         // `id`: --node_id
  check::ResourceKey gateway;  // `cluster`, "NAMESPACE/NAME": whose configuration it asks for
  std::string version;         // `user_agent_version`, "0.1.0"; `user_agent_name` is "portico-proxy"
  std::string instance;        // `metadata.instance`: random, made when the process starts
  uint32_t schema_level = 0;   // `metadata.schemaLevel`
};

envoy::config::core::v3::Node ToMessage(const Node& node);

// kInvalidArgument: which field is wrong and what it should be. Only `id` and `cluster` are required: other clients of
// the protocol say less of themselves. What it has more is ignored.
absl::StatusOr<Node> ToNode(const envoy::config::core::v3::Node& message);

}  // namespace portico::wire

#endif  // PORTICO_API_WIRE_NODE_H_
