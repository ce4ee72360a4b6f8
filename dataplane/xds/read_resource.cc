#include "dataplane/xds/read_resource.h"

#include <optional>
#include <string_view>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/wire/names.h"
#include "api/wire/unknown_field.h"
#include "google/protobuf/descriptor.h"

namespace portico::xds {
namespace {

using base::Concat;
using google::protobuf::FieldDescriptor;
using portico::v1::Resource;

// Resource's field for a kind: a kind is the name of its message.
const FieldDescriptor& FieldOf(std::string_view kind) {
  const auto& kinds = *Resource::descriptor()->oneof_decl(0);
  for (int i = 0; i < kinds.field_count(); ++i) {
    if (kinds.field(i)->message_type()->name() == kind) return *kinds.field(i);
  }
  PORTICO_CHECK(false, "wire::KeyOf gives kinds of ours alone");
  __builtin_unreachable();
}

// Why it is refused; "" if it isn't.
std::string Judge(const check::ResourceKey& key, const google::protobuf::Any& message, Resource& resource) {
  const std::string type_url = wire::TypeUrl(key.kind);
  if (message.type_url() != type_url) return Concat("what came is no ", key.kind, " by its type");
  google::protobuf::Message& inner = *resource.GetReflection()->MutableMessage(&resource, &FieldOf(key.kind));
  if (!inner.ParseFromString(message.value())) return Concat("what came can't be read as a ", key.kind);
  if (std::optional<std::string> unknown = wire::FindUnknownField(inner); unknown.has_value())
    return Concat(*unknown, "; this proxy is older than what is written");
  const check::ResourceKey own = check::KeyOf(resource);
  if (own != key) return Concat("it calls itself ", own.kind, " ", wire::ResourceName(own));
  return "";
}

}  // namespace

std::shared_ptr<const Received> ReadResource(const check::ResourceKey& key,
                                             const envoy::service::discovery::v3::Resource& message) {
  auto received = std::make_shared<Received>();
  received->version = message.version();
  received->bytes = message.resource().value().size();
  auto resource = std::make_shared<Resource>();
  received->reason = Judge(key, message.resource(), *resource);
  if (received->reason.empty()) received->resource = std::move(resource);
  return received;
}

}  // namespace portico::xds
