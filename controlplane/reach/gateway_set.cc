#include "controlplane/reach/gateway_set.h"

#include <utility>

#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/revision.pb.h"
#include "api/wire/names.h"
#include "controlplane/crypto/sealer.h"

namespace portico::reach {
namespace {

std::string HashOf(std::string_view type_url, std::string_view name, std::string_view version) {
  return openssl::Sha256(wire::DigestInput(type_url, name, version));
}

}  // namespace

const GatewaySet::Items& GatewaySet::OfType(std::string_view type_url) const {
  static const Items kNone;
  if (type_url == wire::kRevisionType) return mark_;
  const auto found = types_.find(type_url);
  return found == types_.end() ? kNone : found->second;
}

void GatewaySet::Put(const std::string& type_url, const std::string& name, Item item) {
  Remove(type_url, name);
  const std::string hash = HashOf(type_url, name, item.version);
  digest_.Add(hash);
  digests_[type_url].Add(hash);
  types_[type_url].insert_or_assign(name, std::move(item));
}

void GatewaySet::Remove(const std::string& type_url, const std::string& name) {
  const auto type = types_.find(type_url);
  if (type == types_.end()) return;
  const auto found = type->second.find(name);
  if (found == type->second.end()) return;
  const std::string hash = HashOf(type_url, name, found->second.version);
  digest_.Remove(hash);
  digests_[type_url].Remove(hash);
  type->second.erase(found);
}

void GatewaySet::Seal(const std::string& epoch, uint64_t revision) {
  revision_ = revision;
  portico::v1::Revision mark;
  mark.set_epoch(epoch);
  mark.set_number(revision);
  for (const auto& [type_url, items] : types_) {
    if (items.empty()) continue;
    portico::v1::TypeDigest& of_type = *mark.add_types();
    of_type.set_type_url(type_url);
    of_type.set_count(static_cast<uint32_t>(items.size()));
    of_type.set_digest(digests_[type_url].ToString());
  }
  const std::string name = wire::ResourceName(gateway_);
  mark_.insert_or_assign(name, MakeItem(wire::kRevisionType, name, digest(), mark.SerializeAsString()));
}

Item MakeItem(std::string_view type_url, std::string_view name, std::string version, const std::string& message) {
  envoy::service::discovery::v3::DeltaDiscoveryResponse response;
  envoy::service::discovery::v3::Resource& resource = *response.add_resources();
  resource.set_name(std::string(name));
  resource.set_version(version);
  resource.mutable_resource()->set_type_url(std::string(type_url));
  resource.mutable_resource()->set_value(message);
  return {std::move(version), std::make_shared<const std::string>(response.SerializeAsString())};
}

}  // namespace portico::reach
