#ifndef PORTICO_API_YAML_TIMESTAMP_H_
#define PORTICO_API_YAML_TIMESTAMP_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/timestamp.pb.h"

namespace portico::yaml {

// A time as RFC 3339 has it, "2027-01-31T00:00:00Z": capitals, a day that the calendar has, at most nine decimals of a
// second, Z or an offset ("+01:00"). Stricter than section 5.6: no leap second (a Timestamp can't hold one), no lower
// case, no "-00:00" (an offset that nobody knows). Years 0001 to 9999. nullopt: it is not one.
std::optional<google::protobuf::Timestamp> ParseTimestamp(std::string_view text);

// In UTC, with none, three, six or nine decimals, whatever is least; reads back as the same message. kInvalidArgument:
// outside of the years 0001 to 9999, or nanoseconds that are none.
absl::StatusOr<std::string> FormatTimestamp(const google::protobuf::Timestamp& time);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_TIMESTAMP_H_
