#include "tools/ctl/print_json.h"

#include <map>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace portico::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void AppendMembers(std::string& out, const Message& message, std::string_view separator);

void AppendMessage(std::string& out, const Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Duration") {
    const auto text = yaml::FormatDuration(static_cast<const google::protobuf::Duration&>(message));
    base::AppendJsonString(out, text.ok() ? *text : message.ShortDebugString());  // what no check would have let in
  } else if (type == "google.protobuf.Value") {
    std::string text;
    (void)google::protobuf::util::MessageToJsonString(message, &text);
    out += text;
  } else {
    out += '{';
    AppendMembers(out, message, "");
    out += '}';
  }
}

// The value of a field, or of its element `index`.
void AppendValue(std::string& out, const Message& message, const FieldDescriptor& field, int index) {
  const auto& reflection = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return base::AppendJsonString(
          out, one ? reflection.GetString(message, &field) : reflection.GetRepeatedString(message, &field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      out += reflection.GetBool(message, &field) ? "true" : "false";
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      return base::AppendJsonString(out, yaml::EnumName(*reflection.GetEnum(message, &field)));
    case FieldDescriptor::CPPTYPE_INT32:
      return base::AppendTo(out, reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return base::AppendTo(out, reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return base::AppendTo(
          out, one ? reflection.GetUInt32(message, &field) : reflection.GetRepeatedUInt32(message, &field, index));
    default:
      AppendMessage(
          out, one ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index));
  }
}

void AppendMap(std::string& out, const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  std::map<std::string, std::string> sorted;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    sorted[entry.GetReflection()->GetString(entry, field.message_type()->map_key())] =
        entry.GetReflection()->GetString(entry, field.message_type()->map_value());
  }
  out += '{';
  std::string_view separator;
  for (const auto& [key, value] : sorted) {
    out += separator;
    separator = ", ";
    base::AppendJsonString(out, key);
    out += ": ";
    base::AppendJsonString(out, value);
  }
  out += '}';
}

void AppendMembers(std::string& out, const Message& message, std::string_view separator) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    out += separator;
    separator = ", ";
    base::AppendJsonString(out, field->json_name());
    out += ": ";
    if (field->is_map()) {
      AppendMap(out, message, *field);
    } else if (field->is_repeated()) {
      out += '[';
      for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
        if (i > 0) out += ", ";
        AppendValue(out, message, *field, i);
      }
      out += ']';
    } else {
      AppendValue(out, message, *field, -1);
    }
  }
}

std::string Line(const portico::v1::Resource& resource) {
  const auto& reflection = *resource.GetReflection();
  const FieldDescriptor* kind = reflection.GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return "null";
  std::string out =
      base::Concat("{\"apiVersion\": \"portico.dev/v1\", \"kind\": \"", kind->message_type()->name(), "\"");
  AppendMembers(out, reflection.GetMessage(resource, kind), ", ");
  return out + "}";
}

}  // namespace

std::string ResourceJson(const portico::v1::Resource& resource) {
  return Line(resource) + "\n";
}

std::string ResourcesJson(const std::vector<portico::v1::Resource>& resources) {
  std::string out = "[";
  for (const portico::v1::Resource& resource : resources)
    out += base::Concat(out.size() == 1 ? "\n  " : ",\n  ", Line(resource));
  return out + (resources.empty() ? "]\n" : "\n]\n");
}

}  // namespace portico::ctl
