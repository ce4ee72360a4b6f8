#include "dataplane/filters/auth/consumers_config.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/base/hex.h"
#include "api/base/text.h"
#include "dataplane/base/timestamp_config.h"

namespace portico::auth {
namespace {

using check::ResourceKey;

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

std::optional<Consumer::Key> DecodeKey(const v1::ApiKeyCredential& message) {
  Consumer::Key out;
  const std::string& digits = message.sha256();
  if (digits.size() != 2 * out.digest.size()) return std::nullopt;
  for (size_t i = 0; i < out.digest.size(); ++i) {
    const int high = base::HexDigit(digits[2 * i]), low = base::HexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.digest[i] = static_cast<uint8_t>(high * 16 + low);
  }
  if (message.has_expires()) out.end = base::DecodeTimestamp(message.expires());
  return out;
}

absl::Status AddConsumer(const ResourceKey& key, bool foreign, const check::Configuration& configuration,
                         std::vector<Consumer>& consumers) {
  const v1::Resource* resource = configuration.Find(key);
  if (resource == nullptr || !resource->has_consumer()) return Fault(key.ToString(), " is missing");
  const v1::ConsumerSpec& spec = resource->consumer().spec();
  Consumer out;
  out.name = {key.name_space, key.name};
  out.foreign = foreign;
  if (!foreign) out.groups = {spec.groups().begin(), spec.groups().end()};
  for (const v1::Credential& credential : spec.credentials()) {
    if (credential.has_jwt() == credential.has_api_key()) {
      return Fault(key.ToString(), " has a credential that is not supported");
    }
    if (credential.has_api_key()) {
      const std::optional<Consumer::Key> decoded = DecodeKey(credential.api_key());
      if (!decoded) return Fault(key.ToString(), " has a key without a digest");
      out.keys.push_back(*decoded);
      continue;
    }
    if (credential.jwt().claims().empty()) return Fault(key.ToString(), " has a credential without claims");
    const v1::JwtCredential& jwt = credential.jwt();
    out.credentials.push_back({jwt.issuer(), {jwt.claims().begin(), jwt.claims().end()}});
  }
  consumers.push_back(std::move(out));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Consumers> BuildConsumers(const std::string& name_space, const Authorization* authorization,
                                         const check::Configuration& configuration, const resolve::Reach& reach) {
  std::set<ResourceKey> foreign;
  for (const AuthorizationRule& rule : authorization ? authorization->rules : std::vector<AuthorizationRule>()) {
    for (const filter::ConsumerName& name : rule.principal.consumers) {
      if (name.name_space != name_space) foreign.insert({"Consumer", name.name_space, name.name});
    }
  }
  std::vector<Consumer> consumers;
  for (const auto& [key, reached] : reach) {
    if (key.kind != "Consumer" || key.name_space != name_space) continue;
    if (absl::Status status = AddConsumer(key, /*foreign=*/false, configuration, consumers); !status.ok())
      return status;
  }
  for (const ResourceKey& key : foreign) {
    if (!reach.contains(key)) continue;  // a name that nobody has: the rule agrees with nobody by it
    if (absl::Status status = AddConsumer(key, /*foreign=*/true, configuration, consumers); !status.ok()) return status;
  }
  return Consumers(std::move(consumers));
}

}  // namespace portico::auth
