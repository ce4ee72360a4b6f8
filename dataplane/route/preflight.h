#ifndef PORTICO_DATAPLANE_ROUTE_PREFLIGHT_H_
#define PORTICO_DATAPLANE_ROUTE_PREFLIGHT_H_

#include <string_view>

#include "dataplane/route/match.h"
#include "dataplane/route/route_table.h"

namespace portico::route {

// A browser's question before a request of a page of another origin: may it be made? (Fetch standard, section "CORS
// protocol".) It is an OPTIONS request with one `origin` and one `access-control-request-method`. What it asks for, or
// "" if the request is no such question.
std::string_view PreflightMethod(std::string_view method, const http::Fields& fields);

// Who answers a preflight.
struct AskedRule {
  const RuleMatch* match = nullptr;  // nullptr: nobody
  std::string_view method;           // by which it was found: what is asked for, or OPTIONS
  bool refused = false;              // the gateway itself, and the answer permits nothing
};

// `request` is OPTIONS, `match` what it wins as such, `answers` whether a rule has a CORS filter, which answers every
// preflight and lets none pass.
//
// - A rule that matches OPTIONS by name is asked for on purpose: it stays.
// - The rule that the request will win which is asked about answers, if it has a CORS filter. The filter alone sees
//   OPTIONS there, so nothing is forwarded by a rule that it does not match.
// - Else the rule of OPTIONS stays, and what is behind it may answer; but its own CORS filter does not speak for
//   another rule, which has none: that is refused.
AskedRule FindAsked(const RouteTable& table, const RequestView& request, const RuleMatch* match,
                    bool (*answers)(const RuleMatch&));

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_PREFLIGHT_H_
