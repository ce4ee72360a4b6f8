#include "api/check/resource/supported.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/portico/v1/options.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace portico::check {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Walk {
 public:
  Walk(ResourceKey key, bool system_fields) : key_(std::move(key)), system_fields_(system_fields) {}

  void Visit(const Message& message, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    if (!reflection.GetUnknownFields(message).empty()) Add(path, "holds a field that this version does not know");
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      VisitField(message, *field, path.empty() ? field->json_name() : base::Concat(path, ".", field->json_name()));
    }
  }

  Violations Take() { return std::move(violations_); }

 private:
  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }

  void VisitField(const Message& message, const FieldDescriptor& field, const std::string& path) {
    if (field.options().GetExtension(portico::v1::not_yet)) return Add(path, "is not supported yet");
    if (!system_fields_ && field.options().GetExtension(portico::v1::system_only)) {
      return Add(path, "is written by the system alone; leave it out");
    }
    if (field.is_map()) return;
    const Reflection& reflection = *message.GetReflection();
    const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
    for (int i = 0; i < count; ++i) {
      const std::string item = field.is_repeated() ? base::Concat(path, "[", i, "]") : path;
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && IsOurs(field)) {
        Visit(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, i)
                                  : reflection.GetMessage(message, &field),
              item);
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM && IsOurEnum(field)) {
        VisitValue(field.is_repeated() ? *reflection.GetRepeatedEnum(message, &field, i)
                                       : *reflection.GetEnum(message, &field),
                   item);
      }
    }
  }

  static bool IsOurs(const FieldDescriptor& field) { return field.message_type()->file()->package() == "portico.v1"; }
  static bool IsOurEnum(const FieldDescriptor& field) { return field.enum_type()->file()->package() == "portico.v1"; }

  void VisitValue(const EnumValueDescriptor& value, const std::string& path) {
    const std::string name = value.options().GetExtension(portico::v1::yaml_name);
    if (name.empty()) {
      Add(path, "has a value that this version does not know");
    } else if (value.options().GetExtension(portico::v1::value_not_yet)) {
      Add(path, base::Concat("the value ", name, " is not supported yet"));
    }
  }

  const ResourceKey key_;
  const bool system_fields_;
  Violations violations_;
};

}  // namespace

Violations CheckSupported(const portico::v1::Resource& resource, bool system_fields) {
  const ResourceKey key = KeyOf(resource);
  const auto* kind =
      resource.GetReflection()->GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return {{key, "kind", "is missing"}};
  Walk walk(key, system_fields);
  walk.Visit(resource.GetReflection()->GetMessage(resource, kind), "");
  return walk.Take();
}

}  // namespace portico::check
