// What the proxy answers itself, before or instead of an origin.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/downstream/world_for_test.h"
#include "dataplane/filter/problem.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words

RuleSpec Guarded(std::string path, std::vector<std::shared_ptr<const filter::FilterConfig>> filters) {
  RuleSpec spec;
  spec.path = std::move(path);
  spec.filters = std::move(filters);
  return spec;
}

TEST(ExchangeTest, AnswersOfTheProxysOwn) {
  struct Row {
    std::string_view name;
    std::vector<RuleSpec> rules;
    std::string_view method, target;
    FieldList fields;
    int status;
    std::string_view field, value, line;
  };
  RuleSpec only_b;
  only_b.path = "/b";
  RuleSpec elsewhere;
  elsewhere.hostname = "elsewhere.example";
  FilterScript denies;
  ThenReply(denies, 403);
  FilterScript challenges;
  challenges.act = [](auto&, auto) {
    filter::Reply reply = filter::ProblemReply(401, "who are you?");
    reply.fields.emplace_back("www-authenticate", "Bearer");
    return reply;
  };
  RuleSpec edited = Direct(200, "ok");
  edited.rule.response_edits.set = {{"x-edited", "yes"}};
  RuleSpec unbacked;
  unbacked.backends.clear();
  const std::string_view problem = "application/problem+json";
  const std::string_view allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  const Row rows[] = {
      {"no route",
       {only_b},
       "GET",
       "/a",
       {},
       404,
       "proxy-status",
       "portico; error=destination_not_found; details=\"no route agrees with this request\"",
       "GET /a -> 404 error=destination_not_found"},
      {"dot segment",
       {RuleSpec{}},
       "GET",
       "/a/%2e%2E/b",
       {},
       400,
       "content-type",
       problem,
       "GET /a/%2e%2E/b -> 400 error=http_request_error"},
      {"fault",
       {Faulty("Cluster default/x: not found")},
       "GET",
       "/a",
       {},
       500,
       "content-type",
       problem,
       "GET /a -> 500 error=proxy_configuration_error"},
      {"no backend at all",
       {unbacked},
       "GET",
       "/a",
       {},
       500,
       "content-type",
       problem,
       "GET /a -> 500 error=proxy_configuration_error"},
      {"unknown cluster",
       {Unknown()},
       "GET",
       "/a",
       {},
       500,
       "content-type",
       problem,
       "GET /a -> 500 error=proxy_configuration_error"},
      {"redirect", {Redirecting()}, "GET", "/a?b", {}, 301, "location", "https://shop.example/a?b", "GET /a?b -> 301"},
      {"direct", {Direct(200, "hello")}, "GET", "/a", {}, 200, "content-length", "5", "GET /a -> 200"},
      {"direct, to HEAD", {Direct(200, "hello")}, "HEAD", "/a", {}, 200, "content-length", "5", "HEAD /a -> 200"},
      {"direct, 204", {Direct(204, "")}, "GET", "/a", {}, 204, "content-length", "(none)", "GET /a -> 204"},
      {"direct, edited", {edited}, "GET", "/a", {}, 200, "x-edited", "yes", "GET /a -> 200"},
      {"denied",
       {Filtered(denies)},
       "GET",
       "/a",
       {},
       403,
       "x-filtered",
       "yes",
       "GET /a -> 403 error=http_request_denied"},
      {"challenged",
       {Filtered(challenges)},
       "GET",
       "/a",
       {},
       401,
       "www-authenticate",
       "Bearer",
       "GET /a -> 401 error=http_request_denied"},
      {"another rule by another reading",
       {Guarded("/admin", {std::make_shared<ScriptedFilterConfig>(denies)}), RuleSpec{}},
       "GET",
       "/admin;x/a",
       {},
       400,
       "content-type",
       problem,
       "GET /admin;x/a -> 400 error=http_request_error"},
      {"options of the proxy", {only_b}, "OPTIONS", "*", {}, 204, "allow", allow, "OPTIONS * -> 204"},
      {"options of the proxy, for a host that there is none of",
       {elsewhere},
       "OPTIONS",
       "*",
       {},
       404,
       "content-type",
       problem,
       "OPTIONS * -> 404 error=destination_not_found"},
      {"options of the last hop without a route",
       {only_b},
       "OPTIONS",
       "/a",
       {{"max-forwards", "0"}},
       404,
       "content-type",
       problem,
       "OPTIONS /a -> 404 error=destination_not_found"},
      {"options of the last hop and a dot segment",
       {RuleSpec{}},
       "OPTIONS",
       "/../a",
       {{"max-forwards", "0"}},
       400,
       "content-type",
       problem,
       "OPTIONS /../a -> 400 error=http_request_error"},
      {"options of the last hop",
       {RuleSpec{}},
       "OPTIONS",
       "/a",
       {{"max-forwards", "0"}},
       204,
       "allow",
       allow,
       "OPTIONS /a -> 204"},
      {"trace of the last hop",
       {RuleSpec{}},
       "TRACE",
       "/a",
       {{"max-forwards", "0"}},
       405,
       "allow",
       allow,
       "TRACE /a -> 405 error=http_request_error"},
      {"too long, by its length",
       {RuleSpec{}},
       "POST",
       "/a",
       {{"content-length", "11"}},
       413,
       "content-type",
       problem,
       "POST /a -> 413 error=http_request_error"},
  };
  for (const bool http2 : {false, true}) {
    for (const Row& row : rows) {
      World world(row.rules, ContentMax(10));
      Client client(world, http2);
      const http::StreamId id = client.Ask(row.method, row.target, row.method != "POST", row.fields);
      client.Turn();
      EXPECT_EQ(client.answer(id).status, row.status) << row.name;
      EXPECT_EQ(client.answer(id).Field(row.field), row.value) << row.name;
      EXPECT_EQ(client.answer(id).Field("server"), "portico") << row.name;
      EXPECT_TRUE(client.answer(id).ended) << row.name;
      EXPECT_EQ(world.Lines(), row.line) << row.name;
      EXPECT_EQ(world.asked_count(), 0u) << row.name;
      EXPECT_NE(world.records[0].request_id, "") << row.name;
      EXPECT_EQ(world.records[0].record.sent_bytes, client.answer(id).content.size()) << row.name;
      EXPECT_EQ(denies.alive + challenges.alive, 0) << row.name;
    }
  }
}

// `/admin;x` is no /admin to us, but may be one to the origin.
TEST(ExchangeTest, AnotherReadingIsRefusedWhereTheGuardsDiffer) {
  FilterScript script;
  const std::shared_ptr<const filter::FilterConfig> a = std::make_shared<ScriptedFilterConfig>(script);
  const std::shared_ptr<const filter::FilterConfig> b = std::make_shared<ScriptedFilterConfig>(script);
  struct Row {
    std::string_view name;
    std::vector<std::shared_ptr<const filter::FilterConfig>> of_admin, of_rest;
    bool refused;
  };
  const Row rows[] = {{"none has any", {}, {}, false},     {"the same", {a}, {a}, false}, {"its alone", {a}, {}, true},
                      {"the rest's alone", {}, {a}, true}, {"others", {a}, {b}, true},    {"more", {a, b}, {a}, true}};
  for (const Row& row : rows) {
    for (const std::string_view target : {"/admin;x", "/admin;x%2Fy", "/admin%2Fx?a=b"}) {
      World world({Guarded("/admin", row.of_admin), Guarded("", row.of_rest)});
      world.Say("GET " + std::string(target) + " HTTP/1.1\r\nhost: shop.example\r\n\r\n");
      EXPECT_EQ(world.asked_count(), row.refused ? 0u : 1u) << row.name << target;
      if (row.refused) {
        EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 400 ")) << row.name << target;
        continue;
      }
      EXPECT_EQ(world.asked().target, target);
      world.asked().Answer(200, "");
    }
  }
}

TEST(ExchangeTest, MaxForwardsGoesDownOnItsWay) {
  World world;
  world.Say("OPTIONS /a HTTP/1.1\r\nhost: shop.example\r\nmax-forwards: 3\r\n\r\n");
  EXPECT_EQ(world.asked().Field("max-forwards"), "2");
  world.asked().Answer(204, "");
}

TEST(ExchangeTest, AFaultIsForTheLogAlone) {
  World world({Faulty("Cluster secret/x: not found")});
  world.Say(kGet);
  EXPECT_FALSE(Has(world.Got(), "secret"));
  EXPECT_EQ(world.records[0].reason, "Cluster secret/x: not found");
}

TEST(ExchangeTest, AHostThatTheCertificateIsNotForIsMisdirected) {
  RuleSpec a, b, any;
  a.hostname = "a.example";
  b.hostname = "b.example";
  struct Row {
    std::string_view name, server_name, host;
    int status;
  };
  const Row rows[] = {{"its own", "a.example", "a.example", 200},
                      {"another listener's", "a.example", "b.example", 421},
                      {"nobody's", "a.example", "c.example", 421},
                      {"no server name", "", "b.example", 200}};
  for (const Row& row : rows) {
    World world({a, b}, {}, [&](test::FarEnd& far) {
      far.server_name = row.server_name;
      far.tls_version = "TLSv1.3";
      far.alpn = "http/1.1";
    });
    world.Say("GET / HTTP/1.1\r\nhost: " + std::string(row.host) + "\r\n\r\n");
    if (row.status == 200) world.asked().Answer(200, "");
    EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 " + std::to_string(row.status))) << row.name;
    EXPECT_EQ(world.records[0].tls, "TLSv1.3");
  }
}

TEST(ExchangeTest, MalformedRequestsAreAnsweredAndLogged) {
  struct Row {
    std::string_view name, bytes;
    int status;
    std::string_view line;
  };
  const Row rows[] = {
      {"head", "GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400, "-> 400 error=http_request_error"},
      {"chunk", "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd", 400,
       "POST /a -> 400 error=http_request_error"},
      {"expectation", "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\nexpect: tea\r\n\r\n", 417,
       "-> 417 error=http_request_error"},
  };
  for (const Row& row : rows) {
    World world;
    world.Say(row.bytes);
    EXPECT_TRUE(Has(world.Got(), "HTTP/1.1 " + std::to_string(row.status))) << row.name;
    EXPECT_EQ(world.Lines(), row.line) << row.name;
    EXPECT_EQ(world.records[0].client, "192.0.2.7") << row.name;
    EXPECT_EQ(world.origin().under_way(), 0u) << row.name;
  }
}

// Of the gateway's limit and the rule's the smaller holds, told by content-length or noticed while the content comes.
TEST(ExchangeTest, ARuleHasALimitOfItsOwn) {
  const struct {
    const char* name;
    std::optional<uint64_t> gateway, rule;
    std::string content;
    int status;
  } rows[] = {
      {"none", std::nullopt, std::nullopt, "12345", 200},
      {"just so", std::nullopt, 5, "12345", 200},
      {"longer", std::nullopt, 4, "12345", 413},
      {"nothing at all", std::nullopt, 0, "1", 413},
      {"nothing at all, and so it is", std::nullopt, 0, "", 200},
      {"the rule's is smaller", 10, 4, "12345", 413},
      {"the gateway's is smaller", 4, 10, "12345", 413},
      {"both are larger", 10, 10, "12345", 200},
  };
  for (const auto& row : rows) {
    for (const bool chunked : {false, true}) {
      SCOPED_TRACE(base::Concat(row.name, chunked ? ", chunked" : ""));
      FilterScript script;
      snapshot::ClientConfig client;
      client.request_content_bytes_max = row.gateway;
      RuleSpec spec = Filtered(script);
      spec.rule.request_content_bytes_max = row.rule;
      World world({spec}, client);
      const std::string chunks =
          row.content.empty() ? "0\r\n\r\n" : base::Concat(row.content.size(), "\r\n", row.content, "\r\n0\r\n\r\n");
      world.Say(base::Concat(
          "POST /a HTTP/1.1\r\nhost: shop.example\r\n",
          chunked ? std::string("transfer-encoding: chunked") : base::Concat("content-length: ", row.content.size()),
          "\r\n\r\n", chunked ? chunks : row.content));
      if (row.status == 200) world.asked().Answer(200, "");
      EXPECT_TRUE(world.Got().starts_with(base::Concat("HTTP/1.1 ", row.status, " ")));
      // Before anybody is asked who they are.
      EXPECT_EQ(script.handles.size(), row.status == 413 && !chunked ? 0u : 1u);
      world.Turn();
      EXPECT_EQ(world.records.size(), 1u);
    }
  }
}

TEST(ExchangeTest, ContentOverTheLimitIsNoticedWhileItComes) {
  for (const bool answered : {false, true}) {
    World world({RuleSpec{}}, ContentMax(10));
    world.Say(std::string(kChunkedPost) + "8\r\n12345678\r\n");
    EXPECT_EQ(world.asked().content, "12345678");
    if (answered) world.asked().Head(200);
    world.Say("3\r\n9ab\r\n");
    EXPECT_FALSE(world.asked().alive());
    EXPECT_EQ(world.asked().content, "12345678");
    const std::string got = world.Got();
    EXPECT_EQ(Count(got, "HTTP/1.1 413 "), answered ? 0u : 1u);
    EXPECT_EQ(world.Lines(), answered ? "POST /a -> 200 aborted" : "POST /a -> 413 error=http_request_error");
    EXPECT_EQ(world.far->aborted, answered);
    EXPECT_FALSE(Has(got, "0\r\n\r\n"));
  }
}

}  // namespace
}  // namespace portico::downstream
