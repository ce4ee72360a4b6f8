#ifndef PORTICO_DATAPLANE_EXPORT_PROMETHEUS_H_
#define PORTICO_DATAPLANE_EXPORT_PROMETHEUS_H_

#include <string>
#include <string_view>

#include "dataplane/observe/metrics.h"

namespace portico::exporting {

// The media type of what follows.
inline constexpr std::string_view kPrometheusMediaType = "text/plain; version=0.0.4; charset=utf-8";

// A snapshot in the Prometheus text format 0.0.4: families by name, series by label values, durations in seconds.
std::string PrometheusText(const observe::MetricsSnapshot& snapshot);

}  // namespace portico::exporting

#endif  // PORTICO_DATAPLANE_EXPORT_PROMETHEUS_H_
