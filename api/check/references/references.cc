#include "api/check/references/references.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/grants.h"
#include "api/check/looks.h"
#include "api/check/outgoing.h"
#include "api/check/targets.h"

namespace portico::check {
namespace {

using base::Concat;
using portico::v1::Resource;

std::string OrDefault(std::string_view kind, std::string_view otherwise) {
  return std::string(kind.empty() ? otherwise : kind);
}

class Checker {
 public:
  explicit Checker(const Configuration& configuration) : configuration_(configuration) {}

  void Check(const ResourceKey& key) {
    const Resource* resource = configuration_.Find(key);
    if (resource == nullptr) return;
    key_ = key;
    own_targets_.clear();
    if (resource->has_gateway()) Visit(resource->gateway().spec());
    if (resource->has_route()) Visit(resource->route().spec());
    if (resource->has_composition()) Visit(resource->composition().spec());
    if (resource->has_cluster()) Visit(resource->cluster().spec());
    for (int i = 0; i < TargetsOf(*resource).size(); ++i)
      Target(TargetsOf(*resource)[i], Concat("spec.targetRefs[", i, "]"));
    if (resource->has_auth_policy()) Visit(resource->auth_policy().spec());
    if (resource->has_consumer()) Visit(resource->consumer().spec());
    if (resource->has_cache_purge()) Visit(resource->cache_purge().spec());
  }

  Violations Take() { return std::move(violations_); }

  // Consumers with a key that `consumer` has, itself among them.
  std::set<ResourceKey> SharersOf(const ResourceKey& consumer) {
    std::set<ResourceKey> out;
    const Resource* resource = configuration_.Find(consumer);
    if (resource == nullptr) return out;
    for (const auto& credential : resource->consumer().spec().credentials()) {
      if (!credential.has_api_key()) continue;
      const auto& holders = HoldersOf(consumer.name_space, credential.api_key().sha256());
      out.insert(holders.begin(), holders.end());
    }
    return out;
  }

 private:
  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }

  // The resource referred to, nullptr after a violation. The grant is asked for first, as in Gateway API: without one
  // nobody learns what another namespace holds.
  const Resource* Resolve(const ResourceKey& target, const std::string& path, bool needs_grant = true) {
    if (needs_grant && target.name_space != key_.name_space && !FindGrant(configuration_, key_, target)) {
      Add(path, Concat("refers to ", target.ToString(), " in another namespace; a ReferenceGrant in ",
                       target.name_space, " must allow ", key_.kind, " from ", key_.name_space));
      return nullptr;
    }
    const Resource* found = configuration_.Find(target);
    if (found == nullptr) Add(Concat(path, ".name"), Concat("there is no ", target.ToString(), Suggest(target)));
    return found;
  }

  // Of its own namespace alone: nobody learns from a slip of the pen what another one holds.
  std::string Suggest(const ResourceKey& target) const {
    if (target.name_space != key_.name_space) return "";
    std::vector<std::string_view> names;
    configuration_.ForEach(target.kind, target.name_space,
                           [&names](const ResourceKey& key, const auto&) { names.push_back(key.name); });
    const std::string_view nearest = base::NearestName(target.name, names);
    return nearest.empty() ? "" : Concat("; did you mean `", nearest, "`?");
  }

  // A kind that does not fit, already answered: "".
  std::string Kind(std::string_view kind, const std::vector<std::string_view>& allowed, const std::string& path) {
    const std::string chosen = OrDefault(kind, allowed.front());
    if (std::find(allowed.begin(), allowed.end(), chosen) != allowed.end()) return chosen;
    std::vector<std::string> names(allowed.begin(), allowed.end());
    Add(Concat(path, ".kind"), Concat("must be ", base::Join(names, " or "), ", not ", chosen));
    return "";
  }

  const portico::v1::SecretSpec* Secret(const portico::v1::ObjectReference& reference, const std::string& path) {
    if (Kind(reference.kind(), {"Secret"}, path).empty()) return nullptr;
    const Resource* found =
        Resolve({"Secret", ReferredNamespace(reference.namespace_(), key_), reference.name()}, path);
    return found == nullptr ? nullptr : &found->secret().spec();
  }

  template <typename Reference>
  void Backend(const Reference& reference, const std::vector<std::string_view>& kinds, const std::string& path) {
    const std::string kind = Kind(reference.kind(), kinds, path);
    if (kind.empty()) return;
    const Resource* found = Resolve({kind, ReferredNamespace(reference.namespace_(), key_), reference.name()}, path);
    if (found == nullptr || !reference.has_port()) return;
    if (!found->has_cluster()) return Add(Concat(path, ".port"), "a Composition has no port");
    if (found->cluster().spec().has_endpoints_from()) return;  // it selects among them, whichever there are
    const auto& spec = found->cluster().spec();
    if (spec.has_dns() && spec.dns().port() == reference.port()) return;
    const auto& endpoints = spec.endpoints();
    if (std::none_of(endpoints.begin(), endpoints.end(),
                     [&](const auto& endpoint) { return endpoint.port() == reference.port(); })) {
      Add(Concat(path, ".port"), Concat("no endpoint of Cluster ", reference.name(), " has port ", reference.port()));
    }
  }

  void Visit(const portico::v1::GatewaySpec& spec) {
    std::map<std::tuple<uint32_t, std::string>, std::string> taken;
    for (int i = 0; i < spec.listeners_size(); ++i) {
      const auto& listener = spec.listeners(i);
      const std::string path = Concat("spec.listeners[", i, "]");
      const auto [other, added] =
          taken.try_emplace({listener.port(), base::LowerAscii(listener.hostname())}, listener.name());
      if (!added) Add(path, Concat("has the port and hostname of listener ", other->second));
      for (int k = 0; k < listener.tls().certificate_refs_size(); ++k) {
        const std::string reference = Concat(path, ".tls.certificateRefs[", k, "]");
        const auto* secret = Secret(listener.tls().certificate_refs(k), reference);
        if (secret != nullptr && !secret->has_tls()) Add(reference, "refers to a Secret without `tls`");
      }
    }
  }

  void Visit(const portico::v1::RouteSpec& spec) {
    for (int i = 0; i < spec.parent_refs_size(); ++i)
      Parent(spec.parent_refs(i), Concat("spec.parentRefs[", i, "]"));
    for (int i = 0; i < spec.rules_size(); ++i) {
      for (int k = 0; k < spec.rules(i).backend_refs_size(); ++k) {
        Backend(spec.rules(i).backend_refs(k), {"Cluster", "Composition"},
                Concat("spec.rules[", i, "].backendRefs[", k, "]"));
      }
    }
  }

  // Whether routes of another namespace may attach is the listener's to say, not a grant's.
  void Parent(const portico::v1::ParentReference& reference, const std::string& path) {
    if (Kind(reference.kind(), {"Gateway"}, path).empty()) return;
    const std::string name_space = ReferredNamespace(reference.namespace_(), key_);
    const Resource* found = Resolve({"Gateway", name_space, reference.name()}, path, false);
    if (found == nullptr) return;
    bool named = reference.section_name().empty();
    bool on_port = false;
    bool admitted = false;
    std::vector<std::string_view> names;
    for (const auto& listener : found->gateway().spec().listeners()) {
      names.push_back(listener.name());
      if (!reference.section_name().empty() && reference.section_name() != listener.name()) continue;
      named = true;
      if (reference.has_port() && reference.port() != listener.port()) continue;
      on_port = true;
      admitted = admitted || Admits(listener.allowed_routes().namespaces().from(), name_space);
    }
    if (!named) return Section(reference.section_name(), name_space, names, "listener", path);
    if (!on_port) return Add(Concat(path, ".port"), Concat("no such listener has port ", reference.port()));
    if (!admitted) Add(path, Concat("allowedRoutes of the listener does not admit namespace ", key_.name_space));
  }

  bool Admits(portico::v1::FromNamespaces from, std::string_view gateway_namespace) const {
    if (from == portico::v1::FROM_NAMESPACES_ALL) return true;
    if (from == portico::v1::FROM_NAMESPACES_NONE) return false;
    return gateway_namespace == key_.name_space;
  }

  void Section(std::string_view name, std::string_view name_space, const std::vector<std::string_view>& names,
               std::string_view what, const std::string& path) {
    const std::string_view nearest = name_space == key_.name_space ? base::NearestName(name, names) : "";
    Add(Concat(path, ".sectionName"),
        Concat("there is no ", what, " ", name, nearest.empty() ? "" : Concat("; did you mean `", nearest, "`?")));
  }

  void Visit(const portico::v1::CompositionSpec& spec) {
    for (int i = 0; i < spec.steps_size(); ++i) {
      Backend(spec.steps(i).call().backend_ref(), {"Cluster"}, Concat("spec.steps[", i, "].call.backendRef"));
    }
  }

  void Visit(const portico::v1::ClusterSpec& spec) {
    if (spec.has_endpoints_from()) {
      const auto& reference = spec.endpoints_from();
      Resolve({"Endpoints", ReferredNamespace(reference.namespace_(), key_), reference.name()}, "spec.endpointsFrom");
    }
    for (int i = 0; i < spec.tls().ca_certificate_refs_size(); ++i) {
      const std::string path = Concat("spec.tls.caCertificateRefs[", i, "]");
      const auto* secret = Secret(spec.tls().ca_certificate_refs(i), path);
      if (secret != nullptr && !secret->has_ca_certificates()) Add(path, "refers to a Secret without `caCertificates`");
    }
  }

  void Visit(const portico::v1::CachePurgeSpec& spec) { Resolve(TargetOf(key_, spec.target_ref()), "spec.targetRef"); }

  void Visit(const portico::v1::AuthPolicySpec& spec) {
    for (int i = 0; i < spec.authentication().any_of_size(); ++i) {
      const auto& method = spec.authentication().any_of(i);
      if (!method.jwt().jwks().has_secret_ref()) continue;
      const std::string path = Concat("spec.authentication.anyOf[", i, "].jwt.jwks.secretRef");
      const auto* secret = Secret(method.jwt().jwks().secret_ref(), path);
      if (secret != nullptr && !secret->has_jwks()) Add(path, "refers to a Secret without `jwks`");
    }
    for (int i = 0; i < spec.authorization().rules_size(); ++i) {
      const auto& consumers = spec.authorization().rules(i).principal().consumers();
      for (int k = 0; k < consumers.size(); ++k) {
        Consumer(consumers[k], Concat("spec.authorization.rules[", i, "].principal.consumers[", k, "]"));
      }
    }
  }

  // Whose key would it be? Told at both, so that a step is answered for by whichever of them it writes.
  void Visit(const portico::v1::ConsumerSpec& spec) {
    for (int i = 0; i < spec.credentials_size(); ++i) {
      if (!spec.credentials(i).has_api_key()) continue;
      for (const ResourceKey& other : HoldersOf(key_.name_space, spec.credentials(i).api_key().sha256())) {
        if (other == key_) continue;
        Add(Concat("spec.credentials[", i, "].apiKey.sha256"),
            Concat(other.ToString(), " and ", key_.ToString(), " have the same key"));
        break;
      }
    }
  }

  // The Consumers of the namespace with that key.
  const std::vector<ResourceKey>& HoldersOf(const std::string& name_space, const std::string& sha256) {
    const auto [holders, added] = holders_.try_emplace(name_space);
    if (added) {
      configuration_.ForEach("Consumer", name_space,
                             [&, holders = holders](const ResourceKey& key, const auto& resource) {
                               for (const auto& credential : resource->consumer().spec().credentials()) {
                                 if (credential.has_api_key())
                                   holders->second[credential.api_key().sha256()].push_back(key);
                               }
                             });
    }
    return holders->second[sha256];
  }

  // "name" or "namespace/name". No grant: whoever names a Consumer learns nothing of it.
  void Consumer(const std::string& name, const std::string& path) {
    const ResourceKey target = ConsumerKey(name, key_);
    if (configuration_.Find(target) != nullptr) return;
    Add(path, Concat("there is no ", target.ToString(), Suggest(target)));
  }

  void Target(const portico::v1::TargetReference& reference, const std::string& path) {
    const std::string kind = Kind(reference.kind(), {"Gateway", "Route"}, path);
    if (kind.empty()) return;
    const ResourceKey target = TargetOf(key_, reference);
    const Resource* found = Resolve(target, path);
    if (found == nullptr) return;
    if (const std::optional<ResourceKey> other = FirstOn(target, reference.section_name())) {
      Add(path, Concat(other->ToString(), " and ", key_.ToString(), " have the same target"));
    }
    if (reference.section_name().empty()) return;
    std::vector<std::string_view> names;
    for (const auto& listener : found->gateway().spec().listeners())
      names.push_back(listener.name());
    for (const auto& rule : found->route().spec().rules())
      names.push_back(rule.name());
    if (std::find(names.begin(), names.end(), reference.section_name()) == names.end()) {
      Section(reference.section_name(), target.name_space, names, kind == "Gateway" ? "listener" : "rule", path);
    }
  }

  // The first policy of this kind with that target, if it is before this one; or this one, if it has named the target
  // before.
  std::optional<ResourceKey> FirstOn(const ResourceKey& target, const std::string& section) {
    const auto [first, added] = first_on_.try_emplace({target, key_.kind});
    if (added) first->second = FirstPolicies(target, key_.kind);
    const auto found = first->second.find(section);
    if (found != first->second.end() && found->second < key_) return found->second;
    if (!own_targets_.emplace(target, section).second) return key_;
    return std::nullopt;
  }

  // By section.
  std::map<std::string, ResourceKey> FirstPolicies(const ResourceKey& target, std::string_view kind) const {
    std::map<std::string, ResourceKey> first;
    for (const ResourceKey& policy : configuration_.Referrers(target, kind)) {
      if (target.name_space != policy.name_space && !FindGrant(configuration_, policy, target)) continue;
      for (const auto& reference : TargetsOf(*configuration_.Find(policy))) {
        if (TargetOf(policy, reference) == target) first.try_emplace(reference.section_name(), policy);
      }
    }
    return first;
  }

  const Configuration& configuration_;
  ResourceKey key_;
  std::set<std::pair<ResourceKey, std::string>> own_targets_;
  // FirstPolicies of what was asked for.
  std::map<std::pair<ResourceKey, std::string>, std::map<std::string, ResourceKey>> first_on_;
  // By namespace, then by digest: the Consumers with that key. Made when the first Consumer is judged.
  std::map<std::string, std::map<std::string, std::vector<ResourceKey>>> holders_;
  Violations violations_;
};

// Whose judgement may be another in `after`.
std::set<ResourceKey> Concerned(const Configuration& before, const Configuration& after) {
  std::set<ResourceKey> out, seen_otherwise, targets;
  bool everybody = false;
  const auto visit = [&](const ResourceKey& key, const SharedResource* was, const SharedResource* is) {
    out.insert(key);
    everybody = everybody || key.kind == "ReferenceGrant";
    if (!LooksTheSame(was ? was->get() : nullptr, is ? is->get() : nullptr)) seen_otherwise.insert(key);
    for (const SharedResource* version : {was, is})
      if (version != nullptr) targets.merge(OutgoingOf(key, **version).guards);
  };
  base::Compare(before.resources(), after.resources(), visit);
  const auto add_referrers = [&](const ResourceKey& key, std::string_view kind) {
    for (ResourceKey& referrer : after.Referrers(key, kind))
      out.insert(std::move(referrer));
  };
  for (const ResourceKey& key : seen_otherwise)
    add_referrers(key, "");
  for (const ResourceKey& target : targets) {
    for (const std::string_view kind : kPolicyKinds)
      add_referrers(target, kind);  // two with one target
  }
  if (everybody) {
    for (const auto& [key, resource] : after.resources())
      out.insert(key);
  }
  return out;
}

}  // namespace

Violations CheckReferences(const Configuration& configuration) {
  Checker checker(configuration);
  for (const auto& [key, resource] : configuration.resources())
    checker.Check(key);
  return checker.Take();
}

Violations CheckReferences(const Configuration& before, const Configuration& after,
                           const std::set<ResourceKey>& touched) {
  Checker old_checker(before), new_checker(after);
  std::set<ResourceKey> keys = Concerned(before, after);
  keys.insert(touched.begin(), touched.end());
  for (const ResourceKey& key : std::set<ResourceKey>(keys)) {
    if (key.kind == "Consumer") keys.merge(new_checker.SharersOf(key));
  }
  for (const ResourceKey& key : keys) {
    if (!touched.contains(key)) old_checker.Check(key);
    new_checker.Check(key);
  }
  std::set<std::pair<ResourceKey, std::string>> known;
  for (Violation& one : old_checker.Take())
    known.emplace(std::move(one.key), std::move(one.path));
  Violations violations = new_checker.Take();
  std::erase_if(violations, [&known](const Violation& one) { return known.contains({one.key, one.path}); });
  return violations;
}

}  // namespace portico::check
