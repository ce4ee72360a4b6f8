#include "controlplane/reach/reaches.h"

#include "api/base/check.h"
#include "api/base/shared_map.h"
#include "api/wire/names.h"
#include "controlplane/model/encoding.h"

namespace portico::reach {
namespace {

using check::ResourceKey;
using portico::v1::Resource;

}  // namespace

Reaches::Reaches(const model::Model& model) : epoch_(model.epoch), revision_(model.revision) {
  for (const auto& [key, gateway] : model.gateways) {
    SetStep step;
    auto& set = sets_[key];
    set = std::make_unique<GatewaySet>(key);
    Bring(model, {}, *set, step);
  }
}

std::vector<SetStep> Reaches::Advance(const model::Model& after, const std::vector<model::ResourceChange>& changes) {
  revision_ = after.revision;
  for (const model::ResourceChange& change : changes) {
    items_.erase(change.key);
    if (change.key.kind == "Gateway") Of(change.key);
  }
  std::vector<SetStep> steps;
  for (auto& [key, set] : sets_) {
    SetStep step{set.get(), {}};
    Bring(after, changes, *set, step);
    if (!step.changed.empty()) steps.push_back(std::move(step));
  }
  return steps;
}

const GatewaySet& Reaches::Of(const ResourceKey& gateway) {
  auto& set = sets_[gateway];
  if (set == nullptr) set = std::make_unique<GatewaySet>(gateway);
  return *set;
}

void Reaches::Forget(const ResourceKey& gateway) {
  const auto set = sets_.find(gateway);
  if (set == sets_.end() || set->second->known()) return;
  sets_.erase(set);
  reach_.erase(gateway);
}

void Reaches::Bring(const model::Model& model, const std::vector<model::ResourceChange>& changes, GatewaySet& set,
                    SetStep& step) {
  const auto found = model.gateways.find(set.gateway());
  set.set_known(found != model.gateways.end());
  const resolve::Reach now = set.known() ? found->second->reach : resolve::Reach();
  const auto bring = [&](const ResourceKey& key) {
    const std::string type_url = wire::TypeUrl(key.kind), name = wire::ResourceName(key);
    const Item& item = ItemOf(model, key);
    const auto held = set.OfType(type_url).find(name);
    if (held != set.OfType(type_url).end() && held->second.version == item.version) return;
    set.Put(type_url, name, item);
    step.changed.emplace_back(type_url, name);
  };
  resolve::Reach& held = reach_[set.gateway()];
  base::Compare(held, now, [&](const ResourceKey& key, const auto* was, const auto* is) {
    if (was == nullptr) return bring(key);
    if (is != nullptr) return;
    set.Remove(wire::TypeUrl(key.kind), wire::ResourceName(key));
    step.changed.emplace_back(wire::TypeUrl(key.kind), wire::ResourceName(key));
  });
  for (const model::ResourceChange& change : changes)
    if (now.contains(change.key)) bring(change.key);
  held = now;
  if (set.known() && (!step.changed.empty() || set.mark().empty())) set.Seal(epoch_, revision_);
}

const Item& Reaches::ItemOf(const model::Model& model, const ResourceKey& key) {
  const auto found = items_.find(key);
  if (found != items_.end()) return found->second;
  const Resource* resource = model.configuration.Find(key);
  PORTICO_CHECK(resource != nullptr, "what is reached is there");
  return items_[key] = MakeItem(wire::TypeUrl(key.kind), wire::ResourceName(key), model::VersionOf(model, *resource),
                                model::EncodeMessage(*resource));
}

}  // namespace portico::reach
