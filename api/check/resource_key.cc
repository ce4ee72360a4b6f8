#include "api/check/resource_key.h"

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
    case Resource::kRateLimitPolicy:
      return resource.rate_limit_policy().metadata();
    case Resource::kCachePolicy:
      return resource.cache_policy().metadata();
    case Resource::kCachePurge:
      return resource.cache_purge().metadata();
    case Resource::kEndpoints:
      return resource.endpoints().metadata();
    case Resource::kRole:
      return resource.role().metadata();
    case Resource::kToken:
      return resource.token().metadata();
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

}  // namespace portico::check
