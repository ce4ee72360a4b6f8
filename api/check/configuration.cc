#include "api/check/configuration.h"

#include <set>
#include <utility>

#include "api/check/outgoing.h"

namespace portico::check {
namespace {

using portico::v1::Resource;

std::set<ResourceKey> ReferredBy(const ResourceKey& key, const Resource* resource) {
  if (resource == nullptr) return {};
  Outgoing outgoing = OutgoingOf(key, *resource);
  outgoing.needs.merge(outgoing.guards);
  return std::move(outgoing.needs);
}

}  // namespace

bool Configuration::Add(Resource resource) {
  if (resources_.contains(KeyOf(resource))) return false;
  Put(std::move(resource));
  return true;
}

void Configuration::Put(Resource resource) {
  Put(std::make_shared<const Resource>(std::move(resource)));
}

void Configuration::Put(SharedResource resource) {
  ResourceKey key = KeyOf(*resource);
  Refer(key, Find(key), resource.get());
  resources_.Put(std::move(key), std::move(resource));
}

bool Configuration::Remove(const ResourceKey& key) {
  const Resource* found = Find(key);
  if (found == nullptr) return false;
  Refer(key, found, nullptr);
  return resources_.Erase(key);
}

const Resource* Configuration::Find(const ResourceKey& key) const {
  const SharedResource* found = resources_.Find(key);
  return found == nullptr ? nullptr : found->get();
}

std::vector<ResourceKey> Configuration::Referrers(const ResourceKey& key, std::string_view kind) const {
  std::vector<ResourceKey> out;
  const std::pair first(key, ResourceKey{std::string(kind), "", ""});
  for (auto place = referrers_.lower_bound(first); place != referrers_.end(); ++place) {
    const auto& [referred, referrer] = place->first;
    if (referred != key || (!kind.empty() && referrer.kind != kind)) break;
    out.push_back(referrer);
  }
  return out;
}

void Configuration::Refer(const ResourceKey& key, const Resource* before, const Resource* after) {
  const std::set<ResourceKey> old = ReferredBy(key, before), now = ReferredBy(key, after);
  for (const ResourceKey& referred : old)
    if (!now.contains(referred)) referrers_.Erase(std::pair(referred, key));
  for (const ResourceKey& referred : now)
    if (!old.contains(referred)) referrers_.Put({referred, key}, {});
}

}  // namespace portico::check
