// Keys in the filter: who it is then, what a 401 says, and what goes on to the origin. Beside auth_filter_test, which
// has tokens and authorization.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/crypto/test_signer.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/auth/auth_config.h"
#include "dataplane/filters/auth/auth_filter.h"
#include "dataplane/http/message.h"

namespace portico::auth {
namespace {

using base::Concat;
using Lines = std::vector<std::pair<std::string, std::string>>;

const base::WallTime kNow{std::chrono::seconds(1'700'000'000)};  // 2023-11-14T22:13:20Z

const crypto::TestSigner& Signer() {
  static const crypto::TestSigner* signer = new crypto::TestSigner(crypto::SignatureAlgorithm::kHs256);
  return *signer;
}

std::string Bearer() {
  return "Bearer " + Signer().Token(R"({"alg":"HS256","kid":"k"})",
                                    R"({"iss":"https://id.example","aud":"shop","exp":1700000100,"sub":"alice"})");
}

std::string Digest(std::string_view key) {
  const crypto::Sha256Digest digest = crypto::Sha256(key);
  std::string out;
  for (const uint8_t byte : digest)
    out += Concat("0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]);
  return out;
}

std::string Key(std::string_view key, std::string_view expires = "") {
  return Concat("{apiKey: {sha256: \"", Digest(key), "\"", expires.empty() ? "" : ", expires: ", expires, "}}");
}

std::string Everybody() {
  const auto consumer = [](std::string_view name, std::string_view more, std::string_view keys) {
    return Concat("kind: Consumer\nmetadata: {", name, "}\nspec: {", more, "credentials: [", keys, "]}\n---\n");
  };
  return Concat(
      consumer("name: acme", "groups: [partner, gold], ",
               Concat(Key("acme-old", "2023-11-14T22:13:20Z"), ", ", Key("acme-new"), ", ", Key("shared"))),
      consumer("name: beta", "", Concat(Key("beta", "2023-11-14T22:13:20.000001Z"), ", ", Key("shared"))),
      consumer("name: far, namespace: elsewhere", "groups: [gold], ", Concat(Key("far"), ", ", Key("acme-new"))),
      "kind: Secret\nmetadata: {name: home}\nspec: {jwks: {inline: '{\"keys\":[", Signer().Jwk("k"), "]}'}}\n---\n");
}

constexpr char kJwt[] = R"({jwt: {issuer: "https://id.example", audiences: [shop], jwks: {secretRef: {name: home}}}})";
constexpr char kJwtKept[] =
    R"({jwt: {issuer: "https://id.example", audiences: [shop], jwks: {secretRef: {name: home}}, forwardCredentials: true}})";
constexpr char kKeys[] =
    "{apiKey: {extractFrom: {headers: [{name: X-Api-Key}], cookies: [{name: k}], queryParams: [{name: key}]}}}";
constexpr char kKeysKept[] =
    "{apiKey: {extractFrom: {headers: [{name: X-Api-Key}], cookies: [{name: k}], queryParams: [{name: key}]}, "
    "forwardCredentials: true}}";
constexpr char kNobody[] = "{anonymous: {}}";

std::shared_ptr<const AuthConfig> Build(std::string_view any_of, std::string_view authorization = "",
                                        std::string_view more = "") {
  std::string text = Concat(
      Everybody(), "kind: AuthPolicy\nmetadata: {name: policy}\nspec:\n  targetRefs: [{kind: Gateway, name: front}]\n",
      "  authentication: {anyOf: [", any_of, "]}\n");
  if (!authorization.empty()) text += Concat("  authorization: {", authorization, "}\n");
  if (!more.empty()) text += Concat("  ", more, "\n");
  yaml::Problems problems(10);
  check::Configuration configuration;
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems))
    EXPECT_TRUE(configuration.Add(std::move(document.resource)));
  EXPECT_TRUE(problems.empty()) << problems.ToString() << text;
  resolve::Reach reach;
  for (const auto& [key, resource] : configuration.resources())
    reach.Put(key, {});
  const check::ResourceKey key{"AuthPolicy", "default", "policy"};
  const resolve::SharedResource resource = *configuration.resources().Find(key);
  const resolve::BoundPolicy bound{key, resource, resolve::Level::kGateway, ""};
  resolve::EffectiveAuth auth;
  auth.authentication = bound;
  if (!authorization.empty()) auth.authorization = bound;
  auto out = BuildAuthConfig(auth, configuration, reach);
  EXPECT_EQ(out->fault, "");
  return out;
}

struct Outcome {
  int status = 0;  // 0: passed
  std::string challenges;
  std::string reason;
  std::string sent;  // what the origin gets: the target, then the fields
  filter::Identity identity;
};

Outcome Ask(const std::shared_ptr<const AuthConfig>& config, const Lines& lines, std::string_view path = "/",
            base::WallTime now = kNow) {
  filter::WorkerSlots slots;
  base::Arena arena;
  http::RequestHead head(arena);
  head.method = "GET";
  head.path = path;
  for (const auto& [name, value] : lines)
    head.fields.Add(name, value);
  Outcome out;
  filter::FilterContext context{head, "api.example", "/", out.identity, now};
  const auto filter = AuthFilterConfig(config).MakeFilter(slots);
  filter::Verdict verdict = filter->OnRequestHead(context, filter::Resume({}, 1));
  if (const auto* reply = std::get_if<filter::Reply>(&verdict)) {
    out.status = reply->status;
    out.reason = reply->reason;
    for (const auto& [name, value] : reply->fields) {
      if (name == "www-authenticate") out.challenges += Concat("[", value, "]");
    }
    return out;
  }
  out.sent = head.path;
  for (const http::Field& field : head.fields)
    out.sent += Concat("|", field.name, ": ", field.value);
  return out;
}

constexpr char kKeyChallenge[] = "[APIKey realm=\"portico\"]";
constexpr char kBoth[] = "[Bearer realm=\"portico\"][APIKey realm=\"portico\"]";

TEST(AuthKeyTest, JudgesKeys) {
  const auto strict = Build(kKeys);
  const auto open = Build(Concat(kKeys, ", ", kNobody));
  const auto naming = Build(kKeys,
                            "defaultAction: Allow, rules: [{name: r, action: Allow, principal: {consumers: "
                            "[elsewhere/far]}}]");
  struct Row {
    const char* name;
    std::shared_ptr<const AuthConfig> config;
    Lines lines;
    const char* path;
    int status;
    const char* consumer;  // or the reason
  };
  const Row rows[] = {
      {"a header", strict, {{"x-api-key", "acme-new"}}, "/", 0, "acme"},
      {"a cookie", strict, {{"cookie", "a=1; k=acme-new"}}, "/", 0, "acme"},
      {"a parameter", strict, {}, "/?key=acme%2Dnew", 0, "acme"},
      {"none", strict, {}, "/", 401, "auth: no key"},
      {"unknown", strict, {{"x-api-key", "x"}}, "/", 401, "auth: the key is not known"},
      {"empty", strict, {{"x-api-key", ""}}, "/", 401, "auth: the key is not known"},
      {"expired at this very moment", strict, {{"x-api-key", "acme-old"}}, "/", 401, "auth: the key has expired"},
      {"good for a microsecond more", strict, {{"x-api-key", "beta"}}, "/", 0, "beta"},
      {"two fields",
       strict,
       {{"x-api-key", "acme-new"}, {"x-api-key", "acme-new"}},
       "/",
       401,
       "auth: more than one key"},
      {"two cookies", strict, {{"cookie", "k=acme-new; k=x"}}, "/", 401, "auth: more than one key"},
      {"two parameters", strict, {}, "/?key=acme-new&key=acme-new", 401, "auth: more than one key"},
      {"two Consumers have it", strict, {{"x-api-key", "shared"}}, "/", 401, "auth: the key is not known"},
      {"its digest is no key", strict, {{"x-api-key", Digest("acme-new")}}, "/", 401, "auth: the key is not known"},
      {"of another namespace", strict, {{"x-api-key", "far"}}, "/", 401, "auth: the key is not known"},
      {"of another namespace, named", naming, {{"x-api-key", "far"}}, "/", 0, "far"},
      {"a bad one in the place that counts",
       strict,
       {{"x-api-key", "x"}},
       "/?key=acme-new",
       401,
       "auth: the key is not known"},
      {"nobody, where that is allowed", open, {}, "/", 0, ""},
      {"unknown is not nobody", open, {{"x-api-key", "x"}}, "/", 401, "auth: the key is not known"},
      {"empty is not nobody", open, {{"x-api-key", ""}}, "/", 401, "auth: the key is not known"},
      {"expired is not nobody", open, {{"x-api-key", "acme-old"}}, "/", 401, "auth: the key has expired"},
      {"authorization is nothing to keys", open, {{"authorization", "Basic x"}}, "/", 0, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Outcome outcome = Ask(row.config, row.lines, row.path);
    EXPECT_EQ(outcome.status, row.status);
    EXPECT_EQ(row.status == 0 ? std::string(outcome.identity.consumer()) : outcome.reason, row.consumer);
    EXPECT_EQ(outcome.challenges, row.status == 0 ? "" : kKeyChallenge);
    EXPECT_EQ(outcome.identity.anonymous(), row.status != 0 || row.consumer[0] == '\0');
  }
  EXPECT_EQ(Ask(strict, {{"x-api-key", "acme-old"}}, "/", kNow - base::Duration(1)).status, 0);
}

TEST(AuthKeyTest, TellsWhoItIs) {
  const Outcome outcome = Ask(Build(kKeys), {{"x-api-key", "acme-new"}});
  EXPECT_EQ(outcome.identity.method, filter::IdentityMethod::kApiKey);
  EXPECT_EQ(outcome.identity.subject, "");
  EXPECT_EQ(outcome.identity.consumers, (std::vector<filter::ConsumerName>{{"default", "acme"}}));
  EXPECT_EQ(outcome.identity.groups, (std::vector<std::string>{"partner", "gold"}));
  EXPECT_TRUE(outcome.identity.claims.is_null());
}

TEST(AuthKeyTest, IsAuthorisedByMethodConsumerAndGroup) {
  const struct {
    const char* name;
    const char* principal;
    int status;
  } rows[] = {{"its method", "method: APIKey", 0},       {"another method", "method: JWT", 403},
              {"nobody", "method: Anonymous", 403},      {"its group", "groups: [gold]", 0},
              {"another group", "groups: [iron]", 403},  {"its name", "consumers: [acme]", 0},
              {"another name", "consumers: [beta]", 403}};
  for (const auto& row : rows) {
    const auto config = Build(
        kKeys, Concat("defaultAction: Deny, rules: [{name: r, action: Allow, principal: {", row.principal, "}}]"));
    EXPECT_EQ(Ask(config, {{"x-api-key", "acme-new"}}).status, row.status) << row.name;
  }
}

// Naming one opens what the rule says, and nothing by what is written there: no group, and no key of somebody here.
TEST(AuthKeyTest, AConsumerOfAnotherNamespaceIsItsNameAlone) {
  const auto config = Build(kKeys,
                            "defaultAction: Deny, rules: [{name: far, action: Allow, principal: {consumers: "
                            "[elsewhere/far]}, operation: {methods: [GET]}}, {name: gold, action: Allow, principal: "
                            "{groups: [gold], method: APIKey}, operation: {methods: [POST]}}]");
  EXPECT_EQ(Ask(config, {{"x-api-key", "far"}}).status, 0);
  EXPECT_EQ(Ask(config, {{"x-api-key", "far"}}).identity.groups, std::vector<std::string>());
  EXPECT_EQ(Ask(config, {{"x-api-key", "acme-new"}}).status, 403);  // it is acme's, whose group may POST alone
}

TEST(AuthKeyTest, StandsBesideTokens) {
  const auto token_first = Build(Concat(kJwt, ", ", kKeys));
  const auto key_first = Build(Concat(kKeys, ", ", kJwt, ", ", kNobody));
  struct Row {
    const char* name;
    std::shared_ptr<const AuthConfig> config;
    Lines lines;
    int status;
    filter::IdentityMethod method;
    std::string challenges;
  };
  const std::string wrong_token =
      "[Bearer realm=\"portico\", error=\"invalid_token\", error_description=\"not a token in compact form\"]";
  using Method = filter::IdentityMethod;
  const Row rows[] = {
      {"neither", token_first, {}, 401, Method::kAnonymous, kBoth},
      {"neither, where nobody is let in", key_first, {}, 0, Method::kAnonymous, ""},
      {"the token", token_first, {{"authorization", Bearer()}}, 0, Method::kJwt, ""},
      {"the token, asked for second", key_first, {{"authorization", Bearer()}}, 0, Method::kJwt, ""},
      {"the key", token_first, {{"x-api-key", "acme-new"}}, 0, Method::kApiKey, ""},
      {"both: the first decides", token_first, {{"authorization", Bearer()}, {"x-api-key", "x"}}, 0, Method::kJwt, ""},
      {"both: the key is first",
       key_first,
       {{"authorization", "Bearer x"}, {"x-api-key", "beta"}},
       0,
       Method::kApiKey,
       ""},
      {"a wrong key before a good token",
       key_first,
       {{"authorization", Bearer()}, {"x-api-key", "x"}},
       401,
       Method::kAnonymous,
       kBoth},
      {"another scheme before a good key",
       token_first,
       {{"authorization", "Basic x"}, {"x-api-key", "beta"}},
       401,
       Method::kAnonymous,
       kBoth},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Outcome outcome = Ask(row.config, row.lines);
    EXPECT_EQ(outcome.status, row.status) << outcome.reason;
    EXPECT_EQ(outcome.identity.method, row.method);
    EXPECT_EQ(outcome.challenges, row.challenges);
  }
  const std::string challenges = Ask(token_first, {{"authorization", "Bearer x"}, {"x-api-key", "beta"}}).challenges;
  EXPECT_TRUE(challenges.starts_with("[Bearer realm=\"portico\", error=\"invalid_token\"")) << challenges;
  EXPECT_TRUE(challenges.ends_with(kKeyChallenge)) << challenges;
}

TEST(AuthKeyTest, CredentialsEndHere) {
  const std::string token = Bearer();
  struct Row {
    const char* name;
    std::string any_of;
    Lines lines;
    const char* path;
    std::string sent;
  };
  const Row rows[] = {
      {"a header", kKeys, {{"x-api-key", "beta"}, {"x", "1"}}, "/a?x=1", "/a?x=1|x: 1"},
      {"a cookie", kKeys, {{"cookie", "a=1; k=beta; b=2"}}, "/", "/|cookie: a=1; b=2"},
      {"a parameter", kKeys, {}, "/a?x=1&key=beta&y=2", "/a?x=1&y=2"},
      {"places that did not count", kKeys, {{"x-api-key", "beta"}, {"cookie", "k=x"}}, "/?key=y", "/"},
      {"kept", kKeysKept, {{"x-api-key", "beta"}}, "/", "/|x-api-key: beta"},
      {"kept, in the query", kKeysKept, {}, "/?a=1&key=beta", "/?a=1&key=beta"},
      {"kept, but for what did not count",
       kKeysKept,
       {{"x-api-key", "beta"}, {"cookie", "k=x; l=1"}},
       "/?key=y",
       "/|x-api-key: beta|cookie: l=1"},
      {"a token", kJwt, {{"authorization", token}}, "/", "/"},
      {"a token, kept", kJwtKept, {{"authorization", token}}, "/", "/|authorization: " + token},
      {"both, the token counted",
       Concat(kJwt, ", ", kKeysKept),
       {{"authorization", token}, {"x-api-key", "beta"}},
       "/",
       "/"},
      {"both, the key counted",
       Concat(kKeysKept, ", ", kJwtKept),
       {{"authorization", token}, {"x-api-key", "beta"}},
       "/",
       "/|x-api-key: beta"},
      {"authorization where tokens are not known",
       Concat(kKeys, ", ", kNobody),
       {{"authorization", "Basic x"}},
       "/",
       "/|authorization: Basic x"},
      {"the place of a key of somebody unknown", Concat(kNobody, ", ", kKeys), {{"x_api_key", "x"}}, "/", "/"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Outcome outcome = Ask(Build(row.any_of), row.lines, row.path);
    EXPECT_EQ(outcome.status, 0) << outcome.reason;
    EXPECT_EQ(outcome.sent, row.sent);
  }
}

TEST(AuthKeyTest, TrailersHaveNone) {
  const auto config = Build(Concat(kKeysKept, ", ", kJwtKept));
  filter::WorkerSlots slots;
  base::Arena arena;
  http::RequestHead head(arena);
  head.path = "/";
  filter::Identity identity;
  filter::FilterContext context{head, "", "/", identity, kNow};
  http::Fields trailers(arena);
  for (const char* name : {"x-api-key", "authorization", "x-checksum"})
    trailers.Add(name, "1");
  AuthFilterConfig(config).MakeFilter(slots)->OnRequestTrailers(context, trailers);
  ASSERT_EQ(trailers.size(), 1u);
  EXPECT_EQ(trailers.begin()->name, "x-checksum");
}

TEST(AuthKeyTest, AnIdentityFieldMayTakeTheKeysPlace) {
  const auto config = Build(kKeys, "", "identityToHeaders: [{identity: Consumer, header: x-api-key}]");
  EXPECT_EQ(Ask(config, {{"x-api-key", "beta"}}).sent, "/|x-api-key: beta");
  EXPECT_EQ(Ask(config, {{"x-api-key", "acme-new"}}).sent, "/|x-api-key: acme");
}

}  // namespace
}  // namespace portico::auth
