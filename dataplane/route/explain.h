#ifndef PORTICO_DATAPLANE_ROUTE_EXPLAIN_H_
#define PORTICO_DATAPLANE_ROUTE_EXPLAIN_H_

#include <string>
#include <vector>

#include "dataplane/route/route_table.h"

namespace portico::route {

// Which rule wins a request, and of every other match why it does not. For people: porticoctl and the admin port. It
// asks the table for the winner and every match for its reason; it is as slow as there are matches.
struct Loser {
  const RuleMatch* match;
  Miss miss;           // kNone: it agrees as well but comes later
  std::string reason;  // "path: /orders is not the prefix …"
};

struct Explanation {
  const ListenerRoutes* listener = nullptr;  // nullptr: none answers for the host
  const RuleMatch* winner = nullptr;
  std::vector<Loser> losers;  // of all listeners, in order of precedence
};

Explanation Explain(const RouteTable& table, const RequestView& request);

// "GET PathPrefix /products, header x-canary = 1, on api.shop.example": a match in one line.
std::string Describe(const RuleMatch& match);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_EXPLAIN_H_
