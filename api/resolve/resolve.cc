#include "api/resolve/resolve.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "api/base/text.h"
#include "api/resolve/attach.h"
#include "api/resolve/grants.h"
#include "api/resolve/policies.h"
#include "api/resolve/precedence.h"
#include "api/resolve/reach.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

bool HasEndpointWithPort(const v1::ClusterSpec& cluster, uint32_t port) {
  return std::any_of(cluster.endpoints().begin(), cluster.endpoints().end(),
                     [port](const v1::Endpoint& endpoint) { return endpoint.port() == port; });
}

std::string FaultOf(const check::Configuration& configuration, Grants& grants, const ResourceKey& route,
                    const ResolvedBackend& backend) {
  if (backend.key.kind != "Cluster" && backend.key.kind != "Composition") {
    return base::Concat("the kind `", backend.key.kind, "` can't be sent requests to");
  }
  if (!grants.Permit(route, backend.key)) {
    return base::Concat(backend.key.ToString(), " is in another namespace and no ReferenceGrant there permits it");
  }
  const v1::Resource* resource = configuration.Find(backend.key);
  if (resource == nullptr) return base::Concat(backend.key.ToString(), " does not exist");
  if (backend.port && resource->has_cluster() && !HasEndpointWithPort(resource->cluster().spec(), *backend.port)) {
    return base::Concat(backend.key.ToString(), " has no endpoint with port ", *backend.port);
  }
  return "";
}

std::vector<ResolvedBackend> ResolveBackends(const check::Configuration& configuration, Grants& grants,
                                             const ResourceKey& route, const v1::RouteRule& rule) {
  std::vector<ResolvedBackend> out;
  for (const v1::BackendRef& reference : rule.backend_refs()) {
    ResolvedBackend backend;
    backend.key = {reference.kind().empty() ? "Cluster" : reference.kind(),
                   check::ReferredNamespace(reference.namespace_(), route), reference.name()};
    backend.weight = reference.has_weight() ? reference.weight() : 1;
    if (reference.has_port()) backend.port = reference.port();
    backend.fault = FaultOf(configuration, grants, route, backend);
    out.push_back(std::move(backend));
  }
  return out;
}

void ResolveListeners(Grants& grants, ResolvedGateway& gateway) {
  const v1::GatewaySpec& spec = gateway.resource->gateway().spec();
  for (int i = 0; i < spec.listeners_size(); ++i) {
    const v1::Listener& message = spec.listeners(i);
    ResolvedListener listener{
        static_cast<size_t>(i), message.name(), base::LowerAscii(message.hostname()), message.port(), {}, {}};
    for (int j = 0; j < message.tls().certificate_refs_size(); ++j) {
      const v1::ObjectReference& reference = message.tls().certificate_refs(j);
      ResourceKey key{"Secret", check::ReferredNamespace(reference.namespace_(), gateway.key), reference.name()};
      if (grants.Permit(gateway.key, key)) {
        listener.certificates.push_back(std::move(key));
        continue;
      }
      gateway.notices.push_back(
          {Notice::Kind::kNotBound, gateway.key, base::Concat("spec.listeners[", i, "].tls.certificateRefs[", j, "]"),
           base::Concat(key.ToString(), " is in another namespace and no ReferenceGrant there permits it")});
    }
    gateway.listeners.push_back(std::move(listener));
  }
}

void ResolveAttachment(const check::Configuration& configuration, Grants& grants, const Policies& policies,
                       const Attachment& attachment, ResolvedGateway& gateway) {
  ResolvedListener& listener = gateway.listeners[attachment.listener];
  const v1::RouteSpec& spec = attachment.resource->route().spec();
  for (int i = 0; i < spec.rules_size(); ++i) {
    const v1::RouteRule& message = spec.rules(i);
    ResolvedRule rule{attachment.route, attachment.resource, static_cast<size_t>(i), attachment.listener, {}, {}};
    rule.backends = ResolveBackends(configuration, grants, attachment.route, message);
    rule.auth = policies.Effective(gateway.key, listener.name, attachment.route, message.name());
    const std::vector<v1::RouteMatch> matches = MatchesOf(message);
    for (const std::string& hostname : attachment.hostnames) {
      for (size_t j = 0; j < matches.size(); ++j) {
        listener.matches.push_back({hostname, gateway.rules.size(), j, matches[j]});
      }
    }
    gateway.rules.push_back(std::move(rule));
  }
}

std::string DescribeMatch(const ResolvedRule& rule, size_t match) {
  const std::string& name = rule.message().name();
  return base::Concat(rule.route.ToString(), ", rule ", name.empty() ? base::Concat(rule.index) : name, ", match ",
                      match);
}

// A match that loses on one hostname or listener may win on another; only one that loses on all is worth a word.
void NoticeShadows(ResolvedGateway& gateway) {
  struct Count {
    size_t all = 0;
    size_t shadowed = 0;
    std::string by;
    bool written = true;  // the rule has `matches`
  };
  std::map<std::tuple<ResourceKey, size_t, size_t>, Count> counts;
  const auto count_of = [&](const ResolvedMatch& match) -> Count& {
    const ResolvedRule& rule = gateway.rules[match.rule];
    return counts[{rule.route, rule.index, match.index}];
  };
  for (const ResolvedListener& listener : gateway.listeners) {
    for (const ResolvedMatch& match : listener.matches) {
      Count& count = count_of(match);
      ++count.all;
      count.written = gateway.rules[match.rule].message().matches_size() > 0;
    }
    for (const Shadow& shadow : FindShadows(listener.matches)) {
      Count& count = count_of(listener.matches[shadow.match]);
      ++count.shadowed;
      const ResolvedMatch& by = listener.matches[shadow.by];
      if (count.by.empty()) count.by = DescribeMatch(gateway.rules[by.rule], by.index);
    }
  }
  for (const auto& [match, count] : counts) {
    if (count.shadowed < count.all) continue;
    const auto& [route, rule, index] = match;
    gateway.notices.push_back({Notice::Kind::kNeverWins, route,
                               count.written ? base::Concat("spec.rules[", rule, "].matches[", index, "]")
                                             : base::Concat("spec.rules[", rule, "]"),
                               base::Concat("can never win: ", count.by, " takes every such request first")});
  }
}

}  // namespace

absl::StatusOr<ResolvedGateway> Resolve(const check::Configuration& configuration, const ResourceKey& key) {
  const auto found = configuration.resources().find(key);
  if (found == configuration.resources().end() || !found->second->has_gateway()) {
    return absl::NotFoundError(base::ToAbsl(base::Concat("there is no ", key.ToString())));
  }
  ResolvedGateway gateway;
  gateway.key = key;
  gateway.resource = found->second;
  Grants grants(configuration);
  ResolveListeners(grants, gateway);
  const Policies policies(configuration, grants, gateway.notices);
  for (const Attachment& attachment : AttachRoutes(configuration, key, gateway.notices)) {
    ResolveAttachment(configuration, grants, policies, attachment, gateway);
  }
  for (ResolvedListener& listener : gateway.listeners)
    SortByPrecedence(listener.matches, gateway.rules);
  NoticeShadows(gateway);
  CollectReach(configuration, gateway);
  std::sort(gateway.notices.begin(), gateway.notices.end());
  return gateway;
}

}  // namespace portico::resolve
