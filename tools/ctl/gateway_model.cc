#include "tools/ctl/gateway_model.h"

#include <algorithm>
#include <optional>
#include <set>

#include "api/base/text.h"
#include "api/load/choose_gateway.h"
#include "api/resolve/resolve.h"
#include "dataplane/downstream/max_forwards.h"
#include "dataplane/route/route_config.h"

namespace portico::ctl {
namespace {

template <typename... Pieces>
absl::Status Failure(const Pieces&... pieces) {
  return absl::FailedPreconditionError(base::ToAbsl(base::Concat(pieces...)));
}

// By policy, as a snapshot binds them. What may be stored guards nothing.
bool SameGuards(const resolve::EffectivePolicies& a, const resolve::EffectivePolicies& b) {
  const auto same = [](const std::optional<resolve::BoundPolicy>& one,
                       const std::optional<resolve::BoundPolicy>& other) {
    return one && other ? one->key == other->key : one.has_value() == other.has_value();
  };
  return same(a.auth.authentication, b.auth.authentication) && same(a.auth.authorization, b.auth.authorization) &&
         std::equal(a.limits.begin(), a.limits.end(), b.limits.begin(), b.limits.end(), same);
}

}  // namespace

std::string MatchName(const route::RuleMatch& match) {
  const route::Rule& rule = *match.rule;
  return base::Concat("Route ", rule.route, ", rule ", rule.name.empty() ? base::Concat(rule.index) : rule.name,
                      ", match ", match.index);
}

absl::StatusOr<std::unique_ptr<GatewayModel>> GatewayModel::Create(const check::Configuration& configuration,
                                                                   const std::string& name) {
  const std::optional<check::ResourceKey> asked =
      name.empty() ? std::nullopt : std::optional(load::ParseGatewayName(name));
  const absl::StatusOr<check::ResourceKey> key = load::ChooseGateway(configuration, asked);
  if (!key.ok()) return key.status();
  absl::StatusOr<resolve::ResolvedGateway> gateway = resolve::Resolve(configuration, *key);
  if (!gateway.ok()) return gateway.status();
  return std::unique_ptr<GatewayModel>(new GatewayModel(*std::move(gateway)));
}

absl::StatusOr<uint16_t> GatewayModel::ChoosePort(const Request& request) const {
  std::set<uint16_t> fitting;
  std::set<std::string> all;
  for (const resolve::ResolvedListener& listener : gateway_.listeners) {
    const auto& message = gateway_.resource->gateway().spec().listeners(static_cast<int>(listener.index));
    const bool is_https = message.protocol() == v1::LISTENER_PROTOCOL_HTTPS;
    all.insert(base::Concat(is_https ? "https" : "http", " on ", listener.port));
    if (is_https != (request.scheme == "https")) continue;
    if (!request.port || *request.port == listener.port) fitting.insert(static_cast<uint16_t>(listener.port));
  }
  if (fitting.size() == 1) return *fitting.begin();
  const std::string there = base::Join({all.begin(), all.end()}, ", ");
  if (!fitting.empty()) return Failure("several listeners take ", request.scheme, ", name a port in the URL: ", there);
  return Failure(gateway_.key.ToString(), " has no listener for ", request.scheme,
                 request.port ? base::Concat(" on port ", *request.port) : "", "; it has ", there);
}

absl::StatusOr<const route::RouteTable*> GatewayModel::Table(uint16_t port) {
  std::unique_ptr<const route::RouteTable>& table = tables_[port];
  if (table != nullptr) return table.get();
  auto built = route::BuildRouteTable(gateway_, port, [this](const resolve::SharedRule& rule) {
    return std::make_shared<const ModelRule>(route::BuildRule(gateway_, *rule), rule);
  });
  if (!built.ok()) return built.status();
  table = *std::move(built);
  return table.get();
}

SeenRequest::SeenRequest(const Request& request)
    : request_(request),
      target_(route::SplitTarget(request.target)),
      path_(route::NormalisePath(target_.path)),
      head_(arena_) {
  if (path_.status.ok()) target_.path = path_.path;
  head_.method = request.method;
  head_.path = request.target;
  for (const auto& [name, value] : request.fields)
    head_.fields.Add(name, value);
}

route::RequestView SeenRequest::view() const {
  return {request_.method, route::HostOf(request_.authority), target_.path, target_.query, head_.fields};
}

OwnAnswer AnswerBefore(const route::RouteTable& table, const route::RuleMatch& match, const SeenRequest& seen) {
  const http::RequestHead& head = seen.head();
  if (downstream::MeansThisProxy(head)) {
    return {head.method == "OPTIONS" ? 204 : 405,
            base::Concat(head.method, " whose max-forwards has come to 0 ends there")};
  }
  for (const route::RuleMatch* other : table.OtherMatches(match, seen.view())) {
    if (SameGuards(ResolvedOf(match).policies, ResolvedOf(*other).policies)) continue;
    return {400, base::Concat(MatchName(match), " wins, but an origin may read the path as one of ", MatchName(*other),
                              ", which has other policies")};
  }
  return {};
}

}  // namespace portico::ctl
