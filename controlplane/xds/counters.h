#ifndef PORTICO_CONTROLPLANE_XDS_COUNTERS_H_
#define PORTICO_CONTROLPLANE_XDS_COUNTERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"

namespace portico::xds {

// What the streams did since the start.
struct Counts {
  uint64_t streams = 0;         // open now
  uint64_t refused = 0;         // streams that were not taken in: too many
  uint64_t responses = 0;       // sent
  uint64_t response_bytes = 0;  // of those
  uint64_t marks = 0;           // of those: each ends a revision, as one proxy gets it
  // What clients said of responses, by kind ("Route"; "other": a type that we do not have).
  struct Answers {
    uint64_t taken = 0;    // ACK
    uint64_t refused = 0;  // NACK
  };
  std::map<std::string, Answers> answers = {};
};

// Counts, for metrics. Any thread.
class Counters {
 public:
  void OnOpened();
  void OnRefused();
  void OnClosed();
  void OnResponse(size_t bytes, bool mark);
  // One that answers no response is nothing.
  void OnRequest(const envoy::service::discovery::v3::DeltaDiscoveryRequest& request);

  Counts Read() const;

 private:
  mutable absl::Mutex mutex_;
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_COUNTERS_H_
