#include "dataplane/filters/auth/auth_filter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/test_signer.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/auth/auth_config.h"
#include "dataplane/filters/auth/claim.h"
#include "dataplane/http/message.h"

namespace portico::auth {
namespace {

using base::Concat;
using crypto::SignatureAlgorithm;
using crypto::TestSigner;
using Lines = std::vector<std::pair<std::string, std::string>>;

const base::WallTime kNow{std::chrono::seconds(1'700'000'000)};
constexpr char kHeader[] = R"({"alg":"HS256","kid":"k"})";
constexpr char kHome[] = "https://id.example";
constexpr char kOther[] = "https://other.example";

const TestSigner& HomeSigner() {
  static const TestSigner* signer = new TestSigner(SignatureAlgorithm::kHs256);
  return *signer;
}
const TestSigner& OtherSigner() {
  static const TestSigner* signer = new TestSigner(SignatureAlgorithm::kHs256);
  return *signer;
}

std::string Token(const TestSigner& signer, std::string_view issuer, std::string_view more = "") {
  return signer.Token(kHeader, Concat("{\"iss\":\"", issuer, "\",\"aud\":\"shop\",\"exp\":1700000100", more, "}"));
}
std::string HomeToken(std::string_view more = ",\"sub\":\"alice\"") {
  return Token(HomeSigner(), kHome, more);
}
Lines Bearer(std::string_view token) {
  return {{"authorization", Concat("Bearer ", token)}};
}

std::string Secret(std::string_view name, const TestSigner& signer) {
  return Concat("kind: Secret\nmetadata: {name: ", name, "}\nspec: {jwks: {inline: '{\"keys\":[", signer.Jwk("k"),
                "]}'}}\n---\n");
}

constexpr char kJwt[] = R"(jwt: {issuer: "https://id.example", audiences: [shop], jwks: {secretRef: {name: home}}})";
constexpr char kJwtOther[] =
    R"(jwt: {issuer: "https://other.example", audiences: [shop], jwks: {secretRef: {name: other}}})";

constexpr char kConsumers[] = R"(
kind: Consumer
metadata: {name: acme}
spec: {groups: [partner, gold], credentials: [{jwt: {issuer: "https://id.example", claims: {azp: acme-app}}}]}
---
kind: Consumer
metadata: {name: beta}
spec: {groups: [tester], credentials: [{jwt: {issuer: "https://id.example", claims: {azp: beta-app, env: test}}}]}
---
kind: Consumer
metadata: {name: far, namespace: elsewhere}
spec: {groups: [remote], credentials: [{jwt: {issuer: "https://id.example", claims: {roles: far}}}]}
---
)";

// An AuthPolicy with all that the tests need of both halves; each "" is left out.
std::string Policy(std::string_view any_of, std::string_view authorization = "", std::string_view headers = "") {
  std::string out = "kind: AuthPolicy\nmetadata: {name: policy}\nspec:\n  targetRefs: [{kind: Gateway, name: front}]\n";
  if (!any_of.empty()) out += Concat("  authentication: {anyOf: [", any_of, "]}\n");
  if (!authorization.empty()) out += Concat("  authorization: {", authorization, "}\n");
  if (!headers.empty()) out += Concat("  identityToHeaders: [", headers, "]\n");
  return out;
}

std::string Braced(std::string_view method) {
  return Concat("{", method, "}");
}

check::Configuration Configure(std::string_view policy, bool with_secrets = true) {
  std::string text = with_secrets ? Concat(Secret("home", HomeSigner()), Secret("other", OtherSigner())) : "";
  text += Concat(kConsumers, policy);
  yaml::Problems problems(10);
  check::Configuration out;
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems)) {
    EXPECT_TRUE(out.Add(std::move(document.resource)));
  }
  EXPECT_TRUE(problems.empty()) << problems.ToString() << text;
  return out;
}

resolve::Reach Everything(const check::Configuration& configuration) {
  resolve::Reach out;
  for (const auto& [key, resource] : configuration.resources())
    out.Put(key, {});
  return out;
}

resolve::EffectiveAuth Bind(const check::Configuration& configuration) {
  resolve::EffectiveAuth out;
  const check::ResourceKey key{"AuthPolicy", "default", "policy"};
  const resolve::SharedResource resource = *configuration.resources().Find(key);
  const resolve::BoundPolicy bound{key, resource, resolve::Level::kGateway, ""};
  if (resource->auth_policy().spec().has_authentication()) out.authentication = bound;
  if (resource->auth_policy().spec().has_authorization()) out.authorization = bound;
  return out;
}

std::shared_ptr<const AuthConfig> Build(std::string_view policy) {
  const check::Configuration configuration = Configure(policy);
  return BuildAuthConfig(Bind(configuration), configuration, Everything(configuration));
}

struct Outcome {
  int status = 0;  // 0: passed
  filter::Reply reply;
  Lines fields;  // what the origin gets
  filter::Identity identity;

  // The values of that name in the reply, and in what the origin gets.
  std::string Field(std::string_view name) const { return Values(reply.fields, name); }
  std::string Sent(std::string_view name) const { return Values(fields, name); }

 private:
  static std::string Values(const Lines& lines, std::string_view name) {
    std::string out;
    for (const auto& [field, value] : lines) {
      if (field == name) out += Concat("[", value, "]");
    }
    return out;
  }
};

struct Call {
  std::string method = "GET";
  std::string path = "/";
  std::string host = "api.example";
};

Outcome Ask(const std::shared_ptr<const AuthConfig>& config, const Lines& lines, const Call& call = {},
            base::WallTime now = kNow, filter::WorkerSlots* worker = nullptr) {
  filter::WorkerSlots own;
  filter::WorkerSlots& slots = worker == nullptr ? own : *worker;
  base::Arena arena;
  http::RequestHead head(arena);
  head.method = call.method;
  for (const auto& [name, value] : lines)
    head.fields.Add(name, value);
  Outcome out;
  filter::FilterContext context{head, call.host, call.path, out.identity, now};
  filter::Verdict verdict = AuthFilterConfig(config).MakeFilter(slots)->OnRequestHead(context, filter::Resume({}, 1));
  EXPECT_FALSE(std::holds_alternative<filter::Wait>(verdict));
  if (auto* reply = std::get_if<filter::Reply>(&verdict)) {
    out.status = reply->status;
    out.reply = std::move(*reply);
  }
  for (const http::Field& field : head.fields)
    out.fields.emplace_back(field.name, field.value);
  return out;
}

TEST(AuthFilterTest, JudgesCredentials) {
  const std::string good = HomeToken();
  const std::string expired =
      HomeSigner().Token(kHeader, R"({"iss":"https://id.example","aud":"shop","exp":1600000000})");
  const auto strict = Build(Policy(Braced(kJwt)));
  const auto open = Build(Policy(Concat(Braced(kJwt), ", {anonymous: {}}")));
  const auto two = Build(Policy(Concat(Braced(kJwt), ", ", Braced(kJwtOther))));
  const auto nobody = Build(Policy("{anonymous: {}}"));
  enum Challenge { kNone, kPlain, kInvalid };
  struct Row {
    std::string_view name;
    std::shared_ptr<const AuthConfig> config;
    Lines lines;
    int status;
    Challenge challenge;
    std::string_view issuer;
  };
  const Row rows[] = {
      {"good", strict, Bearer(good), 0, kNone, kHome},
      {"scheme in another case", strict, {{"authorization", "bEARER " + good}}, 0, kNone, kHome},
      {"none", strict, {}, 401, kPlain, ""},
      {"none, in proxy-authorization", strict, {{"proxy-authorization", "Bearer " + good}}, 401, kPlain, ""},
      {"another scheme", strict, {{"authorization", "Basic YTpi"}}, 401, kPlain, ""},
      {"a scheme that begins so", strict, {{"authorization", "Bearerx " + good}}, 401, kPlain, ""},
      {"empty", strict, {{"authorization", ""}}, 401, kPlain, ""},
      {"the scheme alone", strict, {{"authorization", "Bearer"}}, 401, kInvalid, ""},
      {"the token alone", strict, {{"authorization", good}}, 401, kPlain, ""},
      {"two spaces", strict, {{"authorization", "Bearer  " + good}}, 0, kNone, kHome},
      {"more spaces", strict, {{"authorization", "bearer    " + good}}, 0, kNone, kHome},
      {"spaces alone", strict, {{"authorization", "Bearer  "}}, 401, kInvalid, ""},
      {"two spaces in another place", strict, {{"authorization", "Bearer x  " + good}}, 401, kInvalid, ""},
      {"a tab", strict, {{"authorization", "Bearer\t" + good}}, 401, kPlain, ""},
      {"two tokens in one field",
       strict,
       {{"authorization", Concat("Bearer ", good, ", Bearer ", good)}},
       401,
       kInvalid,
       ""},
      {"two fields",
       strict,
       {{"authorization", "Bearer " + good}, {"authorization", "Bearer " + good}},
       401,
       kInvalid,
       ""},
      {"two fields, one of Basic",
       strict,
       {{"authorization", "Basic YTpi"}, {"authorization", "Bearer " + good}},
       401,
       kInvalid,
       ""},
      {"expired", strict, Bearer(expired), 401, kInvalid, ""},
      {"another's signature", strict, Bearer(Token(OtherSigner(), kHome)), 401, kInvalid, ""},
      {"too long", strict, Bearer(std::string(9000, 'a')), 401, kInvalid, ""},
      {"garbage", strict, Bearer("garbage"), 401, kInvalid, ""},
      {"nobody, where that is allowed", open, {}, 0, kNone, ""},
      {"good, where nobody is allowed too", open, Bearer(good), 0, kNone, kHome},
      {"expired is not nobody", open, Bearer(expired), 401, kInvalid, ""},
      {"garbage is not nobody", open, Bearer("x"), 401, kInvalid, ""},
      {"another scheme is not nobody", open, {{"authorization", "Basic YTpi"}}, 401, kPlain, ""},
      {"an empty field is not nobody", open, {{"authorization", ""}}, 401, kPlain, ""},
      {"two fields are not nobody", open, {{"authorization", ""}, {"authorization", ""}}, 401, kInvalid, ""},
      {"the first of two issuers", two, Bearer(good), 0, kNone, kHome},
      {"the second", two, Bearer(Token(OtherSigner(), kOther)), 0, kNone, kOther},
      {"one in the other's name", two, Bearer(Token(OtherSigner(), kHome)), 401, kInvalid, ""},
      {"a third", two, Bearer(Token(HomeSigner(), "https://third.example")), 401, kInvalid, ""},
      {"unreadable, with two", two, Bearer("a.b.c"), 401, kInvalid, ""},
      {"nobody is asked", nobody, Bearer(good), 0, kNone, ""},
      {"nobody is asked, garbage", nobody, Bearer("garbage"), 0, kNone, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ASSERT_EQ(row.config->fault, "");
    const Outcome outcome = Ask(row.config, row.lines);
    EXPECT_EQ(outcome.status, row.status) << outcome.reply.reason;
    EXPECT_EQ(outcome.identity.issuer, row.issuer);
    EXPECT_EQ(outcome.identity.anonymous(), row.issuer.empty());
    const std::string challenge = row.status == 0 ? "" : outcome.Field("www-authenticate");
    const bool has_error = challenge.find("error=\"invalid_token\", error_description=\"") != std::string::npos;
    EXPECT_EQ(challenge.starts_with("[Bearer realm=\"portico\""), row.challenge != kNone) << challenge;
    EXPECT_EQ(has_error, row.challenge == kInvalid) << challenge;
  }
}

TEST(AuthFilterTest, TellsWhoItIs) {
  const Outcome outcome =
      Ask(Build(Policy(Braced(kJwt))), Bearer(HomeToken(R"(,"sub":"alice","scope":"a b","azp":"acme-app","n":7)")));
  EXPECT_EQ(outcome.identity.method, filter::IdentityMethod::kJwt);
  EXPECT_EQ(outcome.identity.subject, "alice");
  EXPECT_EQ(outcome.identity.scopes, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(outcome.identity.consumer(), "acme");
  EXPECT_EQ(outcome.identity.groups, (std::vector<std::string>{"partner", "gold"}));
  ASSERT_NE(outcome.identity.claims.Find("n"), nullptr);
  EXPECT_EQ(ClaimText(*outcome.identity.claims.Find("n")), "7");
  EXPECT_EQ(outcome.Sent("authorization"), "");
}

TEST(AuthFilterTest, RecognisesConsumers) {
  const auto plain = Build(Policy(Braced(kJwt)));
  const auto naming =
      Build(Policy(Braced(kJwt),
                   "defaultAction: Allow, rules: [{name: r, action: Allow, principal: {consumers: [elsewhere/far]}}]"));
  struct Row {
    std::string_view name;
    std::shared_ptr<const AuthConfig> config;
    std::string_view claims;
    std::string_view consumers;
  };
  const Row rows[] = {
      {"by one claim", plain, R"(,"azp":"acme-app")", "acme "},
      {"in a list", plain, R"(,"azp2":1,"env":["x","test"],"azp":"beta-app")", "beta "},
      {"one of two claims", plain, R"(,"azp":"beta-app")", ""},
      {"the other value", plain, R"(,"azp":"beta-app","env":"live")", ""},
      {"another case", plain, R"(,"azp":"ACME-APP")", ""},
      {"no claim", plain, "", ""},
      {"of another namespace, not named", plain, R"(,"roles":["far"])", ""},
      {"of another namespace, named", naming, R"(,"roles":["far"])", "far "},
      {"two", naming, R"(,"roles":["far"],"azp":"acme-app")", "acme far "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Outcome outcome = Ask(row.config, Bearer(HomeToken(row.claims)));
    EXPECT_EQ(outcome.status, 0) << outcome.reply.reason;
    std::string consumers;
    for (const filter::ConsumerName& consumer : outcome.identity.consumers)
      consumers += consumer.name + " ";
    EXPECT_EQ(consumers, row.consumers);
  }
}

// Who writes there may not give its callers the groups of here.
TEST(AuthFilterTest, AConsumerOfAnotherNamespaceIsItsNameAlone) {
  const auto config =
      Build(Policy(Braced(kJwt),
                   "defaultAction: Deny, rules: [{name: named, action: Allow, principal: {consumers: [elsewhere/far]}, "
                   "operation: {methods: [GET]}}, {name: group, action: Allow, principal: {groups: [remote]}}]"));
  const Outcome named = Ask(config, Bearer(HomeToken(R"(,"roles":["far"])")));
  EXPECT_EQ(named.status, 0) << named.reply.reason;
  EXPECT_EQ(named.identity.groups, std::vector<std::string>());
  EXPECT_EQ(Ask(config, Bearer(HomeToken(R"(,"roles":["far"])")), {.method = "POST"}).status, 403);
}

TEST(AuthFilterTest, Authorises) {
  constexpr std::string_view kAllow = "defaultAction: Allow, rules: [";
  constexpr std::string_view kDeny = "defaultAction: Deny, rules: [";
  struct Row {
    std::string_view name;
    std::string authorization;
    std::string_view claims;  // "-": no token
    Call call;
    int status;
  };
  const std::string deny_partners =
      Concat(kAllow, "{name: r, action: Deny, principal: {groups: [partner]}, operation: {methods: [POST]}}]");
  const std::string deny_admin = Concat(kAllow, "{name: r, action: Deny, operation: {paths: [{value: /admin/}]}}]");
  const std::string exact = Concat(kDeny, "{name: r, action: Allow, operation: {paths: [{type: Exact, value: /a}]}}]");
  const std::string regex =
      Concat(kDeny, "{name: r, action: Allow, operation: {paths: [{type: RegularExpression, value: '/v[0-9]'}]}}]");
  const std::string both =
      Concat(kDeny, "{name: a, action: Allow}, {name: d, action: Deny, principal: {subjects: [mallory]}}]");
  const std::string people = Concat(kDeny, "{name: r, action: Allow, principal: {method: JWT}}]");
  const std::string strangers = Concat(kAllow, "{name: r, action: Deny, principal: {method: Anonymous}}]");
  const std::string claim = Concat(kDeny, "{name: r, action: Allow, principal: {claims: {tier: gold, level: '3'}}}]");
  const std::string consumer = Concat(kDeny, "{name: r, action: Allow, principal: {consumers: [acme]}}]");
  const std::string hosts = Concat(kDeny, "{name: r, action: Allow, operation: {hosts: ['*.example']}}]");
  const Row rows[] = {
      {"default allows", "defaultAction: Allow", "-", {}, 0},
      {"default denies", "defaultAction: Deny", "", {}, 403},
      {"group denied", deny_partners, R"(,"azp":"acme-app")", {.method = "POST"}, 403},
      {"group, another method", deny_partners, R"(,"azp":"acme-app")", {}, 0},
      {"another group", deny_partners, R"(,"azp":"x")", {.method = "POST"}, 0},
      {"the token's groups are not the Consumer's", deny_partners, R"(,"groups":["partner"])", {.method = "POST"}, 0},
      {"prefix", deny_admin, "", {.path = "/admin"}, 403},
      {"below the prefix", deny_admin, "", {.path = "/admin/x"}, 403},
      {"beside the prefix", deny_admin, "", {.path = "/administer"}, 0},
      {"a path that is not normal", deny_admin, "", {.path = "//admin"}, 400},
      {"an encoded path that is not normal", deny_admin, "", {.path = "/%61dmin"}, 400},
      {"an encoded space is nothing special", deny_admin, "", {.path = "/a%20b%C3%BC"}, 0},
      {"a parameter hides nothing", deny_admin, "", {.path = "/admin;x"}, 403},
      {"nor does an encoded one", deny_admin, "", {.path = "/admin%3Bx/y"}, 403},
      {"a backslash ends a segment", deny_admin, "", {.path = "/admin\\x"}, 403},
      {"and so does an encoded slash", deny_admin, "", {.path = "/admin%2Fx"}, 403},
      {"nor does a slash in a parameter", deny_admin, "", {.path = "/admin;x%2Fy"}, 403},
      {"nor a backslash there", deny_admin, "", {.path = "/admin;x\\y"}, 403},
      {"dots before an encoded parameter", deny_admin, "", {.path = "/x/..%3B/admin"}, 400},
      {"a parameter elsewhere", deny_admin, "", {.path = "/a;admin/b"}, 0},
      {"what is allowed must be so in every reading", exact, "", {.path = "/a;b"}, 403},
      {"the asterisk is below no path", deny_admin, "", {.method = "OPTIONS", .path = "*"}, 0},
      {"exact", exact, "", {.path = "/a"}, 0},
      {"exact, longer", exact, "", {.path = "/a/"}, 403},
      {"regular expression", regex, "", {.path = "/v1"}, 0},
      {"regular expression, a part", regex, "", {.path = "/v1/x"}, 403},
      {"allow", both, R"(,"sub":"alice")", {}, 0},
      {"deny wins though it is later", both, R"(,"sub":"mallory")", {}, 403},
      {"method JWT", people, "", {}, 0},
      {"method JWT, nobody", people, "-", {}, 403},
      {"method Anonymous", strangers, "-", {}, 403},
      {"method Anonymous, somebody", strangers, "", {}, 0},
      {"claims", claim, R"(,"tier":["x","gold"],"level":3)", {}, 0},
      {"one claim is missing", claim, R"(,"tier":"gold")", {}, 403},
      {"a claim within an object", claim, R"(,"tier":{"gold":1},"level":3)", {}, 403},
      {"claims, nobody", claim, "-", {}, 403},
      {"consumer", consumer, R"(,"azp":"acme-app")", {}, 0},
      {"another consumer", consumer, R"(,"azp":"beta-app","env":"test")", {}, 403},
      {"host", hosts, "", {.host = "a.example"}, 0},
      {"another host", hosts, "", {.host = "example"}, 403},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto config = Build(Policy(Concat(Braced(kJwt), ", {anonymous: {}}"), row.authorization));
    ASSERT_EQ(config->fault, "");
    const Outcome outcome = Ask(config, row.claims == "-" ? Lines() : Bearer(HomeToken(row.claims)), row.call);
    EXPECT_EQ(outcome.status, row.status) << outcome.reply.reason;
    if (row.status != 403) continue;
    EXPECT_EQ(outcome.Field("content-type"), "[application/problem+json]");
    EXPECT_TRUE(outcome.reply.reason.starts_with("auth: denied by ")) << outcome.reply.reason;
    EXPECT_EQ(outcome.reply.content.find("rule"), std::string::npos);
  }
}

TEST(AuthFilterTest, WithoutAuthenticationEverybodyIsNobody) {
  const auto config =
      Build(Policy("",
                   "defaultAction: Deny, rules: [{name: r, action: Allow, principal: {method: Anonymous}, operation: "
                   "{methods: [GET]}}]"));
  EXPECT_EQ(Ask(config, {}).status, 0);
  EXPECT_EQ(Ask(config, Bearer("garbage")).status, 0);
  EXPECT_EQ(Ask(config, Bearer(HomeToken()), {.method = "POST"}).status, 403);
}

TEST(AuthFilterTest, IdentityFieldsAreOurs) {
  constexpr std::string_view kHeaders =
      "{identity: Subject, header: X-User-Id}, {identity: Consumer, header: x-consumer}, "
      "{identity: Claim, claim: mail, header: x-mail}";
  const auto config = Build(Policy(Concat(Braced(kJwt), ", {anonymous: {}}"), "", kHeaders));
  ASSERT_EQ(config->fault, "");
  const std::string full = HomeToken(R"(,"sub":"alice","azp":"acme-app","mail":"a@b.example")");
  struct Row {
    std::string_view name;
    std::string token;  // "": nobody
    Lines lines;
    std::string_view user, consumer, mail;
  };
  const Row rows[] = {
      {"all", full, {}, "[alice]", "[acme]", "[a@b.example]"},
      {"spoofed",
       full,
       {{"x-user-id", "root"}, {"x-user-id", "admin"}, {"x-mail", "x"}},
       "[alice]",
       "[acme]",
       "[a@b.example]"},
      {"spoofed by nobody", "", {{"x-user-id", "root"}, {"x-consumer", "acme"}}, "", "", ""},
      {"not known", HomeToken(""), {{"x-user-id", "root"}}, "", "", ""},
      {"a number", HomeToken(R"(,"mail":12.50)"), {}, "", "", "[12.50]"},
      {"a boolean", HomeToken(R"(,"mail":true)"), {}, "", "", "[true]"},
      {"a list", HomeToken(R"(,"mail":["a"])"), {}, "", "", ""},
      {"a line break", HomeToken(R"(,"sub":"a\r\nx-admin: 1","mail":"a\nb")"), {}, "", "", ""},
      {"a space at the end", HomeToken(R"(,"sub":"alice ")"), {}, "", "", ""},
      {"NUL", HomeToken(R"(,"sub":"a\u0000")"), {}, "", "", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Lines lines = row.token.empty() ? Lines() : Bearer(row.token);
    lines.insert(lines.end(), row.lines.begin(), row.lines.end());
    const Outcome outcome = Ask(config, lines);
    EXPECT_EQ(outcome.status, 0) << outcome.reply.reason;
    EXPECT_EQ(outcome.Sent("x-user-id"), row.user);
    EXPECT_EQ(outcome.Sent("x-consumer"), row.consumer);
    EXPECT_EQ(outcome.Sent("x-mail"), row.mail);
  }
  for (const char* name : {"x_user_id", "x-user_id", "x.user.id", "x_user-id"}) {
    EXPECT_EQ(Ask(config, {{name, "root"}}).Sent(name), "") << name;
  }
  for (const char* name : {"x-user-ids", "xuserid", "x-user-i", "x--user-id"}) {
    EXPECT_EQ(Ask(config, {{name, "root"}}).Sent(name), "[root]") << name;
  }
}

TEST(AuthFilterTest, CachesGoodTokensWhileTheyAreGood) {
  filter::WorkerSlots slots;
  const std::string policy = Policy(Braced(kJwt));
  auto config = Build(policy);
  const Lines lines = Bearer(HomeToken());
  EXPECT_EQ(Ask(config, lines, {}, kNow, &slots).status, 0);
  EXPECT_EQ(Ask(config, lines, {}, kNow, &slots).status, 0);
  EXPECT_EQ(slots.size(), 1u);
  config = Build(policy);  // another configuration that says the same
  EXPECT_EQ(Ask(config, lines, {}, kNow, &slots).status, 0);
  EXPECT_EQ(slots.size(), 1u);
  EXPECT_EQ(Ask(config, lines, {}, kNow + std::chrono::seconds(200), &slots).status, 401);
  config = Build(Policy("{jwt: {issuer: \"https://id.example\", audiences: [more], jwks: {secretRef: {name: home}}}}"));
  EXPECT_EQ(Ask(config, lines, {}, kNow, &slots).status, 401);  // known to the other verifier only
  slots.Sweep();
  EXPECT_EQ(slots.size(), 1u);
}

TEST(AuthConfigTest, FailsClosed) {
  struct Row {
    std::string_view name;
    std::string policy;
    std::string_view fault;
  };
  const auto jwt = [](std::string_view secret) {
    return Concat("{jwt: {issuer: \"https://id.example\", audiences: [shop], jwks: {secretRef: {", secret, "}}}}");
  };
  const Row rows[] = {
      {"no such Secret", Policy(jwt("name: missing")), "Secret missing is missing, or no ReferenceGrant permits it"},
      {"a Secret elsewhere", Policy(jwt("name: home, namespace: elsewhere")), "Secret elsewhere/home is missing, or"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto config = Build(row.policy);
    EXPECT_TRUE(config->fault.starts_with(row.fault)) << config->fault;
    for (const Lines& lines : {Lines(), Bearer(HomeToken())}) {
      const Outcome outcome = Ask(config, lines);
      EXPECT_EQ(outcome.status, 503);
      EXPECT_EQ(outcome.reply.content.find("Secret"), std::string::npos);
    }
  }
}

// What api/yaml would not let in, or what is lost on the way: made by changing a message.
TEST(AuthConfigTest, FailsClosedOnWhatNobodyChecked) {
  const check::Configuration good = Configure(Policy(
      Braced(kJwt), "defaultAction: Allow, rules: [{name: r, action: Deny}]", "{identity: Subject, header: x-user}"));
  using Spec = v1::AuthPolicySpec;
  struct Row {
    std::string_view name;
    void (*change)(Spec& spec);
  };
  const Row rows[] = {
      {"no method", [](Spec& spec) { spec.mutable_authentication()->clear_any_of(); }},
      {"an empty method", [](Spec& spec) { spec.mutable_authentication()->add_any_of(); }},
      {"keys that stand nowhere", [](Spec& spec) { spec.mutable_authentication()->add_any_of()->mutable_api_key(); }},
      {"two in one", [](Spec& spec) { spec.mutable_authentication()->mutable_any_of(0)->mutable_anonymous(); }},
      {"an issuer twice",
       [](Spec& spec) {
         *spec.mutable_authentication()->add_any_of() = v1::AuthenticationMethod(spec.authentication().any_of(0));
       }},
      {"no audience",
       [](Spec& spec) { spec.mutable_authentication()->mutable_any_of(0)->mutable_jwt()->clear_audiences(); }},
      {"no issuer",
       [](Spec& spec) { spec.mutable_authentication()->mutable_any_of(0)->mutable_jwt()->clear_issuer(); }},
      {"no keys", [](Spec& spec) { spec.mutable_authentication()->mutable_any_of(0)->mutable_jwt()->clear_jwks(); }},
      {"too much skew",
       [](Spec& spec) {
         spec.mutable_authentication()->mutable_any_of(0)->mutable_jwt()->mutable_clock_skew()->set_seconds(601);
       }},
      {"no default", [](Spec& spec) { spec.mutable_authorization()->clear_default_action(); }},
      {"no action", [](Spec& spec) { spec.mutable_authorization()->mutable_rules(0)->clear_action(); }},
      {"keys twice",
       [](Spec& spec) {
         for (int i = 0; i < 2; ++i) {
           auto* keys = spec.mutable_authentication()->add_any_of()->mutable_api_key();
           keys->mutable_extract_from()->add_headers()->set_name("x-key");
         }
       }},
      {"keys in a field without name",
       [](Spec& spec) {
         auto* keys = spec.mutable_authentication()->add_any_of()->mutable_api_key();
         keys->mutable_extract_from()->add_headers()->set_name("x key");
       }},
      {"principal by nothing known",
       [](Spec& spec) {
         spec.mutable_authorization()->mutable_rules(0)->mutable_principal()->set_method(
             static_cast<v1::AuthenticationMethodName>(99));
       }},
      {"an empty host",
       [](Spec& spec) { spec.mutable_authorization()->mutable_rules(0)->mutable_operation()->add_hosts(""); }},
      {"a dot segment",
       [](Spec& spec) {
         spec.mutable_authorization()->mutable_rules(0)->mutable_operation()->add_paths()->set_value("/a/..");
       }},
      {"a bad expression",
       [](Spec& spec) {
         auto* path = spec.mutable_authorization()->mutable_rules(0)->mutable_operation()->add_paths();
         path->set_type(v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION);
         path->set_value("/(");
       }},
      {"a field of framing", [](Spec& spec) { spec.mutable_identity_to_headers(0)->set_header("Content-Length"); }},
      {"a field of the connection", [](Spec& spec) { spec.mutable_identity_to_headers(0)->set_header("connection"); }},
      {"no field name", [](Spec& spec) { spec.mutable_identity_to_headers(0)->set_header("x y"); }},
      {"no attribute", [](Spec& spec) { spec.mutable_identity_to_headers(0)->clear_identity(); }},
      {"a claim without name",
       [](Spec& spec) { spec.mutable_identity_to_headers(0)->set_identity(v1::IDENTITY_ATTRIBUTE_CLAIM); }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    resolve::EffectiveAuth auth = Bind(good);
    v1::Resource changed = *auth.authentication->resource;
    row.change(*changed.mutable_auth_policy()->mutable_spec());
    auth.authentication->resource = auth.authorization->resource = std::make_shared<const v1::Resource>(changed);
    const auto config = BuildAuthConfig(auth, good, Everything(good));
    EXPECT_NE(config->fault, "");
    EXPECT_EQ(Ask(config, Bearer(HomeToken())).status, 503);
  }
}

TEST(AuthConfigTest, NeedsItsReachAndItsPolicies) {
  const check::Configuration good = Configure(Policy(Braced(kJwt), "defaultAction: Allow"));
  EXPECT_EQ(BuildAuthConfig({}, good, Everything(good)), nullptr);
  EXPECT_EQ(BuildAuthConfig(Bind(good), good, Everything(good))->fault, "");
  EXPECT_NE(BuildAuthConfig(Bind(good), good, {})->fault, "");  // the Secret is there, but not permitted
  const check::Configuration without = Configure(Policy(Braced(kJwt)), false);
  EXPECT_NE(BuildAuthConfig(Bind(without), without, Everything(good))->fault, "");
  resolve::EffectiveAuth lost = Bind(good);
  lost.authorization->resource = nullptr;
  EXPECT_NE(BuildAuthConfig(lost, good, Everything(good))->fault, "");
}

}  // namespace
}  // namespace portico::auth
