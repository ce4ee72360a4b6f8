#include "dataplane/source/settle.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/check/outgoing.h"
#include "api/check/targets.h"

namespace portico::source {
namespace {

using check::ResourceKey;
using Keys = std::set<ResourceKey>;

class Settler {
 public:
  Settler(const Versions& last, const Versions& next, const Keys& refused)
      : last_(last), next_(next), refused_(refused) {
    if (refused.empty()) return;
    FindChanges();
    for (const ResourceKey& key : changed_)
      Link(key);
    for (const ResourceKey& key : refused)
      if (check::IsPolicyKind(key.kind) && !next.contains(key)) LinkUnreadable(key);
    for (const ResourceKey& key : refused)
      Hold(key);
    while (!open_.empty()) {
      const ResourceKey key = open_.back();
      open_.pop_back();
      for (const ResourceKey& other : together_[key])
        Hold(other);
      if (check::IsPolicyKind(key.kind) && held_kinds_.insert(key.kind).second) HoldChanged(key.kind);
      if (key.kind == "ReferenceGrant") OnHeldGrant(key);
    }
  }

  Settled Take() {
    out_.effective = next_;
    for (const ResourceKey& key : held_)
      out_.effective.Erase(key);
    for (const ResourceKey& key : held_)
      Keep(key);
    for (const ResourceKey& key : held_)
      if (!refused_.contains(key)) out_.held.insert(key);
    return std::move(out_);
  }

 private:
  void FindChanges() {
    changed_ = refused_;
    base::Compare(last_, next_, [this](const ResourceKey& key, const Version* before, const Version* after) {
      const bool same = before != nullptr && after != nullptr && before->version == after->version;
      if (!same) changed_.insert(key);
    });
  }

  // What the change of `key` leans on, in its old version and in its new one.
  void Link(const ResourceKey& key) {
    for (const Versions* versions : {&last_, &next_}) {
      const Version* version = versions->Find(key);
      if (version == nullptr) continue;
      const check::Outgoing out = check::OutgoingOf(key, *version->resource);
      for (const ResourceKey& other : out.needs)
        Needs(key, other);
      for (const ResourceKey& other : out.guards)
        Guards(key, other);
      LinkGrants(key, out);
      const bool by_default = version->resource->has_route() && version->resource->route().spec().parent_refs().empty();
      if (by_default) {
        ForAll("Gateway", [&](const ResourceKey& gateway) { Needs(key, gateway); });
      }
      // Whoever is not known any more, or not of that group, is not denied any more.
      if (version->resource->has_auth_policy()) {
        ForAll("Consumer", [&](const ResourceKey& consumer) { Join(key, consumer); });
      }
    }
  }

  // A policy without its grant is bound to nothing.
  void LinkGrants(const ResourceKey& key, const check::Outgoing& out) {
    std::set<std::string> abroad;
    for (const Keys* others : {&out.needs, &out.guards})
      for (const ResourceKey& other : *others)
        if (other.name_space != key.name_space) abroad.insert(other.name_space);
    if (abroad.empty()) return;
    ForAll("ReferenceGrant", [&](const ResourceKey& grant) {
      if (abroad.contains(grant.name_space)) Join(key, grant);
    });
  }

  void Needs(const ResourceKey& key, const ResourceKey& other) {
    together_[other].insert(key);
    if (key.kind == "Route" && other.kind == "Gateway") routes_[other].insert(key);
  }

  void Join(const ResourceKey& a, const ResourceKey& b) {
    together_[a].insert(b);
    together_[b].insert(a);
  }

  // Whom it guards nobody can say: it may be anybody that it may name.
  void LinkUnreadable(const ResourceKey& policy) {
    std::set<std::string> name_spaces = {policy.name_space};
    ForAll("ReferenceGrant", [&](const ResourceKey& grant) { name_spaces.insert(grant.name_space); });
    for (const ResourceKey& key : changed_) {
      const bool is_target = key.kind == "Route" || key.kind == "Gateway";
      if (is_target && name_spaces.contains(key.name_space)) together_[policy].insert(key);
    }
  }

  // Of last, next and refused.
  template <typename Body>
  void ForAll(std::string_view kind, const Body& body) {
    for (const Versions* versions : {&last_, &next_}) {
      const auto first = versions->lower_bound(ResourceKey{std::string(kind), "", ""});
      for (auto other = first; other != versions->end() && other->first.kind == kind; ++other)
        body(other->first);
    }
    for (const ResourceKey& key : refused_)
      if (key.kind == kind) body(key);
  }

  void Guards(const ResourceKey& policy, const ResourceKey& target) {
    Join(policy, target);
    if (target.kind == "Gateway") over_gateways_.emplace_back(policy, target);
  }

  // One policy may take the place of another of its kind over what has not changed at all: they come into force
  // together, or none does.
  void HoldChanged(std::string_view kind) {
    for (const ResourceKey& key : changed_)
      if (key.kind == kind) Hold(key);
  }

  // As with policies; and a policy that has not changed may need the grant for a target that has.
  void OnHeldGrant(const ResourceKey& grant) {
    if (!std::exchange(holds_grants_, true)) HoldChanged("ReferenceGrant");
    for (const ResourceKey& key : changed_) {
      const bool is_target = key.kind == "Route" || key.kind == "Gateway";
      if (is_target && key.name_space == grant.name_space) Hold(key);
    }
  }

  void Hold(const ResourceKey& key) {
    if (!changed_.contains(key) || !held_.insert(key).second) return;
    open_.push_back(key);
    for (const auto& [policy, gateway] : over_gateways_) {
      const Keys& routes = routes_[gateway];
      if (policy == key) together_[key].insert(routes.begin(), routes.end());
      if (routes.contains(key)) together_[key].insert(policy);
    }
  }

  // The last version of a key and, where it is gone, of what it needs.
  void Keep(const ResourceKey& key) {
    const Version* version = last_.Find(key);
    if (version == nullptr || out_.effective.contains(key)) return;
    out_.effective.Put(key, *version);
    for (const ResourceKey& other : check::OutgoingOf(key, *version->resource).needs)
      Keep(other);
  }

  const Versions& last_;
  const Versions& next_;
  const Keys& refused_;
  Keys changed_;
  std::map<ResourceKey, Keys> together_;  // who waits if the key does
  std::map<ResourceKey, Keys> routes_;    // changed ones, by gateway
  std::vector<std::pair<ResourceKey, ResourceKey>> over_gateways_;
  Keys held_;
  std::set<std::string> held_kinds_;  // of policies, of which all wait that have changed
  bool holds_grants_ = false;         // all that have changed
  std::vector<ResourceKey> open_;     // held, and what hangs on it not looked at
  Settled out_;
};

}  // namespace

Settled Settle(const Versions& last, const Versions& next, const std::set<ResourceKey>& refused) {
  return Settler(last, next, refused).Take();
}

}  // namespace portico::source
