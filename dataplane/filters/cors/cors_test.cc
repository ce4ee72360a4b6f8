#include "dataplane/filters/cors/cors.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/cors/cors_config.h"
#include "dataplane/filters/cors/cors_filter.h"
#include "dataplane/http/message.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace portico::cors {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::shared_ptr<const CorsConfig> Config(const std::string& text) {
  v1::Cors message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return BuildCorsConfig(message);
}

std::string Text(const http::Fields& fields) {
  std::string out;
  for (const http::Field& field : fields)
    out += base::Concat("|", field.name, ": ", field.value);
  return out;
}

TEST(CorsTest, AllowsOrigins) {
  const struct {
    const char* allowed;
    const char* origin;
    bool expected;
  } rows[] = {
      {"https://shop.example", "https://shop.example", true},
      {"https://shop.example", "http://shop.example", false},
      {"https://shop.example", "https://shop.example:8443", false},
      {"https://shop.example", "https://shop.example.evil.example", false},
      {"https://shop.example", "https://shop.example/", false},
      {"https://shop.example", "https://SHOP.example", false},
      {"https://shop.example", "null", false},
      {"https://shop.example", "", false},
      {"https://shop.example:443", "https://shop.example", true},
      {"http://shop.example:80", "http://shop.example", true},
      {"http://shop.example:443", "http://shop.example:443", true},
      {"http://shop.example:443", "http://shop.example", false},
      {"https://[::1]:8443", "https://[::1]:8443", true},
      {"https://*.shop.example", "https://a.shop.example", true},
      {"https://*.shop.example", "https://a.b.shop.example", true},
      {"https://*.shop.example", "https://shop.example", false},
      {"https://*.shop.example", "https://.shop.example", false},
      {"https://*.shop.example", "https://a..shop.example", false},
      {"https://*.shop.example", "https://evilshop.example", false},
      {"https://*.shop.example", "http://a.shop.example", false},
      {"https://*.shop.example", "https://a.shop.example:8443", false},
      {"https://*.shop.example", "https://evil.example/.shop.example", false},
      {"https://*.shop.example", "https://evil.example#.shop.example", false},
      {"https://*.shop.example", "https://user@evil.shop.example", false},
      {"https://*.shop.example:8443", "https://a.shop.example:8443", true},
      {"https://*.shop.example:8443", "https://a.shop.example", false},
      {"https://*.shop.example:443", "https://a.shop.example", true},
      {"app://local", "app://local", true},
      {"*", "https://anything.example", true},
      {"*", "null", true},
      {"*", "", false},
      {"shop.example", "shop.example", true},  // api/check refuses it, and no browser sends it
      {"", "", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(AllowsOrigin(*Config(base::Concat("allow_origins: '", row.allowed, "'")), row.origin), row.expected)
        << row.allowed << " " << row.origin;
  }
  EXPECT_FALSE(AllowsOrigin(*Config(""), "https://a.example"));
}

// One exchange: what the origin server answers (or the 204 of a preflight) and what the client gets.
struct Outcome {
  bool passed = false;
  std::string got;
};
Outcome Ask(const std::string& config, std::string_view method, const Lines& request, const Lines& response) {
  base::Arena arena;
  http::RequestHead head(arena);
  head.method = method;
  for (const auto& [name, value] : request)
    head.fields.Add(name, value);
  filter::WorkerSlots slots;
  filter::Identity identity;
  filter::FilterContext context{head, "api.example", "/", identity, {}};
  const CorsFilterConfig built(Config(config));
  const auto filter = built.MakeFilter(slots);
  const filter::Verdict verdict = filter->OnRequestHead(context, filter::Resume({}, 1));
  EXPECT_FALSE(std::holds_alternative<filter::Wait>(verdict));
  Outcome out;
  out.passed = std::holds_alternative<filter::Continue>(verdict);
  http::ResponseHead answer(arena);
  if (const auto* reply = std::get_if<filter::Reply>(&verdict)) {
    EXPECT_EQ(reply->status, 204);
    EXPECT_TRUE(reply->fields.empty() && reply->content.empty());
  }
  for (const auto& [name, value] : out.passed ? response : Lines())
    answer.fields.Add(name, value);
  filter->OnResponseHead(context, answer);
  out.got = Text(answer.fields);
  return out;
}

constexpr char kOrigin[] = "https://app.example";
const std::string kPlain = "allow_origins: 'https://app.example' ";
const std::string kAny = "allow_origins: '*' ";
const std::string kCredentials = "allow_credentials: true ";

TEST(CorsTest, AnswersHaveTheRulesFields) {
  const struct {
    const char* name;
    std::string config;
    Lines request;
    Lines response;
    std::string got;
  } rows[] = {
      {"allowed",
       kPlain,
       {{"origin", kOrigin}},
       {{"x", "1"}},
       "|x: 1|vary: origin|access-control-allow-origin: https://app.example"},
      {"not allowed", kPlain, {{"origin", "https://evil.example"}}, {{"x", "1"}}, "|x: 1|vary: origin"},
      {"no page", kPlain, {}, {}, "|vary: origin"},
      {"two origins", kPlain, {{"origin", kOrigin}, {"origin", kOrigin}}, {}, "|vary: origin"},
      {"everybody", kAny, {{"origin", kOrigin}}, {}, "|access-control-allow-origin: *"},
      {"everybody, no page: a cache may give it to one", kAny, {}, {}, "|access-control-allow-origin: *"},
      {"and what it may read",
       kAny + "expose_headers: 'x-a'",
       {},
       {},
       "|access-control-allow-origin: *|access-control-expose-headers: x-a"},
      {"everybody, nowhere", kAny, {{"origin", "null"}}, {}, "|access-control-allow-origin: *"},
      {"everybody with credentials, no page", kAny + kCredentials, {}, {}, "|vary: origin"},
      {"everybody with credentials, nowhere", kAny + kCredentials, {{"origin", "null"}}, {}, "|vary: origin"},
      {"everybody with credentials",
       kAny + kCredentials,
       {{"origin", kOrigin}},
       {},
       "|vary: origin|access-control-allow-origin: https://app.example|access-control-allow-credentials: true"},
      {"with credentials",
       kPlain + kCredentials,
       {{"origin", kOrigin}},
       {},
       "|vary: origin|access-control-allow-origin: https://app.example|access-control-allow-credentials: true"},
      {"exposed",
       kAny + "expose_headers: ['x-a', 'x-b']",
       {{"origin", kOrigin}},
       {},
       "|access-control-allow-origin: *|access-control-expose-headers: x-a, x-b"},
      {"of a preflight alone",
       kAny + "allow_methods: 'PUT' allow_headers: 'x-a' max_age: 60",
       {{"origin", kOrigin}},
       {},
       "|access-control-allow-origin: *"},
      {"the origin server's own",
       kPlain,
       {{"origin", "https://evil.example"}},
       {{"access-control-allow-origin", "*"},
        {"access-control-allow-credentials", "true"},
        {"access-control-max-age", "1"}},
       "|vary: origin"},
      {"vary is there",
       kPlain,
       {{"origin", kOrigin}},
       {{"vary", "accept, ORIGIN"}},
       "|vary: accept, ORIGIN|access-control-allow-origin: https://app.example"},
      {"vary by everything", kPlain, {}, {{"vary", "accept"}, {"vary", "*"}}, "|vary: accept|vary: *"},
      {"vary by something else", kPlain, {}, {{"vary", "x-origin"}}, "|vary: x-origin|vary: origin"},
  };
  for (const auto& row : rows) {
    const Outcome outcome = Ask(row.config, "GET", row.request, row.response);
    EXPECT_TRUE(outcome.passed) << row.name;
    EXPECT_EQ(outcome.got, row.got) << row.name;
  }
}

TEST(CorsTest, PreflightsAreAnsweredHere) {
  const std::string origin = "|access-control-allow-origin: https://app.example";
  const std::string credentials = "|access-control-allow-credentials: true";
  const std::string age = "|access-control-max-age: 5";
  const struct {
    const char* name;
    std::string config;
    const char* origin;
    const char* headers;  // nullptr: not asked for
    std::string got;
  } rows[] = {
      {"nothing but the origin", kPlain, kOrigin, nullptr, "|vary: origin" + origin + age},
      {"not allowed", kPlain + "allow_methods: 'PUT'", "https://evil.example", nullptr, "|vary: origin"},
      {"everybody", kAny + "allow_methods: '*' allow_headers: '*' max_age: 60", kOrigin, "x-a, x-b",
       "|access-control-allow-origin: *|access-control-allow-methods: *|access-control-allow-headers: *"
       "|access-control-max-age: 60"},
      {"lists", kPlain + "allow_methods: ['PUT', 'DELETE'] allow_headers: ['x-a', 'x-b'] expose_headers: 'x-c'",
       kOrigin, "x-z",
       "|vary: origin" + origin + "|access-control-allow-methods: PUT, DELETE|access-control-allow-headers: x-a, x-b" +
           age},
      {"everything with credentials", kPlain + kCredentials + "allow_methods: '*' allow_headers: '*'", kOrigin,
       "x-a,x-b",
       "|vary: origin" + origin + credentials +
           "|access-control-allow-methods: PUT|access-control-allow-headers: x-a,x-b" + age},
      {"everything, and nothing asked for", kPlain + kCredentials + "allow_headers: '*'", kOrigin, nullptr,
       "|vary: origin" + origin + credentials + age},
      {"no list of names", kPlain + kCredentials + "allow_headers: '*'", kOrigin, "x-a, <script>",
       "|vary: origin" + origin + credentials + age},
      {"an empty name", kPlain + kCredentials + "allow_headers: '*'", kOrigin, "x-a,,x-b",
       "|vary: origin" + origin + credentials + age},
  };
  for (const auto& row : rows) {
    Lines request = {{"origin", row.origin}, {"access-control-request-method", "PUT"}};
    if (row.headers != nullptr) request.emplace_back("access-control-request-headers", row.headers);
    const Outcome outcome = Ask(row.config, "OPTIONS", request, {});
    EXPECT_FALSE(outcome.passed) << row.name;
    EXPECT_EQ(outcome.got, row.got) << row.name;
  }
}

TEST(CorsTest, OtherOptionsPass) {
  const struct {
    const char* name;
    const char* method;
    Lines request;
  } rows[] = {
      {"no page", "OPTIONS", {{"access-control-request-method", "PUT"}}},
      {"no question", "OPTIONS", {{"origin", kOrigin}}},
      {"two questions",
       "OPTIONS",
       {{"origin", kOrigin}, {"access-control-request-method", "PUT"}, {"access-control-request-method", "GET"}}},
      {"two pages", "OPTIONS", {{"origin", kOrigin}, {"origin", kOrigin}, {"access-control-request-method", "PUT"}}},
      {"no method", "OPTIONS", {{"origin", kOrigin}, {"access-control-request-method", "P T"}}},
      {"an empty method", "OPTIONS", {{"origin", kOrigin}, {"access-control-request-method", ""}}},
      {"another method", "GET", {{"origin", kOrigin}, {"access-control-request-method", "PUT"}}},
  };
  for (const auto& row : rows)
    EXPECT_TRUE(Ask(kPlain, row.method, row.request, {}).passed) << row.name;
}

}  // namespace
}  // namespace portico::cors
