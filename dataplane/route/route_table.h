#ifndef PORTICO_DATAPLANE_ROUTE_ROUTE_TABLE_H_
#define PORTICO_DATAPLANE_ROUTE_ROUTE_TABLE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataplane/route/match.h"

namespace portico::route {

// The Routes of one port: pure, immutable, shared by all workers.
//
//   RouteTable table(std::move(listeners));             // from route_config
//   const RuleMatch* match = table.Match(request);      // nullptr: 404
//   const Backend* backend = PickBackend(*match->rule, random());
//
// The listener is chosen first: of those on the port the one with the most specific hostname. Its rules alone are asked
// (a request for a listener that has no rule for it does not fall through to another, Gateway API's isolation). Then
// the most specific hostname of a rule with a match that agrees wins, and within it the first match in the order of
// precedence.
//
// Cost: a hash look-up for the host and for each of its labels that a wildcard could begin at, one for the whole path
// and one for each distinct length of prefix that ends at a segment of the path, then the regular expressions of the
// host one by one. The number of routes does not matter.
struct ListenerRoutes {
  std::string name;
  std::string hostname;            // lower case, "" any
  std::vector<RuleMatch> matches;  // in order of precedence (resolve::ResolvedListener::matches)
};

class RouteTable {
 public:
  explicit RouteTable(std::vector<ListenerRoutes> listeners);
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  // nullptr: no rule agrees. It lives as long as the table.
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

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename Value>
  using TextMap = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;
  using Candidates = std::vector<const RuleMatch*>;  // in order of precedence

  // The rules of one hostname.
  struct Host {
    TextMap<Candidates> exact;
    TextMap<Candidates> prefixes;
    std::vector<size_t> prefix_lengths;  // distinct, longest first
    Candidates regexes;
  };
  struct Hosts {
    TextMap<Host> exact;
    TextMap<Host> wildcards;  // by ".example.com"
    Host any;
  };

  static void Index(const std::vector<RuleMatch>& matches, Hosts& hosts);
  static void SortLengths(Host& host);
  static const RuleMatch* MatchHost(const Host& host, const RequestView& request);
  static const RuleMatch* MatchHosts(const Hosts& hosts, const RequestView& request);

  const std::vector<ListenerRoutes> listeners_;
  std::vector<Hosts> hosts_;  // beside listeners_
  TextMap<size_t> exact_listeners_;
  TextMap<size_t> wildcard_listeners_;  // by ".example.com"
  size_t any_listener_;                 // listeners_.size(): there is none
};

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_ROUTE_TABLE_H_
