#ifndef PORTICO_DATAPLANE_BASE_TIMESTAMP_CONFIG_H_
#define PORTICO_DATAPLANE_BASE_TIMESTAMP_CONFIG_H_

#include <chrono>

#include "dataplane/base/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace portico::base {

// A time of a message as the proxy counts it, in whole microseconds. Its bounds (years 0001 to 9999, which no
// multiplication overflows) are api/check's.
inline WallTime DecodeTimestamp(const google::protobuf::Timestamp& message) {
  return WallTime(std::chrono::seconds(message.seconds()) +
                  std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(message.nanos())));
}

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_TIMESTAMP_CONFIG_H_
