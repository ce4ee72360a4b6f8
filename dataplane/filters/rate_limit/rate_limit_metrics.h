#ifndef PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_METRICS_H_
#define PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_METRICS_H_

#include "dataplane/observe/metrics.h"
#include "dataplane/shared/bucket_table.h"

namespace portico::rate_limit {

// Adds what the limits have counted to `metrics`, when it is scraped: the tables count for all workers themselves, and
// a series lives as long as its table.
void AddMetrics(const shared::BucketTables& tables, observe::MetricsSnapshot& metrics);

}  // namespace portico::rate_limit

#endif  // PORTICO_DATAPLANE_FILTERS_RATE_LIMIT_RATE_LIMIT_METRICS_H_
