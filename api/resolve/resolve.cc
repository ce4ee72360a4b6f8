#include "api/resolve/resolve.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/looks.h"
#include "api/check/targets.h"
#include "api/resolve/attach.h"
#include "api/resolve/grants.h"
#include "api/resolve/policies.h"
#include "api/resolve/precedence.h"
#include "api/resolve/reach.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

// Of those that are listed elsewhere a port selects some, or none for now.
bool MayHaveEndpointWithPort(const v1::ClusterSpec& cluster, uint32_t port) {
  if (cluster.has_endpoints_from()) return true;
  if (cluster.has_dns() && cluster.dns().port() == port) return true;
  return std::any_of(cluster.endpoints().begin(), cluster.endpoints().end(),
                     [port](const v1::Endpoint& endpoint) { return endpoint.port() == port; });
}

std::string FaultOf(const check::Configuration& configuration, const ResolvedBackend& backend, bool is_permitted) {
  if (!is_permitted) {
    return base::Concat(backend.key.ToString(), " is in another namespace and no ReferenceGrant there permits it");
  }
  const v1::Resource* resource = configuration.Find(backend.key);
  if (resource == nullptr) return base::Concat(backend.key.ToString(), " does not exist");
  if (backend.port && resource->has_cluster() && !MayHaveEndpointWithPort(resource->cluster().spec(), *backend.port)) {
    return base::Concat(backend.key.ToString(), " has no endpoint with port ", *backend.port);
  }
  return "";
}

// What it needs is added to `needs`. By kind: a backendRef that says Secret must not hand one out.
ResolvedBackend ResolveBackend(const check::Configuration& configuration, const Grants& grants,
                               const ResourceKey& route, const v1::BackendRef& reference,
                               std::set<ResourceKey>& needs) {
  ResolvedBackend backend;
  backend.key = {reference.kind().empty() ? "Cluster" : reference.kind(),
                 check::ReferredNamespace(reference.namespace_(), route), reference.name()};
  backend.weight = reference.has_weight() ? reference.weight() : 1;
  if (reference.has_port()) backend.port = reference.port();
  if (backend.key.kind != "Cluster" && backend.key.kind != "Composition") {
    backend.fault = base::Concat("the kind `", backend.key.kind, "` can't be sent requests to");
    return backend;
  }
  const bool is_permitted = grants.Permit(route, backend.key, &needs);
  if (is_permitted && configuration.Find(backend.key) != nullptr) needs.insert(backend.key);
  backend.fault = FaultOf(configuration, backend, is_permitted);
  return backend;
}

void ResolveListeners(const Grants& grants, ResolvedGateway& gateway, std::vector<Notice>& notices) {
  const v1::GatewaySpec& spec = gateway.resource->gateway().spec();
  for (int i = 0; i < spec.listeners_size(); ++i) {
    const v1::Listener& message = spec.listeners(i);
    ResolvedListener& listener = gateway.listeners.emplace_back();
    listener.index = static_cast<size_t>(i);
    listener.name = message.name();
    listener.hostname = base::LowerAscii(message.hostname());
    listener.port = message.port();
    for (int j = 0; j < message.tls().certificate_refs_size(); ++j) {
      const v1::ObjectReference& reference = message.tls().certificate_refs(j);
      ResourceKey key{"Secret", check::ReferredNamespace(reference.namespace_(), gateway.key), reference.name()};
      if (grants.Permit(gateway.key, key)) {
        listener.certificates.push_back(std::move(key));
        continue;
      }
      notices.push_back(
          {Notice::Kind::kNotBound, gateway.key, base::Concat("spec.listeners[", i, "].tls.certificateRefs[", j, "]"),
           base::Concat(key.ToString(), " is in another namespace and no ReferenceGrant there permits it")});
    }
  }
}

std::string DescribeMatch(const ResolvedMatch& match) {
  const std::string& name = match.rule->message().name();
  return base::Concat(match.rule->route.ToString(), ", rule ", name.empty() ? base::Concat(match.rule->index) : name,
                      ", match ", match.index);
}

// What has to be resolved (again).
struct Work {
  std::set<ResourceKey> routes;
  std::set<ResourceKey> policies;  // for their notices
  std::set<ResourceKey> nodes;     // what may need others than it did
};

Work AllOf(const check::Configuration& configuration) {
  Work work;
  configuration.ForEach("Route", [&work](const ResourceKey& key, const auto&) { work.routes.insert(key); });
  for (const std::string_view kind : check::kPolicyKinds)
    configuration.ForEach(kind, [&work](const ResourceKey& key, const auto&) { work.policies.insert(key); });
  return work;
}

// Finds what hangs on what has changed.
class Differ {
 public:
  Differ(const ResolvedGateway& before, const check::Configuration& now) : before_(before), now_(now) {}

  // nullopt: everything does.
  std::optional<Work> Run() {
    base::Compare(before_.configuration.resources(), now_.resources(),
                  [this](const ResourceKey& key, const SharedResource* was, const SharedResource* is) {
                    OnChange(key, was == nullptr ? nullptr : was->get(), is == nullptr ? nullptr : is->get());
                  });
    if (everything_) return std::nullopt;
    for (const ResourceKey& target : targets_) {
      for (const std::string_view kind : check::kPolicyKinds)
        AddReferrers(target, kind, work_.policies);
    }
    return std::move(work_);
  }

 private:
  void OnChange(const ResourceKey& key, const v1::Resource* was, const v1::Resource* is) {
    const v1::Resource& any = is == nullptr ? *was : *is;
    if (any.has_reference_grant()) everything_ = true;
    if (any.has_gateway()) return OnGateway(key, was, is);
    work_.nodes.insert(key);
    if (any.has_route()) {
      work_.routes.insert(key);
      targets_.insert(key);
    }
    if (!check::LooksTheSame(was, is)) {
      AddReferrers(key, "Route", work_.routes);
      AddReferrers(key, "", work_.nodes);
    }
    for (const v1::Resource* version : {was, is})
      if (version != nullptr && check::IsPolicyKind(key.kind)) OnPolicy(key, *version);
    if (any.has_consumer()) OnConsumer(key, was, is);
    if (any.has_cache_purge()) work_.nodes.insert(before_.key);
  }

  // Another one is nothing to this one, but for what says no Gateway while there is one alone, and for notices.
  void OnGateway(const ResourceKey& key, const v1::Resource* was, const v1::Resource* is) {
    const bool is_one_more_or_less = (was == nullptr) != (is == nullptr);
    if (key == before_.key || (is_one_more_or_less && key.name_space == before_.key.name_space)) everything_ = true;
    targets_.insert(key);
  }

  void OnPolicy(const ResourceKey& key, const v1::Resource& policy) {
    work_.policies.insert(key);
    for (const v1::TargetReference& reference : check::TargetsOf(policy)) {
      const ResourceKey target = check::TargetOf(key, reference);
      if (target == before_.key) everything_ = true;
      if (target.kind == "Route") work_.routes.insert(target);
      targets_.insert(target);
    }
  }

  // Who is known to which policies is for the policies to say.
  void OnConsumer(const ResourceKey& key, const v1::Resource* was, const v1::Resource* is) {
    now_.ForEach("AuthPolicy", key.name_space, [&](const ResourceKey& policy, const SharedResource& resource) {
      const auto knows = [&](const v1::Resource* consumer) {
        return consumer != nullptr &&
               Recognises(policy, resource->auth_policy().spec(), key, consumer->consumer().spec());
      };
      if (knows(was) != knows(is)) work_.nodes.insert(policy);
    });
  }

  void AddReferrers(const ResourceKey& key, std::string_view kind, std::set<ResourceKey>& out) {
    for (ResourceKey& referrer : now_.Referrers(key, kind))
      out.insert(std::move(referrer));
  }

  const ResolvedGateway& before_;
  const check::Configuration& now_;
  Work work_;
  std::set<ResourceKey> targets_;  // whose policies are to be looked at: they may be in conflict, or bound to nothing
  bool everything_ = false;
};

class Resolver {
 public:
  // `gateway` has its key, resource and listeners; what else it has is of an earlier configuration.
  Resolver(const check::Configuration& configuration, const Grants& grants, ResolvedGateway& gateway)
      : configuration_(configuration),
        grants_(grants),
        gateway_(gateway),
        policies_(configuration, grants),
        reach_(configuration, grants, gateway) {}

  void Do(const Work& work) {
    for (const ResourceKey& route : work.routes)
      DoRoute(route);
    for (const ResourceKey& policy : work.policies) {
      EraseNotices(Notice::Kind::kNotBound, policy);
      EraseNotices(Notice::Kind::kConflict, policy);
      EraseNotices(Notice::Kind::kExposed, policy);
      Tell(policies_.NoticesOf(policy));
    }
    for (const ResourceKey& node : work.nodes)
      reach_.Recount(node);
    NoticeShadows();
  }

  void Tell(std::vector<Notice> notices) {
    for (Notice& notice : notices)
      gateway_.notices.Put(std::move(notice), {});
  }

  ReachKeeper& reach() { return reach_; }

 private:
  using Group = std::pair<size_t, MatchGroup>;  // of a listener

  void EraseNotices(Notice::Kind kind, const ResourceKey& resource) {
    for (;;) {
      const auto found = gateway_.notices.lower_bound(Notice{kind, resource, "", ""});
      if (found == gateway_.notices.end() || found->first.kind != kind || found->first.resource != resource) return;
      gateway_.notices.Erase(Notice(found->first));
    }
  }

  void DoRoute(const ResourceKey& key) {
    EraseNotices(Notice::Kind::kNotAttached, key);
    EraseNotices(Notice::Kind::kExposed, key);
    const SharedRoute* found = gateway_.routes.Find(key);
    const SharedRoute old = found == nullptr ? nullptr : *found;
    const SharedRoute route = ResolveRoute(key);
    if (old != nullptr) Leave(key, *old);
    if (route != nullptr) Enter(key, route);
    if (route != nullptr) NoticeOpenCors(key, route->resource->route().spec());
    if (route == nullptr) gateway_.routes.Erase(key);
    if (old == nullptr && route != nullptr) reach_.Need(key);
    if (old != nullptr && route == nullptr) reach_.Drop(key);
    reach_.Recount(key);
  }

  void NoticeOpenCors(const ResourceKey& key, const v1::RouteSpec& spec) {
    for (int i = 0; i < spec.rules_size(); ++i) {
      for (int k = 0; k < spec.rules(i).filters_size(); ++k) {
        const v1::Cors& cors = spec.rules(i).filters(k).cors();
        const bool any = std::ranges::find(cors.allow_origins(), "*") != cors.allow_origins().end();
        if (!any || !cors.allow_credentials()) continue;
        const std::string path = base::Concat("spec.rules[", i, "].filters[", k, "].cors.allowCredentials");
        Tell({{Notice::Kind::kExposed, key, path,
               "beside allowOrigins `*`: every page on the web may read what its visitor may; name the origins"}});
      }
    }
  }

  void Leave(const ResourceKey& key, const ResolvedRoute& route) {
    EraseNotices(Notice::Kind::kNeverWins, key);
    for (const SharedMatch& match : route.matches) {
      Touch(*match);
      gateway_.listeners[match->rule->listener].matches.Erase(match);
    }
  }

  void Enter(const ResourceKey& key, const SharedRoute& route) {
    gateway_.routes.Put(key, route);
    for (const SharedMatch& match : route->matches) {
      Touch(*match);
      gateway_.listeners[match->rule->listener].matches.Put(match, match);
    }
  }

  // Others of its group may be in its shadow, or not any more.
  void Touch(const ResolvedMatch& match) {
    touched_.emplace(match.rule->listener, GroupOf(match));
    if (!MatchesEverything(match)) return;
    touched_.emplace(match.rule->listener, MatchGroup{match.hostname, v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION, ""});
  }

  // nullptr: there is none, or it is on no listener.
  SharedRoute ResolveRoute(const ResourceKey& key) {
    const SharedResource* resource = configuration_.resources().Find(key);
    if (resource == nullptr) return nullptr;
    std::vector<Notice> notices;
    const Attachments attachments = AttachRoute(configuration_, gateway_.key, key, notices);
    Tell(std::move(notices));
    if (attachments.empty()) return nullptr;
    auto out = std::make_shared<ResolvedRoute>();
    out->resource = *resource;
    for (const auto& [listener, hostnames] : attachments) {
      for (int i = 0; i < (*resource)->route().spec().rules_size(); ++i)
        AddRule(key, static_cast<size_t>(i), listener, hostnames, *out);
    }
    return out;
  }

  void AddRule(const ResourceKey& key, size_t index, size_t listener, const std::vector<std::string>& hostnames,
               ResolvedRoute& out) {
    auto rule = std::make_shared<ResolvedRule>(ResolvedRule{key, out.resource, index, listener, {}, {}});
    const v1::RouteRule& message = rule->message();
    for (const v1::BackendRef& reference : message.backend_refs())
      rule->backends.push_back(ResolveBackend(configuration_, grants_, key, reference, out.needs));
    rule->policies = policies_.Effective(gateway_.key, gateway_.listeners[listener].name, key, message.name());
    const std::vector<v1::RouteMatch> matches = MatchesOf(message);
    for (const std::string& hostname : hostnames) {
      for (size_t i = 0; i < matches.size(); ++i)
        out.matches.push_back(std::make_shared<const ResolvedMatch>(ResolvedMatch{hostname, rule, i, matches[i]}));
    }
    out.rules.push_back(std::move(rule));
  }

  // Of all Routes that have a match in a group that was touched.
  void NoticeShadows() {
    std::set<ResourceKey> routes;
    for (const auto& [listener, group] : touched_) {
      const Matches& matches = gateway_.listeners[listener].matches;
      for (auto place = matches.lower_bound(group); place != matches.end(); ++place) {
        if (GroupOf(*place->second) != group) break;
        routes.insert(place->second->rule->route);
      }
    }
    for (const ResourceKey& route : routes) {
      EraseNotices(Notice::Kind::kNeverWins, route);
      NoticeShadows(route, **gateway_.routes.Find(route));
    }
  }

  // A match that loses on one hostname or listener may win on another; only one that loses on all is worth a word.
  void NoticeShadows(const ResourceKey& key, const ResolvedRoute& route) {
    struct Count {
      size_t all = 0;
      size_t shadowed = 0;
      SharedMatch by;
      bool is_written = true;  // the rule has `matches`
    };
    std::map<std::pair<size_t, size_t>, Count> counts;  // by rule and match
    for (const SharedMatch& match : route.matches) {
      Count& count = counts[{match->rule->index, match->index}];
      ++count.all;
      count.is_written = match->rule->message().matches_size() > 0;
      const auto& shadows = ShadowsOf({match->rule->listener, GroupOf(*match)});
      const auto shadow = shadows.find(match);
      if (shadow == shadows.end()) continue;
      ++count.shadowed;
      if (count.by == nullptr) count.by = shadow->second;
    }
    for (const auto& [place, count] : counts) {
      if (count.shadowed < count.all) continue;
      const auto& [rule, match] = place;
      Tell({{Notice::Kind::kNeverWins, key,
             count.is_written ? base::Concat("spec.rules[", rule, "].matches[", match, "]")
                              : base::Concat("spec.rules[", rule, "]"),
             base::Concat("can never win: ", DescribeMatch(*count.by), " takes every such request first")}});
    }
  }

  const std::map<SharedMatch, SharedMatch>& ShadowsOf(const Group& group) {
    const auto [shadows, added] = shadows_.try_emplace(group);
    if (added) shadows->second = FindShadows(gateway_.listeners[group.first].matches, group.second);
    return shadows->second;
  }

  const check::Configuration& configuration_;
  const Grants& grants_;
  ResolvedGateway& gateway_;
  Policies policies_;
  ReachKeeper reach_;
  std::set<Group> touched_;
  std::map<Group, std::map<SharedMatch, SharedMatch>> shadows_;
};

}  // namespace

absl::StatusOr<ResolvedGateway> Resolve(const check::Configuration& configuration, const ResourceKey& key,
                                        const ResolvedGateway* before) {
  const SharedResource* found = configuration.resources().Find(key);
  if (found == nullptr || !(*found)->has_gateway()) {
    return absl::NotFoundError(base::ToAbsl(base::Concat("there is no ", key.ToString())));
  }
  const Grants grants(configuration);
  std::optional<Work> work;
  if (before != nullptr && before->key == key) work = Differ(*before, configuration).Run();
  if (work) {
    ResolvedGateway gateway = *before;
    gateway.configuration = configuration;
    Resolver(configuration, grants, gateway).Do(*work);
    return gateway;
  }
  ResolvedGateway gateway;
  gateway.configuration = configuration;
  gateway.key = key;
  gateway.resource = *found;
  std::vector<Notice> notices;
  ResolveListeners(grants, gateway, notices);
  Resolver resolver(configuration, grants, gateway);
  resolver.Tell(std::move(notices));
  resolver.reach().Need(key);
  resolver.Do(AllOf(configuration));
  return gateway;
}

}  // namespace portico::resolve
