#ifndef PORTICO_API_YAML_MESSAGE_READER_H_
#define PORTICO_API_YAML_MESSAGE_READER_H_

#include <string>
#include <string_view>

#include "api/yaml/problem.h"
#include "api/yaml/tree.h"
#include "google/protobuf/message.h"

namespace portico::yaml {

// Fills a message from a tree by its descriptor and goes on after an error, so that one reading finds many.
//
// - Names are lowerCamel or snake_case; both of one field are a duplicate. Unknown names are answered with the nearest.
// - Text takes any plain scalar (`value: 1` is "1"), numbers and true/false take theirs without quotes alone,
//   enumerations the spelling of `yaml_name`, Durations GEP-2257, Timestamps RFC 3339. null is never a value, except
//   inside google.protobuf.Value, whose scalars are JSON's: `yes` and `012` are text there.
class MessageReader {
 public:
  // All must outlive it.
  MessageReader(std::string_view file, SourceMap& source, Problems& problems)
      : file_(file), source_(source), problems_(problems) {}

  // `node` is a map; `path` is its own.
  void ReadMessage(const Node& node, const std::string& path, google::protobuf::Message& message);

  void Add(Position position, std::string path, std::string message);

 private:
  using Field = google::protobuf::FieldDescriptor;

  void ReadField(const Node& value, const std::string& path, const Field& field, google::protobuf::Message& message);
  void ReadList(const Node& value, const std::string& path, const Field& field, google::protobuf::Message& message);
  void ReadTextMap(const Node& value, const std::string& path, const Field& field, google::protobuf::Message& message);
  void ReadSubmessage(const Node& value, const std::string& path, google::protobuf::Message& message);
  void ReadDuration(const Node& value, const std::string& path, google::protobuf::Message& message);
  void ReadTimestamp(const Node& value, const std::string& path, google::protobuf::Message& message);
  void ReadScalar(const Node& value, const std::string& path, const Field& field, google::protobuf::Message& message);
  void ReadInteger(const Node& value, const std::string& path, const Field& field, google::protobuf::Message& message);
  void ReadEnum(const Node& value, const std::string& path, const Field& field, google::protobuf::Message& message);
  void ReadJson(const Node& value, const std::string& path, google::protobuf::Message& message);
  bool CheckOneof(Position position, const std::string& path, const Field& field,
                  const google::protobuf::Message& message);

  const std::string file_;
  SourceMap& source_;
  Problems& problems_;
};

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_MESSAGE_READER_H_
