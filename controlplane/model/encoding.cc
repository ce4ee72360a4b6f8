#include "controlplane/model/encoding.h"

#include "api/base/check.h"
#include "api/base/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"

namespace portico::model {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using portico::v1::Resource;

const FieldDescriptor* KindField(const Resource& resource) {
  const FieldDescriptor* kind =
      resource.GetReflection()->GetOneofFieldDescriptor(resource, Resource::descriptor()->oneof_decl(0));
  PORTICO_CHECK(kind != nullptr, "a resource without a kind");
  return kind;
}

// The message of the resource's kind.
Message& Kind(Resource& resource) {
  return *resource.GetReflection()->MutableMessage(&resource, KindField(resource));
}

std::string Bytes(const Resource& resource) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // maps in one order
    PORTICO_CHECK(resource.SerializeToCodedStream(&coded));
  }
  return bytes;
}

}  // namespace

std::string StoreKey(const check::ResourceKey& key) {
  return base::Concat(key.kind, "/", key.name_space, "/", key.name);
}

portico::v1::Metadata& MutableMetadata(Resource& resource) {
  Message& kind = Kind(resource);
  const FieldDescriptor* metadata = kind.GetDescriptor()->FindFieldByName("metadata");
  return static_cast<portico::v1::Metadata&>(*kind.GetReflection()->MutableMessage(&kind, metadata));
}

void ClearSystemFields(Resource& resource) {
  ClearVersions(resource);
  MutableMetadata(resource).clear_manager();
}

void ClearVersions(Resource& resource) {
  portico::v1::Metadata& metadata = MutableMetadata(resource);
  metadata.clear_creation_revision();
  metadata.clear_revision();
  Message& kind = Kind(resource);
  if (const FieldDescriptor* status = kind.GetDescriptor()->FindFieldByName("status"); status != nullptr) {
    kind.GetReflection()->ClearField(&kind, status);
  }
}

std::string Encode(const Resource& resource) {
  Resource plain = resource;
  ClearVersions(plain);
  return Bytes(plain);
}

bool SameContent(const Resource& a, const Resource& b) {
  Resource plain_a = a, plain_b = b;
  ClearSystemFields(plain_a);
  ClearSystemFields(plain_b);
  return Bytes(plain_a) == Bytes(plain_b);
}

std::string EncodeMessage(const Resource& resource) {
  if (check::MetadataOf(resource).manager().empty()) {
    return resource.GetReflection()->GetMessage(resource, KindField(resource)).SerializeAsString();
  }
  Resource plain = resource;
  MutableMetadata(plain).clear_manager();
  return Kind(plain).SerializeAsString();
}

absl::StatusOr<Resource> Decode(std::string_view bytes, uint64_t revision, uint64_t created) {
  Resource resource;
  if (!resource.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      resource.kind_case() == Resource::KIND_NOT_SET) {
    return absl::DataLossError("the stored bytes are no resource");
  }
  portico::v1::Metadata& metadata = MutableMetadata(resource);
  metadata.set_revision(revision);
  metadata.set_creation_revision(created);
  return resource;
}

}  // namespace portico::model
