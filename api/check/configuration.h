#ifndef PORTICO_API_CHECK_CONFIGURATION_H_
#define PORTICO_API_CHECK_CONFIGURATION_H_

#include <compare>
#include <map>
#include <memory>
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

// All resources by key. A copy shares the messages, which nobody changes any more.
class Configuration {
 public:
  using Map = std::map<ResourceKey, std::shared_ptr<const portico::v1::Resource>>;

  // False: there is one with this key already, and it stays.
  bool Add(portico::v1::Resource resource);
  // New, or in the place of the one with this key.
  void Put(portico::v1::Resource resource);
  void Put(std::shared_ptr<const portico::v1::Resource> resource);
  // False: there was none.
  bool Remove(const ResourceKey& key);
  // nullptr: there is none. It lives as long as any copy of the configuration.
  const portico::v1::Resource* Find(const ResourceKey& key) const;
  const Map& resources() const { return resources_; }

 private:
  Map resources_;
};

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_CONFIGURATION_H_
