#include "api/yaml/walk.h"

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/check.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"
#include "api/yaml/timestamp.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace portico::yaml {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Walker {
 public:
  explicit Walker(Layout& layout) : layout_(layout) {}

  void Fields(const Message& message) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      layout_.Key(field->json_name());
      if (field->is_map()) {
        TextMap(message, *field);
      } else if (field->is_repeated()) {
        List(message, *field);
      } else {
        Value(message, *field, -1);
      }
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  void TextMap(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    std::map<std::string, std::string> sorted;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      sorted[entry.GetReflection()->GetString(entry, field.message_type()->map_key())] =
          entry.GetReflection()->GetString(entry, field.message_type()->map_value());
    }
    layout_.BeginMap();
    for (const auto& [key, value] : sorted) {
      layout_.Key(key);
      layout_.Text(value);
    }
    layout_.EndMap();
  }

  void List(const Message& message, const FieldDescriptor& field) {
    layout_.BeginList();
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i)
      Value(message, field, i);
    layout_.EndList();
  }

  // The value of a field, or of its element `index`.
  void Value(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& reflection = *message.GetReflection();
    const bool one = index < 0;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return layout_.Text(one ? reflection.GetString(message, &field)
                                : reflection.GetRepeatedString(message, &field, index));
      case FieldDescriptor::CPPTYPE_BOOL:
        return layout_.Literal(reflection.GetBool(message, &field) ? "true" : "false");
      case FieldDescriptor::CPPTYPE_ENUM: {
        const std::string name =
            EnumName(one ? *reflection.GetEnum(message, &field) : *reflection.GetRepeatedEnum(message, &field, index));
        if (name.empty()) Fail(base::Concat(field.full_name(), " has a value without a name"));
        return layout_.Word(name);
      }
      case FieldDescriptor::CPPTYPE_INT32:
        return layout_.Literal(base::Concat(reflection.GetInt32(message, &field)));
      case FieldDescriptor::CPPTYPE_UINT64:
        return layout_.Literal(base::Concat(reflection.GetUInt64(message, &field)));
      case FieldDescriptor::CPPTYPE_UINT32:
        return layout_.Literal(base::Concat(one ? reflection.GetUInt32(message, &field)
                                                : reflection.GetRepeatedUInt32(message, &field, index)));
      default:
        PORTICO_CHECK(field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE, "a type of field that has no rule");
        return Submessage(one ? reflection.GetMessage(message, &field)
                              : reflection.GetRepeatedMessage(message, &field, index));
    }
  }

  void Submessage(const Message& message) {
    const std::string& type = message.GetDescriptor()->full_name();
    if (type == "google.protobuf.Value") {
      layout_.Json(static_cast<const google::protobuf::Value&>(message));
    } else if (type == "google.protobuf.Duration") {
      Word(FormatDuration(static_cast<const google::protobuf::Duration&>(message)));
    } else if (type == "google.protobuf.Timestamp") {
      Word(FormatTimestamp(static_cast<const google::protobuf::Timestamp&>(message)));
    } else {
      layout_.BeginMap();
      Fields(message);
      layout_.EndMap();
    }
  }

  void Word(const absl::StatusOr<std::string>& text) {
    if (!text.ok()) Fail(base::ToStd(text.status().message()));
    layout_.Word(text.ok() ? *text : "");
  }

  void Fail(std::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(base::ToAbsl(message));
  }

  Layout& layout_;
  absl::Status status_;
};

}  // namespace

absl::Status WalkFields(const Message& message, Layout& layout) {
  Walker walker(layout);
  walker.Fields(message);
  return walker.status();
}

}  // namespace portico::yaml
