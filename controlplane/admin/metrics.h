#ifndef PORTICO_CONTROLPLANE_ADMIN_METRICS_H_
#define PORTICO_CONTROLPLANE_ADMIN_METRICS_H_

#include <string>

#include "controlplane/admin/pages.h"

namespace portico::admin {

// The page /metrics in Prometheus' text format; README.md lists the families. Empty without a model.
std::string Metrics(const State& state);

}  // namespace portico::admin

#endif  // PORTICO_CONTROLPLANE_ADMIN_METRICS_H_
