#include "api/check/configuration.h"

#include <utility>

#include "api/base/text.h"

namespace portico::check {

using portico::v1::Metadata;
using portico::v1::Resource;

std::string ResourceKey::ToString() const {
  return name_space == kDefaultNamespace ? base::Concat(kind, " ", name)
                                         : base::Concat(kind, " ", name_space, "/", name);
}

const Metadata& MetadataOf(const Resource& resource) {
  switch (resource.kind_case()) {
    case Resource::kGateway:
      return resource.gateway().metadata();
    case Resource::kRoute:
      return resource.route().metadata();
    case Resource::kComposition:
      return resource.composition().metadata();
    case Resource::kCluster:
      return resource.cluster().metadata();
    case Resource::kAuthPolicy:
      return resource.auth_policy().metadata();
    case Resource::kConsumer:
      return resource.consumer().metadata();
    case Resource::kSecret:
      return resource.secret().metadata();
    case Resource::kReferenceGrant:
      return resource.reference_grant().metadata();
    case Resource::KIND_NOT_SET:
      break;
  }
  return Metadata::default_instance();
}

ResourceKey KeyOf(const Resource& resource) {
  const auto* kind = resource.GetReflection()->GetOneofFieldDescriptor(resource, Resource::descriptor()->oneof_decl(0));
  const Metadata& metadata = MetadataOf(resource);
  return {kind == nullptr ? "" : kind->message_type()->name(),
          metadata.namespace_().empty() ? std::string(kDefaultNamespace) : metadata.namespace_(), metadata.name()};
}

std::string ReferredNamespace(std::string_view name_space, const ResourceKey& owner) {
  return name_space.empty() ? owner.name_space : std::string(name_space);
}

bool Configuration::Add(Resource resource) {
  ResourceKey key = KeyOf(resource);
  return resources_.try_emplace(std::move(key), std::make_shared<const Resource>(std::move(resource))).second;
}

void Configuration::Put(Resource resource) {
  Put(std::make_shared<const Resource>(std::move(resource)));
}

void Configuration::Put(std::shared_ptr<const Resource> resource) {
  ResourceKey key = KeyOf(*resource);
  resources_.insert_or_assign(std::move(key), std::move(resource));
}

bool Configuration::Remove(const ResourceKey& key) {
  return resources_.erase(key) > 0;
}

const Resource* Configuration::Find(const ResourceKey& key) const {
  const auto found = resources_.find(key);
  return found == resources_.end() ? nullptr : found->second.get();
}

}  // namespace portico::check
