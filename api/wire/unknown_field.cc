#include "api/wire/unknown_field.h"

#include <vector>

#include "api/base/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace portico::wire {
namespace {

using base::Concat;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::optional<std::string> Find(const Message& message, const std::string& path);

std::optional<std::string> CheckNumber(const FieldDescriptor& field, int number, const std::string& path) {
  if (field.enum_type()->FindValueByNumber(number) != nullptr) return std::nullopt;
  return Concat(path, ": unknown value ", number);
}

std::optional<std::string> CheckItem(const Message& message, const FieldDescriptor& field, int i,
                                     const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM)
    return CheckNumber(field, reflection.GetRepeatedEnumValue(message, &field, i), path);
  return Find(reflection.GetRepeatedMessage(message, &field, i), path);
}

std::optional<std::string> CheckField(const Message& message, const FieldDescriptor& field, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_map()) {
    // In no order of their own; the answer must not hang on that.
    std::optional<std::string> first;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const auto found = Find(reflection.GetRepeatedMessage(message, &field, i), path);
      if (found.has_value() && (!first.has_value() || *found < *first)) first = found;
    }
    return first;
  }
  if (field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      if (auto found = CheckItem(message, field, i, Concat(path, "[", i, "]")); found.has_value()) return found;
    }
    return std::nullopt;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM)
    return CheckNumber(field, reflection.GetEnumValue(message, &field), path);
  return Find(reflection.GetMessage(message, &field), path);
}

std::optional<std::string> Find(const Message& message, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) return Concat(path, path.empty() ? "" : ": ", "unknown field ", unknown.field(0).number());
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const auto type = field->cpp_type();
    if (type != FieldDescriptor::CPPTYPE_ENUM && type != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string inner = Concat(path, path.empty() ? "" : ".", field->json_name());
    if (auto found = CheckField(message, *field, inner); found.has_value()) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FindUnknownField(const Message& message) {
  return Find(message, "");
}

}  // namespace portico::wire
