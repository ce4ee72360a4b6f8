#include "tools/ctl/names.h"

#include "api/base/text.h"
#include "api/portico/v1/resource.pb.h"
#include "google/protobuf/descriptor.h"

namespace portico::ctl {
namespace {

std::string Plural(std::string_view kind) {
  if (kind.ends_with('y')) return base::Concat(kind.substr(0, kind.size() - 1), "ies");
  return base::Concat(kind, "s");
}

}  // namespace

std::vector<std::string_view> Kinds() {
  std::vector<std::string_view> kinds;
  const google::protobuf::OneofDescriptor& oneof = *portico::v1::Resource::descriptor()->oneof_decl(0);
  for (int i = 0; i < oneof.field_count(); ++i)
    kinds.push_back(oneof.field(i)->message_type()->name());
  return kinds;
}

absl::StatusOr<std::string> ParseKind(std::string_view word) {
  std::string all;
  for (const std::string_view kind : Kinds()) {
    if (base::EqualsIgnoreCase(word, kind) || base::EqualsIgnoreCase(word, Plural(kind))) return std::string(kind);
    all += base::Concat(all.empty() ? "" : ", ", kind);
  }
  const std::string_view nearest = base::NearestName(word, Kinds());
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(
      "there is no kind `", word, "`",
      nearest.empty() ? base::Concat("; there are ", all) : base::Concat("; did you mean `", nearest, "`?"))));
}

std::string NameText(const check::ResourceKey& key) {
  return base::Concat(key.kind, " ", key.name_space, "/", key.name);
}

std::string NameText(const portico::v1::ResourceName& name) {
  return NameText(ToKey(name));
}

std::optional<check::ResourceKey> ParseNameText(std::string_view text) {
  const size_t space = text.find(' ');
  const size_t slash = text.find('/');
  if (space == std::string_view::npos || slash == std::string_view::npos || slash < space) return std::nullopt;
  return check::ResourceKey{std::string(text.substr(0, space)), std::string(text.substr(space + 1, slash - space - 1)),
                            std::string(text.substr(slash + 1))};
}

portico::v1::ResourceName ToResourceName(const check::ResourceKey& key) {
  portico::v1::ResourceName name;
  name.set_kind(key.kind);
  name.set_namespace_(key.name_space);
  name.set_name(key.name);
  return name;
}

check::ResourceKey ToKey(const portico::v1::ResourceName& name) {
  return {name.kind(), name.namespace_().empty() ? std::string(check::kDefaultNamespace) : name.namespace_(),
          name.name()};
}

std::string_view ChangeText(portico::v1::ResourceChange::Kind kind) {
  switch (kind) {
    case portico::v1::ResourceChange::CREATED:
      return "created";
    case portico::v1::ResourceChange::UPDATED:
      return "updated";
    case portico::v1::ResourceChange::DELETED:
      return "deleted";
    default:
      return "unchanged";
  }
}

std::optional<Labels> ParseLabels(const std::string& text) {
  Labels labels;
  if (text.empty()) return labels;
  for (const std::string_view pair : base::Split(text, ',')) {
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    labels[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
  }
  return labels;
}

}  // namespace portico::ctl
