#ifndef PORTICO_DATAPLANE_OBSERVE_ACCESS_LOG_H_
#define PORTICO_DATAPLANE_OBSERVE_ACCESS_LOG_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/time.h"

namespace portico::observe {

// What became of a step of a composition.
struct StepRecord {
  std::string_view name;
  std::string_view outcome;  // "ok", "null", "fallback", "failed" or "unfinished"
  bool for_each = false;
  size_t items = 0;                    // its calls
  size_t failed = 0;                   // of them; more than there are if nobody can tell what to call for
  base::Duration begin{}, duration{};  // since the composition began

  // False: the composition was over before its turn, so that it has no time.
  bool HasBegun() const { return outcome != "unfinished" || items > 0; }
};

// What the access log says of one exchange, aborted ones too. Texts may hold any byte: they are the client's and the
// origin's. An empty text and a zero time are left out of the line.
struct ExchangeRecord {
  base::WallTime start{};
  base::Duration duration{};
  std::string_view client;    // the address that is believed, without port
  std::string_view protocol;  // "HTTP/1.1", "HTTP/2"
  std::string_view tls;       // "TLSv1.3"
  std::string_view method;
  std::string_view scheme;
  std::string_view authority;
  std::string_view target;                         // path and query, as sent
  std::span<const std::string> secret_parameters;  // lower case, decoded: more names than the customary ones
  int status = 0;                                  // 0: the client left before there was one
  uint64_t received_bytes = 0;                     // of request content
  uint64_t sent_bytes = 0;                         // of response content
  std::string_view route;                          // "namespace/name"
  std::string_view rule;
  std::string_view cluster;
  std::string_view endpoint;
  int attempts = 0;
  std::string_view composition;       // "namespace/name"
  std::span<const StepRecord> steps;  // "orders=ok products=ok(3) stock=fallback(1/3)": calls, or failed ones of them
  std::string_view retries;           // why there was more than one, and why not one more: "503, over_budget"
  std::string_view request_id;
  std::string_view trace_id;     // W3C Trace Context, as all three
  std::string_view span_id;      // of the exchange; its n-th attempt at an origin has this plus n
  std::string_view parent_span;  // who asked; empty: the trace begins here
  std::string_view subject;
  std::string_view consumer;
  std::string_view cache;  // what the cache had to do with it: "hit", "miss", "collapsed", "revalidated", "bypass"
  std::string_view limit;  // "namespace/policy/limit", that refused it or would have
  std::string_view limit_outcome;  // "limited", "would_limit"
  std::string_view error;          // proxy-status' error parameter
  std::string_view reason;         // for people: "denied by rule readers-only"
  bool aborted = false;            // no whole response reached the client
};

inline constexpr size_t kLogFieldBytesMax = 1024;  // of each text, before it is escaped; the rest is "…"
// What one line can take at the most: every text at its bound, every byte of it six (\u00XX).
inline constexpr size_t kLogLineBytesMax = 26 * (6 * kLogFieldBytesMax + 32);

// Appends one line, a JSON object and '\n'. Nothing in it is unescaped: no control byte, no invalid UTF-8. It never
// shows a header field, so no authorization and no cookie; and in the query the values of parameters that carry
// secrets by custom (access_token, api_key, apikey, assertion, auth, client_secret, code, id_token, key, password,
// refresh_token, secret, sig, signature, state, token), or that the record names, however they are encoded, are "***",
// with all up to the next `&`; behind a `;` too.
// No heap allocation where `line` has room for kLogLineBytesMax.
void AppendAccessLogLine(const ExchangeRecord& record, std::string& line);

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_ACCESS_LOG_H_
