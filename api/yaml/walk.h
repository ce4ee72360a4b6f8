#ifndef PORTICO_API_YAML_WALK_H_
#define PORTICO_API_YAML_WALK_H_

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"

namespace portico::yaml {

// How the language writes a message, whatever the syntax: told field by field to whoever lays it out. A map's keys and
// their values alternate between BeginMap and EndMap, a list's values stand between BeginList and EndList.
class Layout {
 public:
  virtual ~Layout() = default;
  virtual void BeginMap() = 0;
  virtual void Key(std::string_view name) = 0;
  virtual void EndMap() = 0;
  virtual void BeginList() = 0;
  virtual void EndList() = 0;

  virtual void Text(std::string_view text) = 0;
  virtual void Word(std::string_view word) = 0;     // of an enumeration, a duration, a time: no quotes in YAML
  virtual void Literal(std::string_view text) = 0;  // a number, true or false
  virtual void Json(const google::protobuf::Value& value) = 0;
};

// The keys and values of a message, inside a map that the caller has begun: what is set in the order of the .proto
// files, names in lowerCamel, maps by key, enumerations as `yaml_name` spells them, durations as GEP-2257 does,
// times as RFC 3339 does. kInvalidArgument: a value that the language cannot write (an unknown number of an
// enumeration, a negative duration), which is told as an empty word; the rest is told all the same.
absl::Status WalkFields(const google::protobuf::Message& message, Layout& layout);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_WALK_H_
