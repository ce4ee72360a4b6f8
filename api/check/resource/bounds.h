#ifndef PORTICO_API_CHECK_RESOURCE_BOUNDS_H_
#define PORTICO_API_CHECK_RESOURCE_BOUNDS_H_

#include <string>

#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "google/protobuf/message.h"

namespace portico::check {

// Judges every field of a message, and of the messages in it, by the rules of bounds_table.h: what must be there, how
// many of it, how large, how long, which words. `path` is the message's own ("" for a resource's message), `key` what
// the violations are of. Fields that CheckSupported() refuses are passed over; a list of too many items is not walked.
Violations CheckBounds(const google::protobuf::Message& message, const std::string& path, const ResourceKey& key);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_BOUNDS_H_
