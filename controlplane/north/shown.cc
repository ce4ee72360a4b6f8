#include "controlplane/north/shown.h"

#include <vector>

#include "api/portico/v1/secret.pb.h"
#include "controlplane/crypto/sealer.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace portico::north {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using portico::v1::DataSource;

// Every DataSource below, whatever field a later release puts it in.
void Hide(Message& message) {
  if (message.GetDescriptor() == DataSource::descriptor()) {
    auto& source = static_cast<DataSource&>(message);
    source.set_inline_(openssl::Digest(source.inline_()));
    return;
  }
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      Hide(*reflection->MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      Hide(*reflection->MutableRepeatedMessage(&message, field, i));
    }
  }
}

}  // namespace

portico::v1::Resource Shown(const portico::v1::Resource& resource) {
  portico::v1::Resource shown = resource;
  if (shown.has_secret() && shown.secret().has_spec()) Hide(*shown.mutable_secret()->mutable_spec());
  return shown;
}

}  // namespace portico::north
