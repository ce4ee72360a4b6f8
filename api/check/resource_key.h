#ifndef PORTICO_API_CHECK_RESOURCE_KEY_H_
#define PORTICO_API_CHECK_RESOURCE_KEY_H_

#include <compare>
#include <string>
#include <string_view>

#include "api/portico/v1/resource.pb.h"

namespace portico::check {

inline constexpr std::string_view kDefaultNamespace = "default";

// Who a resource is. Its order is the order of every walk over a configuration.
struct ResourceKey {
  std::string kind;  // "Route"
  std::string name_space;
  std::string name;
  auto operator<=>(const ResourceKey&) const = default;
  // "Route shop" in the default namespace, "Route other/shop" elsewhere.
  std::string ToString() const;
};

// The kind is the name of the message, the namespace is never empty. A resource without a kind has an empty one.
ResourceKey KeyOf(const portico::v1::Resource& resource);
const portico::v1::Metadata& MetadataOf(const portico::v1::Resource& resource);
// The namespace that a reference from `owner` means: its own field or the owner's.
std::string ReferredNamespace(std::string_view name_space, const ResourceKey& owner);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_KEY_H_
