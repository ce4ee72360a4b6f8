#ifndef PORTICO_DATAPLANE_ROUTE_ROUTE_TABLE_H_
#define PORTICO_DATAPLANE_ROUTE_ROUTE_TABLE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/base/shared_map.h"
#include "dataplane/route/match.h"
#include "dataplane/route/sharded_map.h"

namespace portico::route {

using SharedMatch = std::shared_ptr<const RuleMatch>;
struct SharedComesBefore {
  bool operator()(const SharedMatch& a, const SharedMatch& b) const { return ComesBefore(*a, *b); }
};
// In order of precedence, each under itself.
using Matches = base::SharedMap<SharedMatch, SharedMatch, SharedComesBefore>;

struct ListenerRoutes {
  std::string name;
  std::string hostname;  // lower case, "" any
  Matches matches;
};

// The Routes of one port: pure, immutable, shared by all workers.
//
//   RouteTable table(std::move(listeners));             // from route_config
//   const RuleMatch* match = table.Match(request);      // nullptr: 404
//   const Backend* backend = PickBackend(*match->rule, random());
//   RouteTable next(table, {{.removed = {a}, .added = {b}}});
//
// The listener is chosen first: of those on the port the one with the most specific hostname. Its rules alone are asked
// (a request for a listener that has no rule for it does not fall through to another, Gateway API's isolation). Then
// the most specific hostname of a rule with a match that agrees wins, and within it the first match in the order of
// precedence.
//
// Cost: a hash look-up for the host and for each of its labels that a wildcard could begin at, one for the whole path
// and one for each distinct length of prefix that ends at a segment of the path, then the regular expressions of the
// host one by one. The number of routes does not matter, neither for a request nor, but for a pointer for some thirty
// of them, for a change.
class RouteTable {
 public:
  // What a change takes from one listener and gives it: matches of the table before, and new ones.
  struct Change {
    std::vector<SharedMatch> removed;
    std::vector<SharedMatch> added;
  };

  explicit RouteTable(std::vector<ListenerRoutes> listeners);
  // As if made of the listeners of `before` with their changes (as many, in that order). It shares with `before` what
  // they have in common, and neither needs the other afterwards.
  RouteTable(const RouteTable& before, const std::vector<Change>& changes);
  RouteTable& operator=(const RouteTable&) = delete;

  // nullptr: no rule agrees. It lives as long as a table that has it.
  const RuleMatch* Match(const RequestView& request) const;

  // `match` has won the request, but an origin that reads the path otherwise (OtherReadings) would take it for one that
  // another rule has: "/admin;x" wins "/" and means /admin to some. These are the matches of other rules that win in
  // other readings, each once; nearly always none. If one of them has other guards than `match`, the request is a way
  // around them: whoever knows the guards refuses it. A match that names the whole path means it as it is spelt, and so
  // does a prefix that is spelt with ";" and the like, as far as it goes.
  std::vector<const RuleMatch*> OtherMatches(const RuleMatch& match, const RequestView& request) const;

  // The listener that answers for a host, nullptr if none does. For TLS: a request whose host has another listener than
  // the connection's SNI is misdirected (421, RFC 9110 section 15.5.20).
  const ListenerRoutes* FindListener(std::string_view host) const;

  const std::vector<ListenerRoutes>& listeners() const { return listeners_; }

  // How many entries of its index are not one with those of `other`: for tests of what a change costs.
  size_t EntriesNotSharedWith(const RouteTable& other) const;

 private:
  RouteTable(const RouteTable&) = default;

  // Of listeners_, which have the matches; so what an index shares is in the matches of each that shares it.
  // In order of precedence. The first, mostly the only one, is found without another step through memory.
  struct Candidates {
    const RuleMatch* first = nullptr;  // nullptr: there is none
    std::vector<const RuleMatch*> others;

    void Insert(const RuleMatch& match);
    void Erase(const RuleMatch& match);
    const RuleMatch* Match(const RequestView& request) const;
  };

  // The rules of one hostname.
  struct Host {
    ShardedMap<Candidates> exact;
    ShardedMap<Candidates> prefixes;
    std::vector<std::pair<size_t, size_t>> prefix_lengths;  // distinct, longest first, with how many prefixes have it
    std::vector<const RuleMatch*> regexes;                  // in order of precedence

    bool empty() const { return exact.empty() && prefixes.empty() && regexes.empty(); }
  };
  struct Hosts {
    ShardedMap<std::shared_ptr<Host>> exact;
    ShardedMap<std::shared_ptr<Host>> wildcards;  // by ".example.com"
    std::shared_ptr<Host> any;                    // nullptr: there is none

    const Host* Find(std::string_view hostname) const;
    std::shared_ptr<Host>& At(const std::string& hostname);
    void Erase(const std::string& hostname);
  };
  // Which listener is for which host: a place in listeners_.
  struct ByHostname {
    struct Hash {
      using is_transparent = void;
      size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    using Places = std::unordered_map<std::string, size_t, Hash, std::equal_to<>>;

    explicit ByHostname(const std::vector<ListenerRoutes>& listeners);

    Places exact;
    Places wildcards;  // by ".example.com"
    size_t any;        // listeners_.size(): there is none
  };

  static void Add(const RuleMatch& match, Host& host);
  static void Remove(const RuleMatch& match, Host& host);
  static void CountPrefix(Host& host, size_t length, bool is_there);
  static const RuleMatch* MatchHost(const Host* host, const RequestView& request);
  static const RuleMatch* MatchHosts(const Hosts& hosts, const RequestView& request);

  std::vector<ListenerRoutes> listeners_;
  std::vector<std::shared_ptr<Hosts>> hosts_;  // beside listeners_
  std::shared_ptr<const ByHostname> by_hostname_;
};

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_ROUTE_TABLE_H_
