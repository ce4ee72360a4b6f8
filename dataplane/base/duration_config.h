#ifndef PORTICO_DATAPLANE_BASE_DURATION_CONFIG_H_
#define PORTICO_DATAPLANE_BASE_DURATION_CONFIG_H_

#include <chrono>

#include "dataplane/base/time.h"
#include "google/protobuf/duration.pb.h"

namespace portico::base {

// A duration of a message as the proxy counts it, in whole microseconds. Its bounds are api/check's.
inline Duration DecodeDuration(const google::protobuf::Duration& message) {
  return std::chrono::seconds(message.seconds()) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(message.nanos()));
}

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_DURATION_CONFIG_H_
