#ifndef PORTICO_API_CHECK_CONFIGURATION_H_
#define PORTICO_API_CHECK_CONFIGURATION_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/shared_map.h"
#include "api/check/resource_key.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// Nobody changes it any more.
using SharedResource = std::shared_ptr<const portico::v1::Resource>;

// All resources by key, and who refers to whom. A copy costs nearly nothing, and base::Compare of two versions'
// resources() finds what differs without looking at the rest.
class Configuration {
 public:
  using Map = base::SharedMap<ResourceKey, SharedResource>;

  // False: there is one with this key already, and it stays.
  bool Add(portico::v1::Resource resource);
  // New, or in the place of the one with this key.
  void Put(portico::v1::Resource resource);
  void Put(SharedResource resource);
  // False: there was none.
  bool Remove(const ResourceKey& key);
  // nullptr: there is none. It lives as long as any copy of the configuration that has it.
  const portico::v1::Resource* Find(const ResourceKey& key) const;
  const Map& resources() const { return resources_; }
  // visit(key, resource) for each of a kind, in a namespace if one is given, in order.
  template <typename Visit>
  void ForEach(std::string_view kind, const Visit& visit) const {
    ForEach(kind, "", visit);
  }
  template <typename Visit>
  void ForEach(std::string_view kind, std::string_view name_space, const Visit& visit) const;

  // Those whose OutgoingOf names `key`, whether it is there or not, in order; of one kind if one is given.
  std::vector<ResourceKey> Referrers(const ResourceKey& key, std::string_view kind = "") const;

 private:
  void Refer(const ResourceKey& key, const portico::v1::Resource* before, const portico::v1::Resource* after);

  Map resources_;
  base::SharedMap<std::pair<ResourceKey, ResourceKey>, std::monostate> referrers_;  // who is referred to, by whom
};

template <typename Visit>
void Configuration::ForEach(std::string_view kind, std::string_view name_space, const Visit& visit) const {
  const ResourceKey first{std::string(kind), std::string(name_space), ""};
  for (auto place = resources_.lower_bound(first); place != resources_.end(); ++place) {
    const ResourceKey& key = place->first;
    if (key.kind != kind || (!name_space.empty() && key.name_space != name_space)) return;
    visit(key, place->second);
  }
}

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_CONFIGURATION_H_
