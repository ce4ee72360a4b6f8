#ifndef PORTICO_TEST_SIMULATION_CONFIGURATION_H_
#define PORTICO_TEST_SIMULATION_CONFIGURATION_H_

#include <cstdint>
#include <memory>

#include "dataplane/base/random.h"
#include "dataplane/event/loop.h"
#include "dataplane/filters/filters.h"
#include "dataplane/snapshot/snapshot.h"
#include "test/simulation/judge.h"

namespace portico::simulation {

inline constexpr uint16_t kProxyPort = 8080;

// What a newer configuration changes besides its revision.
struct Variant {
  bool both_ones = true;  // cluster one has both its endpoints, or only the first
  bool both_twos = true;
  bool ones_speak_http2 = false;  // then connections of before must not be used again
  uint32_t weight = 50;           // of cluster one in the pair, in percent
  size_t connections_max = 1024;
  size_t stream_window_bytes = 256 * 1024;  // offered to clients
};
Variant RandomVariant(base::Random& random);

// The configuration of the proxy under test: a file as a user would write it, read, judged and built as a proxy does
// it. Then what no file can say is put in: the waiting filter, and deadlines that are short enough for a run.
// The loop (the worker's) and the judge outlive it; `state` is the run's.
std::shared_ptr<const snapshot::Snapshot> MakeSnapshot(uint64_t revision, const Variant& variant,
                                                       const filters::SharedState& state, event::Loop& loop,
                                                       Judge& judge);

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_CONFIGURATION_H_
