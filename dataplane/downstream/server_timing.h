#ifndef PORTICO_DATAPLANE_DOWNSTREAM_SERVER_TIMING_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_SERVER_TIMING_H_

#include <optional>
#include <span>
#include <string>

#include "dataplane/base/time.h"
#include "dataplane/call/call.h"
#include "dataplane/http/fields.h"
#include "dataplane/net/address.h"
#include "dataplane/observe/access_log.h"

namespace portico::downstream {

// Where an exchange's time went until its response's head, for clients that may ask (Gateway.spec.serverTiming). Pure.
// An answer that tells it is to be stored by nobody: a cache in front would tell it to others.

// Takes portico-timing off the request, whoever sent it: it is for nobody else, and a gateway behind this one that
// believes this one's address must not take it for a question of ours. True: it says 1, and the client is of these
// networks.
bool TakeTimingRequest(http::Fields& fields, const net::Address& client, std::span<const net::Network4Or6> networks);

struct Timing {
  std::optional<base::Duration> filters;  // nullopt: there were none, or they are not through
  call::CallFacts call;                   // without attempts: no origin was asked
  std::span<const observe::StepRecord> steps;
};

// The value of server-timing (W3C), in milliseconds:
//
//   filters;dur=0.2, retries;dur=27.9, connect;dur=0.4, origin;dur=12.3
//   filters;dur=0.2, step-orders;dur=12.1;desc="ok start=0.3", step-stock;dur=30.2;desc="fallback start=12.5"
//
// `retries` is what the attempts before the last one took, with their pauses. A step that has not begun is left out.
std::string ServerTiming(const Timing& timing);

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_SERVER_TIMING_H_
