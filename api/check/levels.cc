#include "api/check/levels.h"

#include <vector>

#include "api/base/text.h"
#include "api/portico/v1/options.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace portico::check {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

using Levels = std::map<uint32_t, std::string>;

void Need(uint32_t level, const std::string& path, Levels& out) {
  if (level > 0) out.try_emplace(level, path);
}

void Collect(const Message& message, const std::string& path, Levels& out);

void CollectField(const Message& message, const FieldDescriptor& field, const std::string& path, Levels& out) {
  Need(field.options().GetExtension(portico::v1::since_level), path, out);
  if (field.is_map()) return;
  const Reflection& reflection = *message.GetReflection();
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
  for (int i = 0; i < count; ++i) {
    const std::string item = field.is_repeated() ? base::Concat(path, "[", i, "]") : path;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Collect(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, i)
                                  : reflection.GetMessage(message, &field),
              item, out);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const auto& value =
          field.is_repeated() ? *reflection.GetRepeatedEnum(message, &field, i) : *reflection.GetEnum(message, &field);
      Need(value.options().GetExtension(portico::v1::value_since_level), item, out);
    }
  }
}

void Collect(const Message& message, const std::string& path, Levels& out) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_ours = field->file()->package() == "portico.v1";
    if (is_ours)
      CollectField(message, *field, path.empty() ? field->json_name() : path + "." + field->json_name(), out);
  }
}

}  // namespace

Levels LevelsOf(const portico::v1::Resource& resource) {
  Levels out;
  const auto* kind =
      resource.GetReflection()->GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return out;
  Need(kind->options().GetExtension(portico::v1::since_level), "", out);
  Collect(resource.GetReflection()->GetMessage(resource, kind), "", out);
  return out;
}

}  // namespace portico::check
