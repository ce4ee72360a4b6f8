#include "api/wire/node.h"

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/wire/names.h"

namespace portico::wire {
namespace {

constexpr char kInstance[] = "instance";
constexpr char kLevel[] = "schemaLevel";
constexpr double kLevelMax = 1'000'000;

absl::Status CheckText(std::string_view field, std::string_view text) {
  bool printable = true;
  for (const char c : text)
    printable = printable && c > ' ' && c <= '~';
  if (printable && text.size() <= Node::kTextBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(base::Concat("node.", field, ": at most ", std::to_string(Node::kTextBytesMax),
                                                 " printable characters of ASCII, and no spaces"));
}

}  // namespace

envoy::config::core::v3::Node ToMessage(const Node& node) {
  envoy::config::core::v3::Node message;
  message.set_id(node.node_id);
  message.set_cluster(ResourceName(node.gateway));
  message.set_user_agent_name("portico-proxy");
  message.set_user_agent_version(node.version);
  auto& fields = *message.mutable_metadata()->mutable_fields();
  fields[kInstance].set_string_value(node.instance);
  fields[kLevel].set_number_value(node.schema_level);
  return message;
}

absl::StatusOr<Node> ToNode(const envoy::config::core::v3::Node& message) {
  if (message.id().empty()) return absl::InvalidArgumentError("node.id: missing; it is the name of the proxy");
  const std::optional<check::ResourceKey> gateway = KeyOf(TypeUrl("Gateway"), message.cluster());
  if (!gateway) {
    return absl::InvalidArgumentError("node.cluster: must name the gateway that is served, as NAMESPACE/NAME");
  }
  Node node{.node_id = message.id(), .gateway = *gateway, .version = message.user_agent_version(), .instance = {}};
  const auto& fields = message.metadata().fields();
  if (const auto found = fields.find(kInstance); found != fields.end()) node.instance = found->second.string_value();
  if (const auto found = fields.find(kLevel); found != fields.end()) {
    const double level = found->second.number_value();
    if (!(level >= 0 && level <= kLevelMax)) {
      return absl::InvalidArgumentError("node.metadata.schemaLevel: must be a number from 0 to 1000000");
    }
    node.schema_level = static_cast<uint32_t>(level);
  }
  for (const auto& [field, text] : {std::pair<std::string_view, std::string_view>{"id", node.node_id},
                                    {"cluster", message.cluster()},
                                    {"user_agent_version", node.version},
                                    {"metadata.instance", node.instance}}) {
    if (const absl::Status status = CheckText(field, text); !status.ok()) return status;
  }
  return node;
}

}  // namespace portico::wire
