#include "controlplane/access/judge.h"

#include <algorithm>
#include <set>
#include <string>

#include "api/base/text.h"

namespace portico::access {
namespace {

using base::Concat;
using base::ToAbsl;
using check::Configuration;
using check::ResourceKey;
using portico::v1::Resource;
using portico::v1::RoleSpec;

std::string Lacks(const Rights& rights, RoleName needed, std::string_view where, RoleName has) {
  return Concat("needs the role ", RoleText(needed), " in ", where, "; ", rights.author, " has ", RoleText(has),
                " there");
}

// The Tokens by which somebody is something in all namespaces.
std::set<ResourceKey> TokensOfAllNamespaces(const Configuration& configuration) {
  std::set<ResourceKey> tokens;
  configuration.ForEach("Role", [&tokens](const ResourceKey& key, const check::SharedResource& resource) {
    const RoleSpec& role = resource->role().spec();
    if (!role.all_namespaces()) return;
    for (const portico::v1::RoleSubject& subject : role.subjects())
      if (!subject.token().empty()) tokens.insert(TokenKey(subject.token(), key.name_space));
  });
  return tokens;
}

bool IsOfAllNamespaces(const Resource* resource) {
  return resource != nullptr && resource->role().spec().all_namespaces();
}

class Judge {
 public:
  Judge(const Rights& rights, const Configuration& now) : rights_(rights), now_(now) {}

  // `resource`: what is written; nullptr: it is deleted.
  void Visit(const ResourceKey& key, const Resource* resource) {
    const RoleName needed = IsAccess(key.kind) ? portico::v1::ROLE_NAME_ADMIN : portico::v1::ROLE_NAME_EDITOR;
    const RoleName has = rights_.In(key.name_space);
    if (has < needed) return Add(key, Lacks(rights_, needed, Concat("namespace ", key.name_space), has));
    if (!IsAccess(key.kind) || rights_.everywhere == portico::v1::ROLE_NAME_ADMIN) return;
    if (IsOfAllNamespaces(resource) || IsOfAllNamespaces(now_.Find(key)) || IsTokenOfAllNamespaces(key)) {
      Add(key, Lacks(rights_, needed, "all namespaces", rights_.everywhere));
    }
  }

  check::Violations Take() { return std::move(violations_); }

 private:
  bool IsTokenOfAllNamespaces(const ResourceKey& key) {
    if (key.kind != "Token") return false;
    if (!tokens_) tokens_ = TokensOfAllNamespaces(now_);
    return tokens_->contains(key);
  }

  void Add(const ResourceKey& key, std::string message) { violations_.push_back({key, "", std::move(message)}); }

  const Rights& rights_;
  const Configuration& now_;
  std::optional<std::set<ResourceKey>> tokens_;
  check::Violations violations_;
};

// The Roles and Tokens that there would be; nothing else is as it would be. nullopt: the same.
std::optional<Configuration> After(const Configuration& now, const Writes& writes) {
  std::optional<Configuration> after;
  const auto change = [&](std::string_view kind) -> Configuration* {
    if (!IsAccess(kind)) return nullptr;
    if (!after) after = now;
    return &*after;
  };
  for (const ResourceKey& key : writes.deletes)
    if (Configuration* changed = change(key.kind)) changed->Remove(key);
  for (const Resource& resource : writes.resources)
    if (Configuration* changed = change(check::KeyOf(resource).kind)) changed->Put(resource);
  return after;
}

}  // namespace

absl::Status JudgeRead(const Rights& rights, std::string_view name_space) {
  const Scope scope = rights.Reads();
  if (name_space.empty() ? !scope.empty() : scope.Has(name_space)) return absl::OkStatus();
  const std::string where = name_space.empty() ? "some namespace" : Concat("namespace ", name_space);
  return absl::PermissionDeniedError(
      ToAbsl(Lacks(rights, portico::v1::ROLE_NAME_VIEWER, where, portico::v1::ROLE_NAME_UNSPECIFIED)));
}

absl::Status JudgeWrite(const Rights& rights, std::string_view name_space) {
  RoleName has = rights.In(name_space);
  if (name_space.empty()) {
    for (const auto& [other, role] : rights.in)
      has = std::max(has, role);
  }
  if (has >= portico::v1::ROLE_NAME_EDITOR) return absl::OkStatus();
  const std::string where = name_space.empty() ? "some namespace" : Concat("namespace ", name_space);
  return absl::PermissionDeniedError(ToAbsl(Lacks(rights, portico::v1::ROLE_NAME_EDITOR, where, has)));
}

check::Violations JudgeWrites(const Rights& rights, const Configuration& now, const Writes& writes) {
  Judge judge(rights, now);
  for (const Resource& resource : writes.resources)
    judge.Visit(check::KeyOf(resource), &resource);
  for (const ResourceKey& key : writes.deletes)
    judge.Visit(key, nullptr);
  return judge.Take();
}

absl::Status JudgeLockOut(const Configuration& now, const Writes& writes, const Credentials& writer, bool certificates,
                          int64_t now_micros) {
  const std::optional<Configuration> after = After(now, writes);
  if (!after) return absl::OkStatus();
  const std::set<AdminBy> admins = AdminsOf(*after, certificates, now_micros);
  const bool sure = std::ranges::any_of(admins, [&writer](const AdminBy& admin) {
    return !admin.token.empty() || (writer.has_certificate && admin.certificate == writer.certificate);
  });
  if (sure) return absl::OkStatus();
  const bool takes = std::ranges::any_of(AdminsOf(now, certificates, now_micros),
                                         [&](const AdminBy& admin) { return !admins.contains(admin); });
  const bool first = !HasRoles(now) && HasRoles(*after);
  if (!takes && !first) return absl::OkStatus();
  return absl::FailedPreconditionError(
      ToAbsl(Concat("it would leave nobody who is surely Admin in all namespaces: a Role with `role: Admin` and "
                    "`allNamespaces: true` "
                    "in namespace default has to name a Token that is there and has not expired",
                    certificates ? ", or the certificate with which this is written" : "")));
}

bool IsAccess(std::string_view kind) {
  return kind == "Role" || kind == "Token";
}

}  // namespace portico::access
