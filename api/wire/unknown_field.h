#ifndef PORTICO_API_WIRE_UNKNOWN_FIELD_H_
#define PORTICO_API_WIRE_UNKNOWN_FIELD_H_

#include <optional>
#include <string>

#include "google/protobuf/message.h"

namespace portico::wire {

// What of a message this build does not know, at any depth: a field, or a value of an enum (proto3 keeps its number in
// the field as if it were known). A proxy refuses such a resource: a rule half understood is a hole. The first by field
// number; nullopt: all is known.
//
// "spec.rules[0]: unknown field 17", "spec.listeners[1].protocol: unknown value 9".
//
// The message was parsed from bytes, so its depth is bounded by the parser.
std::optional<std::string> FindUnknownField(const google::protobuf::Message& message);

}  // namespace portico::wire

#endif  // PORTICO_API_WIRE_UNKNOWN_FIELD_H_
