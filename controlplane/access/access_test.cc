#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "controlplane/access/judge.h"
#include "controlplane/access/rights.h"
#include "controlplane/crypto/bearer.h"
#include "gtest/gtest.h"

namespace portico::access {
namespace {

using base::Concat;
using check::Configuration;
using portico::v1::Resource;

constexpr RoleName kNone = portico::v1::ROLE_NAME_UNSPECIFIED;
constexpr RoleName kViewer = portico::v1::ROLE_NAME_VIEWER;
constexpr RoleName kEditor = portico::v1::ROLE_NAME_EDITOR;
constexpr RoleName kAdmin = portico::v1::ROLE_NAME_ADMIN;

constexpr int64_t kNow = 1'000'000'000;  // 1000 s

struct RoleRow {
  std::string name_space;
  RoleName role;
  std::vector<std::string> subjects;  // "certificate alice" or "token ci"
  bool all = false;
};

Resource RoleOf(const RoleRow& row, std::string_view name = "r") {
  Resource resource;
  auto& role = *resource.mutable_role();
  role.mutable_metadata()->set_name(std::string(name));
  role.mutable_metadata()->set_namespace_(row.name_space);
  role.mutable_spec()->set_role(row.role);
  if (row.all) role.mutable_spec()->set_all_namespaces(true);
  for (const std::string& text : row.subjects) {
    const auto words = base::Split(text, ' ');
    auto& subject = *role.mutable_spec()->add_subjects();
    (words[0] == "token" ? *subject.mutable_token() : *subject.mutable_certificate()) = words[1];
  }
  return resource;
}

// The token whose text is `text`.
Resource TokenOf(const std::string& name_space, const std::string& name, const std::string& text, int64_t seconds = 0,
                 uint64_t created = 1) {
  Resource resource;
  auto& token = *resource.mutable_token();
  token.mutable_metadata()->set_name(name);
  token.mutable_metadata()->set_namespace_(name_space);
  token.mutable_metadata()->set_creation_revision(created);
  token.mutable_spec()->set_sha256(openssl::BearerDigest(text));
  if (seconds != 0) token.mutable_spec()->mutable_expires()->set_seconds(seconds);
  return resource;
}

Resource ClusterOf(const std::string& name_space, const std::string& name) {
  Resource resource;
  resource.mutable_cluster()->mutable_metadata()->set_name(name);
  resource.mutable_cluster()->mutable_metadata()->set_namespace_(name_space);
  return resource;
}

Configuration ConfigurationOf(const std::vector<RoleRow>& roles, const std::vector<Resource>& others) {
  Configuration configuration;
  for (size_t i = 0; i < roles.size(); ++i)
    configuration.Put(RoleOf(roles[i], Concat("r", i)));
  for (const Resource& resource : others)
    configuration.Put(resource);
  return configuration;
}

Credentials Certificate(const std::string& name) {
  return {.secure = true, .has_certificate = true, .certificate = name};
}
Credentials Bearer(const std::string& text) {
  return {.token_sha256 = openssl::BearerDigest(text)};
}
Credentials Both(const std::string& name, const std::string& text) {
  Credentials both = Certificate(name);
  both.token_sha256 = openssl::BearerDigest(text);
  return both;
}

// "alice: everywhere Viewer, a Editor", or what is wrong.
std::string TextOf(const absl::StatusOr<Rights>& rights) {
  if (!rights.ok()) return rights.status().ToString();
  std::string text = Concat(rights->author, ":");
  if (rights->everywhere != kNone) text += Concat(" everywhere ", RoleText(rights->everywhere));
  for (const auto& [name_space, role] : rights->in)
    text += Concat(" ", name_space, " ", RoleText(role));
  return text;
}

const std::vector<RoleRow> kRoles = {
    {"a", kViewer, {"certificate alice", "token ci", "certificate carol"}},
    {"a", kEditor, {"certificate alice", "token b/ci"}},
    {"b", kAdmin, {"token a/ci"}},
    {"default", kAdmin, {"token root", "certificate root"}, true},
    {"default", kEditor, {"token late"}},
};
const std::vector<Resource> kTokens = {
    TokenOf("a", "ci", "text of a/ci"),
    TokenOf("b", "ci", "text of b/ci"),
    TokenOf("default", "root", "text of root"),
    TokenOf("default", "late", "text of late", 1001),
    TokenOf("default", "gone", "text of gone", 1000),
};

TEST(Rights, AreTheBestOfARoles) {
  const Configuration configuration = ConfigurationOf(kRoles, kTokens);
  const Settings settings{.anonymous = std::nullopt, .admin_token_sha256 = openssl::BearerDigest("first")};
  const struct {
    const char* name;
    Credentials credentials;
    std::string expected;
  } kRows[] = {
      {"the best of two", Certificate("alice"), "certificate alice: a Editor"},
      {"one", Certificate("carol"), "certificate carol: a Viewer"},
      {"none", Certificate("eve"), "certificate eve:"},
      {"a name is compared whole", Certificate("alice2"), "certificate alice2:"},
      {"a certificate without a name", Certificate(""), "certificate without a name:"},
      {"a certificate forges no other name", Certificate("admin token"), "certificate admin token:"},
      {"a certificate is no token", Certificate("ci"), "certificate ci:"},
      {"a token in its namespace and in another", Bearer("text of a/ci"), "token a/ci: a Viewer b Admin"},
      {"a token of the same name elsewhere", Bearer("text of b/ci"), "token b/ci: a Editor"},
      {"in all namespaces", Bearer("text of root"), "token default/root: everywhere Admin"},
      {"both", Both("alice", "text of a/ci"), "token a/ci: a Editor b Admin"},
      {"not yet expired", Bearer("text of late"), "token default/late: default Editor"},
      {"expired", Bearer("text of gone"), "UNAUTHENTICATED: the token has expired"},
      {"unknown", Bearer("text of ci"), "UNAUTHENTICATED: the token is not known here; it may have been revoked"},
      {"a bad token spoils a good certificate", Both("root", "nonsense"),
       "UNAUTHENTICATED: the token is not known here; it may have been revoked"},
      {"the admin token", Bearer("first"), "admin token: everywhere Admin"},
      {"nothing in clear",
       {},
       "UNAUTHENTICATED: callers must say who they are here: show a token (porticoctl --token_file)"},
      {"nothing over TLS", {.secure = true}, "UNAUTHENTICATED: a client certificate or a token is needed"},
      {"a name without a certificate",
       {.secure = true, .certificate = "root"},
       "UNAUTHENTICATED: a client certificate or a token is needed"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(TextOf(RightsOf(row.credentials, configuration, settings, kNow)), row.expected) << row.name;
  }
}

TEST(Rights, WithoutRolesWhoeverGetsInMayDoAll) {
  const Configuration configuration = ConfigurationOf({}, kTokens);
  const struct {
    const char* name;
    Credentials credentials;
    std::optional<RoleName> anonymous;
    std::string expected;
  } kRows[] = {
      {"anonymous", {}, std::nullopt, "anonymous: everywhere Admin"},
      {"anonymous, limited", {}, kViewer, "anonymous: everywhere Viewer"},
      {"anonymous, shut out",
       {},
       kNone,
       "UNAUTHENTICATED: callers must say who they are here: show a token (porticoctl --token_file)"},
      {"a certificate", Certificate("alice"), kNone, "certificate alice: everywhere Admin"},
      {"a token", Bearer("text of a/ci"), kNone, "token a/ci: everywhere Admin"},
      {"an unknown token", Bearer("x"), kAdmin,
       "UNAUTHENTICATED: the token is not known here; it may have been revoked"},
      {"nothing over TLS", {.secure = true}, kAdmin, "UNAUTHENTICATED: a client certificate or a token is needed"},
      {"a spent admin token", Bearer(""), std::nullopt,
       "UNAUTHENTICATED: the token is not known here; it may have been revoked"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(
        TextOf(RightsOf(row.credentials, configuration, {.anonymous = row.anonymous, .admin_token_sha256 = ""}, kNow)),
        row.expected)
        << row.name;
  }
}

TEST(Rights, AnonymousAfterTheFirstRole) {
  const Configuration configuration = ConfigurationOf(kRoles, {});
  EXPECT_EQ(TextOf(RightsOf({}, configuration, {.anonymous = kViewer, .admin_token_sha256 = ""}, kNow)),
            "anonymous: everywhere Viewer");
}

// Whoever may read a digest must not be able to take its callers over.
TEST(Rights, OfTwoTokensWithOneDigestTheOldestCounts) {
  const Configuration configuration =
      ConfigurationOf({{"default", kAdmin, {"token root"}, true}},
                      {TokenOf("default", "root", "text", 0, 3), TokenOf("a", "copy", "text", 0, 4)});
  EXPECT_EQ(TextOf(RightsOf(Bearer("text"), configuration, {}, kNow)), "token default/root: everywhere Admin");
}

TEST(Rights, SayWhenTheyEnd) {
  const Configuration configuration = ConfigurationOf(kRoles, kTokens);
  EXPECT_EQ(RightsOf(Bearer("text of late"), configuration, {}, kNow)->expires_micros, 1'001'000'000);
  EXPECT_EQ(RightsOf(Bearer("text of root"), configuration, {}, kNow)->expires_micros,
            std::numeric_limits<int64_t>::max());
  EXPECT_FALSE(RightsOf(Bearer("text of late"), configuration, {}, 1'001'000'000).ok());
}

TEST(JudgeRead, ByNamespace) {
  const Rights viewer{.author = "carol", .in = {{"a", kViewer}, {"b", kNone}}};
  const Rights all{.author = "root", .everywhere = kViewer};
  const Rights none{.author = "eve"};
  EXPECT_TRUE(JudgeRead(viewer, "a").ok());
  EXPECT_TRUE(JudgeRead(viewer, "").ok());
  EXPECT_EQ(JudgeRead(viewer, "b").ToString(),
            "PERMISSION_DENIED: needs the role Viewer in namespace b; carol has no role there");
  EXPECT_TRUE(JudgeRead(all, "b").ok());
  EXPECT_EQ(JudgeRead(none, "").ToString(),
            "PERMISSION_DENIED: needs the role Viewer in some namespace; eve has no role there");
  EXPECT_EQ(viewer.Reads(), (Scope{.all = false, .namespaces = {"a"}}));
  EXPECT_FALSE(viewer.Reads().Has("b"));
  EXPECT_TRUE(all.Reads().Has("b"));
  EXPECT_TRUE(none.Reads().empty());
}

TEST(JudgeWrite, ByNamespace) {
  const Rights editor{.author = "alice", .in = {{"a", kEditor}, {"b", kViewer}}};
  const Rights viewer{.author = "carol", .everywhere = kViewer};
  const Rights all{.author = "root", .everywhere = kAdmin};
  EXPECT_TRUE(JudgeWrite(editor, "").ok());
  EXPECT_TRUE(JudgeWrite(editor, "a").ok());
  EXPECT_EQ(JudgeWrite(editor, "b").ToString(),
            "PERMISSION_DENIED: needs the role Editor in namespace b; alice has Viewer there");
  EXPECT_EQ(JudgeWrite(viewer, "").ToString(),
            "PERMISSION_DENIED: needs the role Editor in some namespace; carol has Viewer there");
  EXPECT_TRUE(JudgeWrite(all, "").ok());
  EXPECT_TRUE(JudgeWrite(all, "z").ok());
  EXPECT_FALSE(JudgeWrite({.author = "eve"}, "").ok());
}

TEST(JudgeWrites, NamesEachResourceAndTheMissingRole) {
  const Configuration now = ConfigurationOf(kRoles, kTokens);
  const Rights editor{.author = "alice", .in = {{"a", kEditor}, {"b", kViewer}}};
  const Rights admin{.author = "bob", .in = {{"default", kAdmin}, {"b", kAdmin}}};
  const Rights root{.author = "root", .everywhere = kAdmin};
  const Rights everywhere_editor{.author = "ed", .everywhere = kEditor, .in = {{"default", kAdmin}}};
  const RoleRow plain{"default", kAdmin, {"certificate bob"}};
  const RoleRow wide{"default", kViewer, {"certificate bob"}, true};
  const struct {
    const char* name;
    const Rights& rights;
    std::vector<Resource> resources;
    std::vector<check::ResourceKey> deletes;
    std::string expected;
  } kRows[] = {
      {"nothing", editor, {}, {}, ""},
      {"an Editor in the namespace", editor, {ClusterOf("a", "c")}, {{"Route", "a", "r"}}, ""},
      {"a Viewer",
       editor,
       {ClusterOf("b", "c")},
       {},
       "Cluster b/c: needs the role Editor in namespace b; alice has Viewer there\n"},
      {"an empty namespace is `default`",
       editor,
       {ClusterOf("", "c")},
       {},
       "Cluster c: needs the role Editor in namespace default; alice has no role there\n"},
      {"one of many, and one that goes",
       editor,
       {ClusterOf("a", "c"), ClusterOf("b", "c")},
       {{"Route", "c", "r"}},
       "Cluster b/c: needs the role Editor in namespace b; alice has Viewer there\n"
       "Route c/r: needs the role Editor in namespace c; alice has no role there\n"},
      {"a Token is an Admin's",
       editor,
       {TokenOf("a", "t", "x")},
       {},
       "Token a/t: needs the role Admin in namespace a; alice has Editor there\n"},
      {"a Role is an Admin's",
       editor,
       {RoleOf({"a", kAdmin, {"certificate alice"}})},
       {},
       "Role a/r: needs the role Admin in namespace a; alice has Editor there\n"},
      {"and so is deleting it",
       editor,
       {},
       {{"Role", "a", "r0"}},
       "Role a/r0: needs the role Admin in namespace a; alice has Editor there\n"},
      {"an Admin in the namespace", admin, {RoleOf(plain), TokenOf("b", "t", "x")}, {{"Token", "default", "late"}}, ""},
      {"a Role of all namespaces",
       admin,
       {RoleOf(wide)},
       {},
       "Role r: needs the role Admin in all namespaces; bob has no role there\n"},
      {"taking one away",
       admin,
       {},
       {{"Role", "default", "r3"}},
       "Role r3: needs the role Admin in all namespaces; bob has no role there\n"},
      {"narrowing one",
       admin,
       {RoleOf(plain, "r3")},
       {},
       "Role r3: needs the role Admin in all namespaces; bob has no role there\n"},
      {"another text for a Token of all namespaces",
       admin,
       {TokenOf("default", "root", "mine")},
       {},
       "Token root: needs the role Admin in all namespaces; bob has no role there\n"},
      {"taking that away",
       admin,
       {},
       {{"Token", "default", "root"}},
       "Token root: needs the role Admin in all namespaces; bob has no role there\n"},
      {"Editor everywhere and Admin in one",
       everywhere_editor,
       {RoleOf(wide)},
       {},
       "Role r: needs the role Admin in all namespaces; ed has Editor there\n"},
      {"Editor everywhere", everywhere_editor, {ClusterOf("z", "c")}, {}, ""},
      {"Admin everywhere", root, {RoleOf(wide), TokenOf("default", "root", "mine")}, {{"Role", "default", "r3"}}, ""},
  };
  for (const auto& row : kRows) {
    std::string text;
    for (const check::Violation& violation : JudgeWrites(row.rights, now, {row.resources, row.deletes}))
      text += Concat(violation.key.ToString(), ": ", violation.message, "\n");
    EXPECT_EQ(text, row.expected) << row.name;
  }
}

TEST(JudgeLockOut, LeavesAnAdmin) {
  const RoleRow by_token{"default", kAdmin, {"token root"}, true};
  const RoleRow by_certificate{"default", kAdmin, {"certificate root"}, true};
  const RoleRow viewer{"default", kViewer, {"token root"}, true};
  const RoleRow local{"default", kAdmin, {"token root"}};
  const Resource root = TokenOf("default", "root", "x"), late = TokenOf("default", "root", "x", 1001),
                 gone = TokenOf("default", "root", "x", 1000);
  const struct {
    const char* name;
    std::vector<RoleRow> roles;
    std::vector<Resource> tokens;
    std::vector<Resource> resources;
    std::vector<check::ResourceKey> deletes;
    bool certificates;
    bool good;
    Credentials writer = {};
  } kRows[] = {
      {"other kinds", {}, {}, {ClusterOf("default", "c")}, {{"Route", "a", "r"}}, false, true},
      {"a Token before any Role", {}, {}, {root}, {}, false, true},
      {"the first Role", {}, {root}, {RoleOf(by_token)}, {}, false, true},
      {"with its Token", {}, {}, {RoleOf(by_token), root}, {}, false, true},
      {"the first Role without its Token", {}, {}, {RoleOf(by_token)}, {}, false, false},
      {"with one that has expired", {}, {gone}, {RoleOf(by_token)}, {}, false, false},
      {"with one that expires later", {}, {late}, {RoleOf(by_token)}, {}, false, true},
      {"the first Role, of a Viewer", {}, {root}, {RoleOf(viewer)}, {}, false, false},
      {"the first Role, of one namespace", {}, {root}, {RoleOf(local)}, {}, false, false},
      {"a certificate where there are none", {}, {}, {RoleOf(by_certificate)}, {}, false, false},
      {"a certificate that may be nobody's", {}, {}, {RoleOf(by_certificate)}, {}, true, false},
      {"another's", {}, {}, {RoleOf(by_certificate)}, {}, true, false, Certificate("roof")},
      {"the writer's certificate", {}, {}, {RoleOf(by_certificate)}, {}, true, true, Certificate("root")},
      {"the writer's, beside a token", {}, {}, {RoleOf(by_certificate)}, {}, true, true, Both("root", "first")},
      {"the writer's, as a Viewer", {}, {root}, {RoleOf(viewer)}, {}, true, false, Certificate("root")},
      {"certificates and a Token", {}, {root}, {RoleOf(by_certificate), RoleOf(by_token, "t")}, {}, true, true},
      {"a second Role", {by_token}, {root}, {RoleOf(viewer, "other")}, {}, false, true},
      {"the only Role goes", {by_token}, {root}, {}, {{"Role", "default", "r0"}}, false, false},
      {"the only Token goes", {by_token}, {root}, {}, {{"Token", "default", "root"}}, false, false},
      {"another Token goes", {by_token}, {root, TokenOf("a", "t", "y")}, {}, {{"Token", "a", "t"}}, false, true},
      {"the token of two goes", {by_token, by_certificate}, {root}, {}, {{"Role", "default", "r0"}}, true, false},
      {"and the writer has the certificate",
       {by_token, by_certificate},
       {root},
       {},
       {{"Role", "default", "r0"}},
       true,
       true,
       Certificate("root")},
      {"the certificate of two goes", {by_token, by_certificate}, {root}, {}, {{"Role", "default", "r1"}}, true, true},
      {"a slip of the pen in a later version",
       {by_certificate},
       {},
       {RoleOf({"default", kAdmin, {"certificate roof"}, true}, "r0")},
       {},
       true,
       false,
       Certificate("root")},
      {"one more by certificate alone", {by_certificate}, {}, {RoleOf(local, "other")}, {}, true, true},
      {"another text for the only Token", {by_token}, {root}, {TokenOf("default", "root", "y")}, {}, false, true},
      {"the only Token ends", {by_token}, {root}, {gone}, {}, false, false},
      {"the Role is narrowed", {by_token}, {root}, {RoleOf(local, "r0")}, {}, false, false},
      {"the Role is moved to another",
       {by_token},
       {root},
       {RoleOf(by_token, "new")},
       {{"Role", "default", "r0"}},
       false,
       true},
      {"all Roles go",
       {by_token, viewer},
       {root},
       {},
       {{"Role", "default", "r0"}, {"Role", "default", "r1"}},
       false,
       false},
      {"there was none before", {viewer}, {root}, {}, {{"Token", "default", "root"}}, false, true},
  };
  for (const auto& row : kRows) {
    const absl::Status status = JudgeLockOut(ConfigurationOf(row.roles, row.tokens), {row.resources, row.deletes},
                                             row.writer, row.certificates, kNow);
    EXPECT_EQ(status.ok(), row.good) << row.name << ": " << status;
    if (!row.good) EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << row.name;
  }
}

}  // namespace
}  // namespace portico::access
