#include "dataplane/route/route_table.h"

#include <algorithm>

#include "api/base/text.h"
#include "dataplane/route/path.h"

namespace portico::route {
namespace {

// Calls `visit` with ".b.example.com", ".example.com" and ".com" for "a.b.example.com" until it returns true: what may
// stand after a wildcard, the longest first. The first label stays with the '*'.
template <typename Visit>
void ForEachSuffix(std::string_view host, Visit visit) {
  for (size_t dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
    if (visit(host.substr(dot))) return;
  }
}

const RuleMatch* First(const std::vector<const RuleMatch*>& candidates, const RequestView& request) {
  for (const RuleMatch* candidate : candidates) {
    if (ConditionsMiss(*candidate, request) == Miss::kNone) return candidate;
  }
  return nullptr;
}

bool IsWildcard(std::string_view hostname) {
  return hostname.starts_with("*.");
}

}  // namespace

RouteTable::RouteTable(std::vector<ListenerRoutes> listeners)
    : listeners_(std::move(listeners)), hosts_(listeners_.size()), any_listener_(listeners_.size()) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    const std::string& hostname = listeners_[i].hostname;
    // Of two listeners with the same port and hostname the first holds (api/check refuses the second).
    if (hostname.empty()) {
      any_listener_ = std::min(any_listener_, i);
    } else if (IsWildcard(hostname)) {
      wildcard_listeners_.emplace(hostname.substr(1), i);
    } else {
      exact_listeners_.emplace(hostname, i);
    }
    Index(listeners_[i].matches, hosts_[i]);
  }
}

void RouteTable::Index(const std::vector<RuleMatch>& matches, Hosts& hosts) {
  for (const RuleMatch& match : matches) {
    Host& host = match.hostname.empty()       ? hosts.any
                 : IsWildcard(match.hostname) ? hosts.wildcards[match.hostname.substr(1)]
                                              : hosts.exact[match.hostname];
    switch (match.path_kind) {
      case PathKind::kExact:
        host.exact[match.path].push_back(&match);
        break;
      case PathKind::kPrefix:
        host.prefixes[match.path].push_back(&match);
        break;
      case PathKind::kRegex:
        host.regexes.push_back(&match);
        break;
    }
  }
  for (auto& [name, host] : hosts.exact)
    SortLengths(host);
  for (auto& [name, host] : hosts.wildcards)
    SortLengths(host);
  SortLengths(hosts.any);
}

void RouteTable::SortLengths(Host& host) {
  for (const auto& [prefix, candidates] : host.prefixes)
    host.prefix_lengths.push_back(prefix.size());
  std::sort(host.prefix_lengths.begin(), host.prefix_lengths.end(), std::greater<>());
  host.prefix_lengths.erase(std::unique(host.prefix_lengths.begin(), host.prefix_lengths.end()),
                            host.prefix_lengths.end());
}

const RuleMatch* RouteTable::MatchHost(const Host& host, const RequestView& request) {
  const std::string_view path = request.path;
  if (const auto found = host.exact.find(path); found != host.exact.end()) {
    if (const RuleMatch* match = First(found->second, request)) return match;
  }
  if (path.starts_with('/')) {  // "*" has no prefix
    for (const size_t length : host.prefix_lengths) {
      if (length > path.size() || (length < path.size() && path[length] != '/')) continue;
      const auto found = host.prefixes.find(path.substr(0, length));
      if (found == host.prefixes.end()) continue;
      if (const RuleMatch* match = First(found->second, request)) return match;
    }
  }
  for (const RuleMatch* match : host.regexes) {
    if (PathAgrees(*match, path) && ConditionsMiss(*match, request) == Miss::kNone) return match;
  }
  return nullptr;
}

// Where no rule of the most specific hostname agrees, the less specific one is asked.
const RuleMatch* RouteTable::MatchHosts(const Hosts& hosts, const RequestView& request) {
  const RuleMatch* match = nullptr;
  if (const auto found = hosts.exact.find(request.host); found != hosts.exact.end()) {
    match = MatchHost(found->second, request);
  }
  if (match == nullptr && !hosts.wildcards.empty()) {
    ForEachSuffix(request.host, [&](std::string_view suffix) {
      const auto found = hosts.wildcards.find(suffix);
      if (found != hosts.wildcards.end()) match = MatchHost(found->second, request);
      return match != nullptr;
    });
  }
  return match != nullptr ? match : MatchHost(hosts.any, request);
}

const ListenerRoutes* RouteTable::FindListener(std::string_view host) const {
  size_t index = any_listener_;
  if (const auto found = exact_listeners_.find(host); found != exact_listeners_.end()) {
    index = found->second;
  } else if (!wildcard_listeners_.empty()) {
    ForEachSuffix(host, [&](std::string_view suffix) {
      const auto found_suffix = wildcard_listeners_.find(suffix);
      if (found_suffix != wildcard_listeners_.end()) index = found_suffix->second;
      return found_suffix != wildcard_listeners_.end();
    });
  }
  return index == listeners_.size() ? nullptr : &listeners_[index];
}

std::vector<const RuleMatch*> RouteTable::OtherMatches(const RuleMatch& match, const RequestView& request) const {
  std::vector<const RuleMatch*> out;
  if (match.path_kind == PathKind::kExact) return out;
  const bool meant = match.path_kind == PathKind::kPrefix && !OtherReadings(match.path).empty();
  const size_t as_spelt = meant ? match.path.size() : 0;
  for (const std::string& reading : OtherReadings(request.path.substr(as_spelt))) {
    const std::string path = base::Concat(request.path.substr(0, as_spelt), reading);
    RequestView other_request = request;
    other_request.path = path;
    const RuleMatch* other = Match(other_request);
    if (other == nullptr || other->rule == match.rule) continue;
    if (std::find(out.begin(), out.end(), other) == out.end()) out.push_back(other);
  }
  return out;
}

const RuleMatch* RouteTable::Match(const RequestView& request) const {
  const ListenerRoutes* listener = FindListener(request.host);
  if (listener == nullptr) return nullptr;
  return MatchHosts(hosts_[static_cast<size_t>(listener - listeners_.data())], request);
}

}  // namespace portico::route
