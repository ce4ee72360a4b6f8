#include "api/check/resource/composition.h"

#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "api/check/resource/resource.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

Violations Check(const std::string& spec) {
  yaml::Problems problems(10);
  Violations all;
  for (const auto& document : yaml::ReadText("kind: Composition\nmetadata: {name: x}\nspec: {" + spec + "}\n", "f",
                                             yaml::Limits(), problems)) {
    const Violations found = CheckComposition(KeyOf(document.resource), document.resource.composition().spec());
    all.insert(all.end(), found.begin(), found.end());
  }
  EXPECT_EQ(problems.ToString(), "") << spec;
  return all;
}

std::string Times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i)
    all += text;
  return all;
}

std::string Call(const std::string& path, const std::string& more = "") {
  return "call: {backendRef: {name: b}, path: '" + path + "'" + (more.empty() ? "" : ", " + more) + "}";
}
// A whole spec of one step `a`.
std::string Step(const std::string& text) {
  return "steps: [{name: a, " + text + "}], answer: {body: $a}";
}
std::string Named(const std::string& name) {
  return "steps: [{name: " + name + ", " + Call("/") + "}], answer: {body: '1'}";
}
std::string ForEach(const std::string& text) {
  return Step("forEach: {" + text + "}, " + Call("/${each}"));
}
std::string Answer(const std::string& text) {
  return "steps: [{name: a, " + Call("/") + "}], answer: {" + text + "}";
}
std::string Steps(size_t count) {
  std::string all = "steps: [";
  for (size_t i = 0; i < count; ++i)
    all += "{name: s" + std::to_string(i) + ", " + Call("/") + "}, ";
  return all + "], answer: {body: '1'}";
}

struct Row {
  std::string spec;
  std::string path;     // of the one violation; "": accepted
  std::string message;  // a part of it
};

void ExpectRows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Violations found = Check(row.spec);
    ASSERT_EQ(found.size(), row.path.empty() ? 0U : 1U) << row.spec << (found.empty() ? "" : ": " + found[0].message);
    if (found.empty()) continue;
    EXPECT_EQ(found[0].path, row.path) << row.spec;
    EXPECT_NE(found[0].message.find(row.message), std::string::npos) << row.spec << ": " << found[0].message;
    EXPECT_EQ(found[0].key.ToString(), "Composition x");
  }
}

TEST(CheckComposition, Steps) {
  const std::string longest(63, 'a');
  ExpectRows({
      {Steps(1), "", ""},
      {Steps(32), "", ""},
      {Steps(33), "spec.steps", "must have 1 to 32 items"},
      {"answer: {body: '1'}", "spec.steps", "must have 1 to 32 items"},
      {"steps: [{" + Call("/") + "}], answer: {body: '1'}", "spec.steps[0].name", "is missing"},
      {"steps: [{name: a, " + Call("/") + "}, {name: a, " + Call("/") + "}], answer: {body: '1'}", "spec.steps[1].name",
       "is the name of another step"},
      {Named("_a9"), "", ""},
      {Named(longest), "", ""},
      {Named(longest + "a"), "spec.steps[0].name", "at most 63 bytes"},
      {Named("9a"), "spec.steps[0].name", "must be a letter or '_'"},
      {Named("a-b"), "spec.steps[0].name", "must be a letter or '_'"},
      {Named("ä"), "spec.steps[0].name", "must be a letter or '_'"},
      {Named("request"), "spec.steps[0].name", "reserved"},
      {Named("identity"), "spec.steps[0].name", "reserved"},
      {Named("each"), "spec.steps[0].name", "reserved"},
      {Named("failures"), "spec.steps[0].name", "reserved"},
      {Named("ENV"), "spec.steps[0].name", "reserved"},
      {Named("__loc__"), "spec.steps[0].name", "reserved"},
      {Step(Call("/") + ", timeouts: {request: 1ms}"), "", ""},
      {Step(Call("/") + ", timeouts: {request: 24h}"), "", ""},
      {Step(Call("/") + ", timeouts: {request: 0s}"), "spec.steps[0].timeouts.request", "must be 1ms to 24h"},
      {Step(Call("/") + ", timeouts: {request: 86401s}"), "spec.steps[0].timeouts.request", "must be 1ms to 24h"},
      {Step(Call("/") + ", absentOn: [400, 499]"), "", ""},
      {Step(Call("/") + ", absentOn: [404, 399]"), "spec.steps[0].absentOn[1]", "must be 400 to 499"},
      {Step(Call("/") + ", absentOn: [500]"), "spec.steps[0].absentOn[0]", "must be 400 to 499"},
      {Step(Call("/") + ", absentOn: [" + Times(17, "404, ") + "]"), "spec.steps[0].absentOn", "at most 16 items"},
      {Step(Call("/") + ", onFailure: UseNull"), "", ""},
      {Step(Call("/") + ", onFailure: UseFallback, fallback: {a: [1, x, true, {}]}"), "", ""},
      {Step(Call("/") + ", onFailure: UseFallback"), "spec.steps[0].fallback", "is missing, and onFailure"},
      {Step(Call("/") + ", onFailure: UseNull, fallback: 1"), "spec.steps[0].fallback", "UseFallback alone"},
      {Step(Call("/") + ", fallback: 1"), "spec.steps[0].fallback", "UseFallback alone"},
      {Step(Call("/") + ", onFailure: UseFallback, fallback: " + std::string(65534, 'a')), "", ""},
      {Step(Call("/") + ", onFailure: UseFallback, fallback: " + std::string(65535, 'a')), "spec.steps[0].fallback",
       "at most 65536 bytes"},
  });
}

TEST(CheckComposition, ForEach) {
  ExpectRows({
      {ForEach("items: '$request.query.id, $identity.subject'"), "", ""},
      {ForEach("items: '1', maxItems: 1, parallel: 100"), "", ""},
      {ForEach("maxItems: 1"), "spec.steps[0].forEach.items", "is missing"},
      {ForEach("items: ' '"), "spec.steps[0].forEach.items", "is missing"},
      {ForEach("items: '[1'"), "spec.steps[0].forEach.items", "is no jq program: line 1, column "},
      {ForEach("items: '$each'"), "spec.steps[0].forEach.items", "$each is not defined"},
      {ForEach("items: '$failures'"), "spec.steps[0].forEach.items", "$failures is not defined"},
      {ForEach("items: '$reqest'"), "spec.steps[0].forEach.items", "did you mean $request?"},
      {ForEach("items: '1', maxItems: 0"), "spec.steps[0].forEach.maxItems", "must be 1 to 100"},
      {ForEach("items: '1', maxItems: 101"), "spec.steps[0].forEach.maxItems", "must be 1 to 100"},
      {ForEach("items: '1', parallel: 0"), "spec.steps[0].forEach.parallel", "must be 1 to 100"},
      {ForEach("items: '1', parallel: 101"), "spec.steps[0].forEach.parallel", "must be 1 to 100"},
  });
}

TEST(CheckComposition, Call) {
  const auto query = [](const std::string& text) { return Step(Call("/", "query: [" + text + "]")); };
  const auto headers = [](const std::string& text) { return Step(Call("/", "headers: [" + text + "]")); };
  const std::string call = "spec.steps[0].call.";
  ExpectRows({
      {Step("call: {path: /}"), call + "backendRef.name", "is missing"},
      {Step("call: {path: /, backendRef: {name: b, port: 65536}}"), call + "backendRef.port", "must be 1 to 65535"},
      {Step("call: {path: /, backendRef: {name: b, port: 0}}"), call + "backendRef.port", "must be 1 to 65535"},
      {Step("call: {backendRef: {name: b}}"), call + "path", "is missing"},
      {Step(Call("a")), call + "path", "must begin with /"},
      {Step(Call("/a/../b")), call + "path", "must not hold the segments . and .."},
      {Step(Call("/a?b=c")), call + "path", "must hold no ?, #, space"},
      {Step(Call("/a b")), call + "path", "must hold no ?, #, space"},
      {Step(Call("/ä")), call + "path", "must hold no ?, #, space"},
      {Step(Call("/" + std::string(1023, 'a'))), "", ""},
      {Step(Call("/" + std::string(1024, 'a'))), call + "path", "must be at most 1024 bytes"},
      {Step(Call("/${request.path[0].a-b}/$${c}")), "", ""},
      {Step(Call("/${request")), call + "path", "is no template: column 2: "},
      {Step(Call("/${request | keys}")), call + "path", "is no template: column "},
      {Step(Call("/${reqest.a}")), call + "path", "${reqest} is not defined; did you mean ${request}?"},
      {Step(Call("/${each}")), call + "path", "${each} is for the call of a step with forEach alone"},
      {Step(Call("/${failures}")), call + "path", "${failures} is for the answer alone"},
      {query("{name: b, value: '${identity.subject}'}, {name: c}"), "", ""},
      {query("{value: b}"), call + "query[0].name", "must be 1 to 256 bytes"},
      {query("{name: b}, {name: " + std::string(257, 'b') + "}"), call + "query[1].name", "must be 1 to 256 bytes"},
      {query("{name: b, value: " + std::string(1025, 'b') + "}"), call + "query[0].value", "at most 1024 bytes"},
      {query("{name: b, value: 'c&d=e'}"), call + "query[0].value", "must hold no &, #, space"},
      {query("{name: b, value: '${1}'}"), call + "query[0].value", "is no template: column 3"},
      {query("{name: b, value: '${nobody}'}"), call + "query[0].value", "${nobody} is not defined"},
      {query("{name: b, value: '${each}'}"), call + "query[0].value", "${each} is for"},
      {query(Times(16, "{name: b}, ")), "", ""},
      {query(Times(17, "{name: b}, ")), call + "query", "at most 16 items"},
      {headers("{name: X-User, value: 'a ${identity.subject}'}"), "", ""},
      {headers("{value: b}"), call + "headers[0].name", "must be the name of a field"},
      {headers("{name: 'a b'}"), call + "headers[0].name", "must be the name of a field"},
      {headers("{name: ':path'}"), call + "headers[0].name", "must be the name of a field"},
      {headers("{name: " + std::string(257, 'b') + "}"), call + "headers[0].name", "at most 256 bytes"},
      {headers("{name: Host}"), call + "headers[0].name", "connection or of framing"},
      {headers("{name: b}, {name: Content-Length}"), call + "headers[1].name", "connection or of framing"},
      {headers("{name: transfer-encoding}"), call + "headers[0].name", "connection or of framing"},
      {headers("{name: Expect}"), call + "headers[0].name", "connection or of framing"},
      {headers("{name: Proxy-Authorization}"), call + "headers[0].name", "connection or of framing"},
      {headers("{name: b, value: \"c\\nd\"}"), call + "headers[0].value", "no control character"},
      {headers("{name: b, value: '${'}"), call + "headers[0].value", "is no template: column 1"},
      {headers("{name: b, value: '${nobody}'}"), call + "headers[0].value", "${nobody} is not defined"},
      {headers("{name: b, value: '${each}'}"), call + "headers[0].value", "${each} is for"},
      {headers("{name: b, value: " + std::string(4097, 'c') + "}"), call + "headers[0].value", "at most 4096 bytes"},
      {headers(Times(17, "{name: b}, ")), call + "headers", "at most 16 items"},
  });
}

TEST(CheckComposition, Answer) {
  ExpectRows({
      {Answer("body: '[$a, $request, $identity, $failures]'"), "", ""},
      {Answer("headers: [{name: etag, value: '${a.headers.etag}${failures[0].step}'}], body: '1'"), "", ""},
      {"steps: [{name: a, " + Call("/") + "}]", "spec.answer.body", "is missing"},
      {Answer("body: ''"), "spec.answer.body", "is missing"},
      {Answer("body: '{a: }'"), "spec.answer.body", "is no jq program: line 1, column "},
      {Answer("body: '$each'"), "spec.answer.body", "$each is not defined"},
      {Answer("body: '$b'"), "spec.answer.body", "$b is not defined"},
      {Answer("headers: [{name: Connection}], body: '1'"), "spec.answer.headers[0].name", "connection or of framing"},
      {Answer("headers: [{name: Portico-Incomplete}], body: '1'"), "spec.answer.headers[0].name", "nobody may edit"},
      {Answer("headers: [{name: '(b)'}], body: '1'"), "spec.answer.headers[0].name", "must be the name of a field"},
      {Answer("headers: [{name: b, value: '${each}'}], body: '1'"), "spec.answer.headers[0].value", "${each} is for"},
      {Answer("headers: [{name: b, value: '${a.}'}], body: '1'"), "spec.answer.headers[0].value", "is no template"},
      {Answer("headers: [" + Times(17, "{name: b}, ") + "], body: '1'"), "spec.answer.headers", "at most 16 items"},
  });
}

TEST(CheckComposition, NamesTheCycle) {
  const auto chain = [](const std::vector<std::string>& steps) {
    std::string all = "steps: [";
    for (const std::string& step : steps)
      all += step + ", ";
    return all + "], answer: {body: '1'}";
  };
  const auto path = [](const std::string& name, const std::string& used) {
    return "{name: " + name + ", " + Call("/${" + used + ".body}") + "}";
  };
  const auto items = [](const std::string& name, const std::string& used) {
    return "{name: " + name + ", forEach: {items: '$" + used + ".body[]'}, " + Call("/${each}") + "}";
  };
  const auto query = [](const std::string& name, const std::string& used) {
    return "{name: " + name + ", " + Call("/", "query: [{name: q, value: '${" + used + ".body}'}]") + "}";
  };
  const auto header = [](const std::string& name, const std::string& used) {
    return "{name: " + name + ", " + Call("/", "headers: [{name: q, value: '${" + used + ".body}'}]") + "}";
  };
  ExpectRows({
      {chain({items("stock", "orders"), path("orders", "request")}), "", ""},
      {chain({path("d", "b"), path("d2", "c"), path("b", "a"), path("c", "a"), path("a", "request")}), "", ""},
      {chain({path("a", "a")}), "spec.steps[0]", "depends on itself: a -> a"},
      {chain({path("orders", "stock"), items("stock", "orders")}), "spec.steps[0]",
       "depends on itself: orders -> stock -> orders"},
      {chain({path("free", "request"), path("tail", "a"), items("a", "b"), query("b", "c"), header("c", "a")}),
       "spec.steps[2]", "depends on itself: a -> b -> c -> a"},
  });
}

TEST(CheckComposition, RefusesFallbacksThatYamlCannotWrite) {
  const auto check = [](const google::protobuf::Value& fallback) {
    portico::v1::CompositionSpec spec;
    auto& step = *spec.add_steps();
    step.set_name("a");
    step.mutable_call()->mutable_backend_ref()->set_name("b");
    step.mutable_call()->set_path("/");
    step.set_on_failure(portico::v1::ON_FAILURE_USE_FALLBACK);
    *step.mutable_fallback() = fallback;
    spec.mutable_answer()->set_body("1");
    return CheckComposition({"Composition", "default", "x"}, spec);
  };
  const auto nested = [](int levels) {
    google::protobuf::Value value;
    google::protobuf::Value* inner = &value;
    for (int level = 1; level < levels; ++level)
      inner = inner->mutable_list_value()->add_values();
    return value;
  };
  google::protobuf::Value infinite;
  infinite.set_number_value(std::numeric_limits<double>::infinity());
  google::protobuf::Value null;
  null.set_null_value(google::protobuf::NULL_VALUE);
  EXPECT_TRUE(check(null).empty());
  EXPECT_TRUE(check(nested(100)).empty());
  ASSERT_EQ(check(nested(101)).size(), 1U);
  EXPECT_EQ(check(nested(101))[0].path, "spec.steps[0].fallback");
  ASSERT_EQ(check(infinite).size(), 1U);
  EXPECT_NE(check(infinite)[0].message.find("finite numbers"), std::string::npos);
}

TEST(CheckComposition, ReportsEveryMistakeAtOnce) {
  const Violations found = Check("steps: [{name: a-b, call: {path: x}, absentOn: [1]}], answer: {}");
  std::vector<std::string> paths;
  for (const Violation& violation : found)
    paths.push_back(violation.path);
  EXPECT_EQ(paths,
            (std::vector<std::string>{"spec.steps[0].name", "spec.steps[0].call.backendRef.name",
                                      "spec.steps[0].call.path", "spec.steps[0].absentOn[0]", "spec.answer.body"}));
}

TEST(CheckComposition, IsPartOfCheckResource) {
  portico::v1::Resource resource;
  resource.mutable_composition()->mutable_metadata()->set_name("x");
  const Violations found = CheckResource(resource, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, "spec.steps");
}

TEST(CheckComposition, AcceptsTheReferenceShop) {
  std::ifstream file("test/corpus/yaml/shop.yaml");
  std::stringstream text;
  text << file.rdbuf();
  yaml::Problems problems(100);
  int compositions = 0;
  for (const auto& document : yaml::ReadText(text.str(), "f", yaml::Limits(), problems)) {
    if (!document.resource.has_composition()) continue;
    ++compositions;
    for (const Violation& violation : CheckResource(document.resource, {}))
      ADD_FAILURE() << violation.path << " " << violation.message;
  }
  EXPECT_EQ(compositions, 1);
}

}  // namespace
}  // namespace portico::check
