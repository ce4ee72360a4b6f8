#include "dataplane/route/route_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/base/check.h"
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

bool IsWildcard(std::string_view hostname) {
  return hostname.starts_with("*.");
}

void Insert(std::vector<const RuleMatch*>& candidates, const RuleMatch& match) {
  const auto place = std::partition_point(candidates.begin(), candidates.end(),
                                          [&match](const RuleMatch* one) { return ComesBefore(*one, match); });
  candidates.insert(place, &match);
}

}  // namespace

RouteTable::ByHostname::ByHostname(const std::vector<ListenerRoutes>& listeners) : any(listeners.size()) {
  for (size_t i = 0; i < listeners.size(); ++i) {
    const std::string& hostname = listeners[i].hostname;
    // Of two listeners with the same port and hostname the first holds (api/check refuses the second).
    if (hostname.empty()) {
      any = std::min(any, i);
    } else if (IsWildcard(hostname)) {
      wildcards.emplace(hostname.substr(1), i);
    } else {
      exact.emplace(hostname, i);
    }
  }
}

RouteTable::RouteTable(std::vector<ListenerRoutes> listeners)
    : listeners_(std::move(listeners)),
      hosts_(listeners_.size()),
      by_hostname_(std::make_shared<const ByHostname>(listeners_)) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    Hosts& hosts = Own(hosts_[i]);
    for (const auto& [match, same] : listeners_[i].matches)
      Add(*match, Own(hosts.At(match->hostname)));
  }
}

RouteTable::RouteTable(const RouteTable& before, const std::vector<Change>& changes) : RouteTable(before) {
  PORTICO_CHECK(changes.size() == listeners_.size());
  for (size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].removed.empty() && changes[i].added.empty()) continue;
    Matches& matches = listeners_[i].matches;
    Hosts& hosts = Own(hosts_[i]);
    for (const SharedMatch& match : changes[i].removed) {
      const SharedMatch* found = matches.Find(match);
      PORTICO_CHECK(found != nullptr && *found == match, "what is removed must be there");
      Host& host = Own(hosts.At(match->hostname));
      Remove(*match, host);
      if (host.empty()) hosts.Erase(match->hostname);
      matches.Erase(match);
    }
    for (const SharedMatch& match : changes[i].added) {
      PORTICO_CHECK(!matches.contains(match), "no two matches are the same place in a Route");
      Add(*match, Own(hosts.At(match->hostname)));
      matches.Put(match, match);
    }
  }
}

const RouteTable::Host* RouteTable::Hosts::Find(std::string_view hostname) const {
  if (hostname.empty()) return any.get();
  const auto* found = IsWildcard(hostname) ? wildcards.Find(hostname.substr(1)) : exact.Find(hostname);
  return found == nullptr ? nullptr : found->get();
}

std::shared_ptr<RouteTable::Host>& RouteTable::Hosts::At(const std::string& hostname) {
  if (hostname.empty()) return any;
  return IsWildcard(hostname) ? wildcards.At(hostname.substr(1)) : exact.At(hostname);
}

void RouteTable::Hosts::Erase(const std::string& hostname) {
  if (hostname.empty()) {
    any = nullptr;
  } else if (IsWildcard(hostname)) {
    wildcards.Erase(hostname.substr(1));
  } else {
    exact.Erase(hostname);
  }
}

void RouteTable::Candidates::Insert(const RuleMatch& match) {
  if (first == nullptr) {
    first = &match;
  } else if (ComesBefore(match, *first)) {
    others.insert(others.begin(), std::exchange(first, &match));
  } else {
    route::Insert(others, match);
  }
}

void RouteTable::Candidates::Erase(const RuleMatch& match) {
  std::erase(others, &match);
  if (first != &match) return;
  first = others.empty() ? nullptr : others.front();
  if (first != nullptr) others.erase(others.begin());
}

const RuleMatch* RouteTable::Candidates::Match(const RequestView& request) const {
  if (ConditionsMiss(*first, request) == Miss::kNone) return first;
  for (const RuleMatch* other : others) {
    if (ConditionsMiss(*other, request) == Miss::kNone) return other;
  }
  return nullptr;
}

void RouteTable::Add(const RuleMatch& match, Host& host) {
  if (match.path_kind == PathKind::kRegex) return Insert(host.regexes, match);
  const bool is_prefix = match.path_kind == PathKind::kPrefix;
  Candidates& candidates = (is_prefix ? host.prefixes : host.exact).At(match.path);
  if (is_prefix && candidates.first == nullptr) CountPrefix(host, match.path.size(), true);
  candidates.Insert(match);
}

void RouteTable::Remove(const RuleMatch& match, Host& host) {
  if (match.path_kind == PathKind::kRegex) {
    std::erase(host.regexes, &match);
    return;
  }
  const bool is_prefix = match.path_kind == PathKind::kPrefix;
  ShardedMap<Candidates>& paths = is_prefix ? host.prefixes : host.exact;
  Candidates& candidates = paths.At(match.path);
  candidates.Erase(match);
  if (candidates.first != nullptr) return;
  paths.Erase(match.path);
  if (is_prefix) CountPrefix(host, match.path.size(), false);
}

void RouteTable::CountPrefix(Host& host, size_t length, bool is_there) {
  auto& lengths = host.prefix_lengths;
  const auto place = std::partition_point(lengths.begin(), lengths.end(),
                                          [length](const auto& entry) { return entry.first > length; });
  const bool known = place != lengths.end() && place->first == length;
  if (is_there && known) {
    ++place->second;
  } else if (is_there) {
    lengths.insert(place, {length, 1});
  } else if (--place->second == 0) {
    lengths.erase(place);
  }
}

const RuleMatch* RouteTable::MatchHost(const Host* host, const RequestView& request) {
  if (host == nullptr) return nullptr;
  const std::string_view path = request.path;
  if (const Candidates* found = host->exact.Find(path)) {
    if (const RuleMatch* match = found->Match(request)) return match;
  }
  if (path.starts_with('/')) {  // "*" has no prefix
    for (const auto& [length, count] : host->prefix_lengths) {
      if (length > path.size() || (length < path.size() && path[length] != '/')) continue;
      const Candidates* found = host->prefixes.Find(path.substr(0, length));
      if (found == nullptr) continue;
      if (const RuleMatch* match = found->Match(request)) return match;
    }
  }
  for (const RuleMatch* match : host->regexes) {
    if (PathAgrees(*match, path) && ConditionsMiss(*match, request) == Miss::kNone) return match;
  }
  return nullptr;
}

// Where no rule of the most specific hostname agrees, the less specific one is asked.
const RuleMatch* RouteTable::MatchHosts(const Hosts& hosts, const RequestView& request) {
  const RuleMatch* match = nullptr;
  if (const std::shared_ptr<Host>* found = hosts.exact.Find(request.host)) match = MatchHost(found->get(), request);
  if (match == nullptr && !hosts.wildcards.empty()) {
    ForEachSuffix(request.host, [&](std::string_view suffix) {
      if (const std::shared_ptr<Host>* found = hosts.wildcards.Find(suffix)) match = MatchHost(found->get(), request);
      return match != nullptr;
    });
  }
  return match != nullptr ? match : MatchHost(hosts.any.get(), request);
}

const ListenerRoutes* RouteTable::FindListener(std::string_view host) const {
  const ByHostname& known = *by_hostname_;
  size_t index = known.any;
  if (const auto found = known.exact.find(host); found != known.exact.end()) {
    index = found->second;
  } else if (!known.wildcards.empty()) {
    ForEachSuffix(host, [&](std::string_view suffix) {
      const auto found_suffix = known.wildcards.find(suffix);
      if (found_suffix != known.wildcards.end()) index = found_suffix->second;
      return found_suffix != known.wildcards.end();
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
  return MatchHosts(*hosts_[static_cast<size_t>(listener - listeners_.data())], request);
}

size_t RouteTable::EntriesNotSharedWith(const RouteTable& other) const {
  static const Host kNone;
  size_t count = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Hosts& theirs = *other.hosts_[i];
    count += hosts_[i]->exact.EntriesNotSharedWith(theirs.exact);
    count += hosts_[i]->wildcards.EntriesNotSharedWith(theirs.wildcards);
    std::set<std::string_view> hostnames;
    for (const auto& [match, same] : listeners_[i].matches)
      hostnames.insert(match->hostname);
    for (const std::string_view hostname : hostnames) {
      const Host& host = *hosts_[i]->Find(hostname);
      const Host* known = theirs.Find(hostname);
      if (known == nullptr) known = &kNone;
      if (known == &host) continue;
      count += host.exact.EntriesNotSharedWith(known->exact) + host.prefixes.EntriesNotSharedWith(known->prefixes);
    }
  }
  return count;
}

}  // namespace portico::route
