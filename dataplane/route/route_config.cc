#include "dataplane/route/route_config.h"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/route/path.h"

namespace portico::route {
namespace {

std::optional<base::Duration> DecodeTimeout(bool is_set, const google::protobuf::Duration& duration) {
  const base::Duration out = base::DecodeDuration(duration);
  if (!is_set || out == base::Duration::zero()) return std::nullopt;  // 0s: no deadline (GEP-1742)
  return out;
}

FieldEdits DecodeEdits(const v1::HeaderModifier& message) {
  FieldEdits out;
  for (const v1::Header& header : message.set())
    out.set.emplace_back(base::LowerAscii(header.name()), header.value());
  for (const v1::Header& header : message.add())
    out.add.emplace_back(base::LowerAscii(header.name()), header.value());
  for (const std::string& name : message.remove())
    out.remove.push_back(base::LowerAscii(name));
  return out;
}

std::optional<PathRewrite> DecodePath(bool is_set, const v1::PathModifier& message) {
  if (!is_set) return std::nullopt;
  if (message.has_replace_full_path()) return PathRewrite{PathRewrite::Kind::kFull, message.replace_full_path()};
  return PathRewrite{PathRewrite::Kind::kPrefix, message.replace_prefix_match()};
}

Redirect DecodeRedirect(const v1::RequestRedirect& message) {
  Redirect out;
  out.scheme = message.scheme();
  out.hostname = message.hostname();
  out.path = DecodePath(message.has_path(), message.path());
  if (message.has_port()) out.port = static_cast<uint16_t>(message.port());
  if (message.has_status_code()) out.status = static_cast<int>(message.status_code());
  return out;
}

DirectResponse DecodeDirectResponse(const v1::DirectResponse& message) {
  DirectResponse out;
  out.status = static_cast<int>(message.status());
  for (const v1::Header& header : message.headers()) {
    out.fields.emplace_back(base::LowerAscii(header.name()), header.value());
  }
  out.content = message.body();
  return out;
}

void DecodeFilter(const v1::RouteFilter& filter, Rule& rule) {
  if (filter.has_request_header_modifier()) rule.request_edits = DecodeEdits(filter.request_header_modifier());
  if (filter.has_response_header_modifier()) rule.response_edits = DecodeEdits(filter.response_header_modifier());
  if (filter.has_request_redirect()) rule.redirect = DecodeRedirect(filter.request_redirect());
  if (filter.has_direct_response()) rule.direct_response = DecodeDirectResponse(filter.direct_response());
  if (filter.has_url_rewrite()) {
    rule.rewrite = UrlRewrite{filter.url_rewrite().hostname(),
                              DecodePath(filter.url_rewrite().has_path(), filter.url_rewrite().path())};
  }
}

Backend DecodeBackend(const resolve::ResolvedBackend& resolved) {
  Backend out;
  out.kind = resolved.key.kind == "Composition" ? BackendKind::kComposition : BackendKind::kCluster;
  out.name_space = resolved.key.name_space;
  out.name = resolved.key.name;
  if (resolved.port) out.port = static_cast<uint16_t>(*resolved.port);
  out.weight = resolved.weight;
  out.fault = resolved.fault;
  return out;
}

RetryPlan DecodeRetry(const v1::RouteRetry& message) {
  RetryPlan out;
  out.codes.assign(message.codes().begin(), message.codes().end());
  if (message.has_attempts()) out.attempts = message.attempts();
  if (message.has_backoff()) out.backoff = base::DecodeDuration(message.backoff());
  if (!message.methods().empty()) out.methods.assign(message.methods().begin(), message.methods().end());
  if (message.has_content_bytes_max()) out.content_bytes_max = message.content_bytes_max();
  return out;
}

template <typename Condition, typename Message>
absl::StatusOr<Condition> DecodeCondition(const Message& message, RegexCache& regexes) {
  Condition out{message.name(), message.value(), nullptr};
  if (message.type() != v1::VALUE_MATCH_TYPE_REGULAR_EXPRESSION) return out;
  absl::StatusOr<Regex> regex = regexes.Compile(message.value());
  if (!regex.ok()) return regex.status();
  out.regex = *std::move(regex);
  return out;
}

// The path of a match in the same spelling as the requests'.
absl::Status DecodePathMatch(const v1::PathMatch& message, RegexCache& regexes, RuleMatch& out) {
  out.path = message.value();
  if (message.type() == v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION) {
    out.path_kind = PathKind::kRegex;
    absl::StatusOr<Regex> regex = regexes.Compile(message.value());
    if (!regex.ok()) return regex.status();
    out.path_regex = *std::move(regex);
    return absl::OkStatus();
  }
  out.path_kind = message.type() == v1::PATH_MATCH_TYPE_EXACT ? PathKind::kExact : PathKind::kPrefix;
  if (out.path.empty() || !NeedsNormalising(out.path)) return absl::OkStatus();
  NormalisedPath normal = NormalisePath(out.path);
  out.path = std::move(normal.path);
  return normal.status;
}

absl::StatusOr<RuleMatch> DecodeMatch(const resolve::ResolvedMatch& resolved, std::shared_ptr<const Rule> rule,
                                      RegexCache& regexes) {
  RuleMatch out;
  out.hostname = resolved.hostname;
  out.method = resolved.match.method();
  out.index = resolved.index;
  out.rule = std::move(rule);
  if (absl::Status status = DecodePathMatch(resolved.match.path(), regexes, out); !status.ok()) return status;
  for (const v1::HeaderMatch& header : resolved.match.headers()) {
    absl::StatusOr<HeaderCondition> condition = DecodeCondition<HeaderCondition>(header, regexes);
    if (!condition.ok()) return condition.status();
    out.headers.push_back(*std::move(condition));
  }
  for (const v1::QueryParamMatch& query : resolved.match.query_params()) {
    absl::StatusOr<QueryCondition> condition = DecodeCondition<QueryCondition>(query, regexes);
    if (!condition.ok()) return condition.status();
    out.queries.push_back(*std::move(condition));
  }
  return out;
}

}  // namespace

absl::StatusOr<Regex> RegexCache::Compile(const std::string& text) {
  std::weak_ptr<const RE2>& known = compiled_[text];
  if (Regex regex = known.lock()) return regex;
  RE2::Options options;
  options.set_max_mem(kRegexMemoryBytesMax);
  options.set_log_errors(false);
  auto regex = std::make_shared<const RE2>(text, options);
  if (!regex->ok()) {
    compiled_.erase(text);
    return absl::InvalidArgumentError(regex->error());
  }
  known = regex;
  if (compiled_.size() > 2 * swept_size_ + 100) {
    std::erase_if(compiled_, [](const auto& entry) { return entry.second.expired(); });
    swept_size_ = compiled_.size();
  }
  return regex;
}

Rule BuildRule(const resolve::ResolvedGateway& gateway, const resolve::ResolvedRule& resolved) {
  const v1::RouteRule& message = resolved.message();
  Rule out;
  out.route = base::Concat(resolved.route.name_space, "/", resolved.route.name);
  out.name = message.name();
  out.index = resolved.index;
  out.route_age = resolved.resource->route().metadata().creation_revision();
  out.listener = gateway.listeners[resolved.listener].name;
  out.listener_port = static_cast<uint16_t>(gateway.listeners[resolved.listener].port);
  for (const v1::RouteFilter& filter : message.filters())
    DecodeFilter(filter, out);
  for (const resolve::ResolvedBackend& backend : resolved.backends) {
    out.backends.push_back(DecodeBackend(backend));
    out.weight_sum += backend.weight;
  }
  out.request_timeout = DecodeTimeout(message.timeouts().has_request(), message.timeouts().request());
  out.backend_request_timeout =
      DecodeTimeout(message.timeouts().has_backend_request(), message.timeouts().backend_request());
  if (message.has_retry()) out.retry = std::make_shared<const RetryPlan>(DecodeRetry(message.retry()));
  if (message.has_request_content_bytes_max()) out.request_content_bytes_max = message.request_content_bytes_max();
  return out;
}

absl::StatusOr<std::vector<SharedMatch>> BuildMatches(const resolve::ResolvedRoute& route,
                                                      const std::vector<std::shared_ptr<const Rule>>& rules,
                                                      RegexCache& regexes) {
  PORTICO_CHECK(rules.size() == route.rules.size());
  std::map<const resolve::ResolvedRule*, std::shared_ptr<const Rule>> built;
  for (size_t i = 0; i < rules.size(); ++i)
    built[route.rules[i].get()] = rules[i];
  std::vector<SharedMatch> out;
  for (const resolve::SharedMatch& match : route.matches) {
    const auto rule = built.find(match->rule.get());
    PORTICO_CHECK(rule != built.end(), "a Route's matches are those of its rules");
    absl::StatusOr<RuleMatch> decoded = DecodeMatch(*match, rule->second, regexes);
    if (!decoded.ok()) {
      return absl::InvalidArgumentError(
          base::ToAbsl(base::Concat(match->rule->route.ToString(), ": spec.rules[", match->rule->index, "].matches[",
                                    match->index, "]: ", base::ToStd(decoded.status().message()))));
    }
    out.push_back(std::make_shared<const RuleMatch>(*std::move(decoded)));
  }
  return out;
}

std::vector<uint16_t> PortsOf(const resolve::ResolvedGateway& gateway) {
  std::set<uint16_t> ports;
  for (const resolve::ResolvedListener& listener : gateway.listeners) {
    ports.insert(static_cast<uint16_t>(listener.port));
  }
  return {ports.begin(), ports.end()};
}

std::vector<ListenerRoutes> ListenersOf(const resolve::ResolvedGateway& gateway, uint16_t port) {
  std::vector<ListenerRoutes> out;
  for (const resolve::ResolvedListener& listener : gateway.listeners) {
    if (listener.port == port) out.push_back({listener.name, listener.hostname, {}});
  }
  return out;
}

absl::StatusOr<std::unique_ptr<const RouteTable>> BuildRouteTable(const resolve::ResolvedGateway& gateway,
                                                                  uint16_t port, const MakeRule& make_rule) {
  std::vector<ListenerRoutes> listeners = ListenersOf(gateway, port);
  std::map<size_t, size_t> places;  // of the gateway's listeners in `listeners`
  for (size_t i = 0; i < gateway.listeners.size(); ++i) {
    if (gateway.listeners[i].port == port) places.emplace(i, places.size());
  }
  RegexCache regexes;
  for (const auto& [key, route] : gateway.routes) {
    std::vector<std::shared_ptr<const Rule>> rules;
    for (const resolve::SharedRule& rule : route->rules)
      rules.push_back(make_rule ? make_rule(rule) : std::make_shared<const Rule>(BuildRule(gateway, *rule)));
    absl::StatusOr<std::vector<SharedMatch>> matches = BuildMatches(*route, rules, regexes);
    if (!matches.ok()) return matches.status();
    for (size_t i = 0; i < matches->size(); ++i) {
      const auto place = places.find(route->matches[i]->rule->listener);
      if (place != places.end()) listeners[place->second].matches.Put((*matches)[i], (*matches)[i]);
    }
  }
  return std::make_unique<const RouteTable>(std::move(listeners));
}

}  // namespace portico::route
