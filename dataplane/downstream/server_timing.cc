#include "dataplane/downstream/server_timing.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "api/base/text.h"

namespace portico::downstream {
namespace {

// One place behind the point.
std::string Milliseconds(base::Duration duration) {
  const auto tenths = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0)) / 100;
  return base::Concat(tenths / 10, ".", tenths % 10);
}

void Add(std::string& out, std::string_view name, std::string_view rest, base::Duration duration) {
  if (!out.empty()) out += ", ";
  base::AppendTo(out, base::Concat(name, rest, ";dur=", Milliseconds(duration)));
}

}  // namespace

bool TakeTimingRequest(http::Fields& fields, const net::Address& client, std::span<const net::Network4Or6> networks) {
  const auto asked = fields.Find(http::FieldId::kPorticoTiming);
  if (!asked) return false;
  const bool asks = *asked == "1";
  fields.Remove(http::FieldId::kPorticoTiming);
  return asks && std::any_of(networks.begin(), networks.end(),
                             [&](const net::Network4Or6& network) { return network.Contains(client); });
}

std::string ServerTiming(const Timing& timing) {
  std::string out;
  if (timing.filters) Add(out, "filters", "", *timing.filters);
  if (timing.call.attempts > 0) {
    if (timing.call.before > base::Duration(0)) Add(out, "retries", "", timing.call.before);
    Add(out, "connect", "", timing.call.connect);
    Add(out, "origin", "", timing.call.origin);
  }
  for (const observe::StepRecord& step : timing.steps) {
    if (!step.HasBegun()) continue;
    Add(out, "step-", step.name, step.duration);
    base::AppendTo(out, base::Concat(";desc=\"", step.outcome, " start=", Milliseconds(step.begin), "\""));
  }
  return out;
}

}  // namespace portico::downstream
