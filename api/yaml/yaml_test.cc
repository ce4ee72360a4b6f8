#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/yaml/limits.h"
#include "api/yaml/print.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "api/yaml/scalar.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace portico::yaml {
namespace {

using google::protobuf::util::MessageDifferencer;

struct Outcome {
  std::vector<Document> documents;
  std::string problems;
};

Outcome Read(std::string_view text, const Limits& limits = {}) {
  Problems problems(limits.problems_max);
  Outcome outcome;
  outcome.documents = ReadText(text, "f.yaml", limits, problems);
  outcome.problems = problems.ToString();
  return outcome;
}

std::string Shop() {
  std::ifstream file("test/corpus/yaml/shop.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ReadText, RefusesWithLineColumnPathAndNearestName) {
  const std::string route = "kind: Route\nmetadata: {name: r}\nspec:\n";
  const std::string cluster = "kind: Cluster\nmetadata: {name: c}\nspec:\n";
  const std::string gateway = "kind: Gateway\nmetadata: {name: g}\nspec:\n";
  const std::string composition = "kind: Composition\nspec:\n";
  const struct {
    const char* name;
    std::string text;
    std::string problem;
  } kRows[] = {
      {"misspelt field", route + "  hostname: [a]\n",
       "f.yaml:4:3: spec: unknown field `hostname`; did you mean `hostnames`?"},
      {"misspelt kind", "kind: Rote\n", "f.yaml:1:7: kind: unknown kind `Rote`; did you mean `Route`?"},
      {"HTTPRoute", "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n", "kind: write `kind: Route`"},
      {"no kind", "metadata: {name: x}\n", "f.yaml:1:1: kind: is missing"},
      {"two kinds", "kind: Route\nkind: Route\n", "f.yaml:2:1: kind: given twice"},
      {"other version", "apiVersion: portico.dev/v2\nkind: Route\n", "apiVersion: must be portico.dev/v1 or left out"},
      {"list as document", "- a\n", "a document must be a map"},
      {"duplicate key", route + "  rules: []\n  rules: []\n", "f.yaml:5:3: spec.rules: given twice"},
      {"both spellings", route + "  parentRefs: []\n  parent_refs: []\n", "f.yaml:5:3: spec.parentRefs: given twice"},
      {"duplicate label", "kind: Route\nmetadata: {labels: {a: x, a: z}}\n",
       "f.yaml:2:27: metadata.labels.a: given twice"},
      {"enumeration", route + "  rules:\n  - matches: [{path: {type: Prefix}}]\n",
       "f.yaml:5:29: spec.rules[0].matches[0].path.type: unknown value `Prefix`; known are Exact, PathPrefix"},
      {"enumeration in a list", "kind: RateLimitPolicy\nspec:\n  limits: [{key: [Consumer, Consumr]}]\n",
       "f.yaml:3:29: spec.limits[0].key[1]: unknown value `Consumr`; did you mean `Consumer`?"},
      {"near enumeration", route + "  rules: [{matches: [{path: {type: PathPrefx}}]}]\n", "did you mean `PathPrefix`?"},
      {"unwritable enumeration", route + "  rules: [{matches: [{path: {type: ''}}]}]\n", "path.type: unknown value ``"},
      {"null field", route + "  rules:\n", "spec.rules: has no value"},
      {"tilde", cluster + "  tls: ~\n", "f.yaml:4:8: spec.tls: has no value"},
      {"null item", route + "  hostnames: [null]\n", "spec.hostnames[0]: has no value"},
      {"text for number", cluster + "  endpoints: [{port: '80'}]\n",
       "spec.endpoints[0].port: `80` must be a whole number"},
      {"octal", cluster + "  endpoints: [{port: 012}]\n", "`012` must be a whole number"},
      {"negative", cluster + "  endpoints: [{port: -1}]\n", "`-1` must be a whole number from 0 to 4294967295"},
      {"too large", cluster + "  endpoints: [{port: 4294967296}]\n", "`4294967296` must be a whole number"},
      {"fraction", cluster + "  endpoints: [{port: 1.0}]\n", "`1.0` must be a whole number"},
      {"yes", gateway + "  via: {append: yes}\n", "spec.via.append: `yes` must be true or false"},
      {"quoted true", gateway + "  via: {append: 'true'}\n", "`true` must be true or false, without quotes"},
      {"duration without unit", cluster + "  connectTimeout: 10\n", "`10` is not a duration such as 250ms"},
      {"fractional duration", cluster + "  connectTimeout: 0.5s\n", "`0.5s` is not a duration"},
      {"two of one", gateway + "  accessLog: {file: /x, disabled: true}\n", "spec.accessLog.disabled: excludes `file`"},
      {"map for list", route + "  rules: {}\n", "spec.rules: must be a list, not a map"},
      {"list for map", route + "  rules: [[]]\n", "spec.rules[0]: must be a map of fields, not a list"},
      {"list for text", "kind: Route\nmetadata: {name: []}\n", "metadata.name: must be one value, not a list"},
      {"list as name", route + "  ? [a]\n  : 1\n", "the name of a field must be text"},
      {"tag", route + "  hostnames: !!set {}\n", "the tag `tag:yaml.org,2002:set` is not understood"},
      {"merge key", route + "  <<: {}\n", "unknown field `<<`"},
      {"unknown alias", route + "  rules: *x\n", "f.yaml:4:"},
      {"self alias", route + "  rules: &x [*x]\n", "an alias inside of its own anchor"},
      {"tab indentation", "kind: Route\nspec:\n\trules: []\n", "f.yaml:3:"},
      {"not UTF-8", "kind: Route\nmetadata: {name: \xff}\n", "f.yaml:2:18: not UTF-8"},
      {"control character", std::string("kind: Route\n\x04"), "f.yaml:2:1: not UTF-8 text, or a control character"},
      {"unclosed", "kind: Route\nmetadata: {name: x\n", "f.yaml:"},
      {"duplicate in JSON", composition + "  steps: [{name: a, fallback: {x: 1, x: 2}}]\n",
       "spec.steps[0].fallback.x: given twice"},
  };
  for (const auto& row : kRows) {
    const Outcome outcome = Read(row.text);
    EXPECT_NE(outcome.problems.find(row.problem), std::string::npos) << row.name << ": " << outcome.problems;
    EXPECT_TRUE(outcome.documents.empty()) << row.name;
  }
}

TEST(ReadText, FindsManyProblemsAtOnceUpToALimit) {
  const Outcome two = Read("kind: Route\nspec: {hostname: x, rule: x}\n---\nkind: Rote\n");
  EXPECT_NE(two.problems.find("`hostname`"), std::string::npos);
  EXPECT_NE(two.problems.find("`rule`"), std::string::npos);
  EXPECT_NE(two.problems.find("f.yaml:4:7"), std::string::npos);
  std::string many = "kind: Route\nspec:\n  hostnames:\n";
  for (int i = 0; i < 150; ++i)
    many += "  - []\n";
  EXPECT_NE(Read(many).problems.find("and 50 more"), std::string::npos);
}

TEST(ReadText, EveryLimitIsNamed) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += base::Concat("a", i, ": &a", i, " [");
    for (int k = 0; k < 8; ++k)
      bomb += base::Concat(k == 0 ? "" : ", ", "*a", i - 1);
    bomb += "]\n";
  }
  std::string documents;
  for (int i = 0; i < 20; ++i)
    documents += "--- x\n";
  Limits small;
  small.text_bytes_max = 4000;
  small.nodes_max = 1000;
  small.documents_max = 10;
  const struct {
    const char* name;
    std::string text;
    Limits limits;
    std::string problem;
  } kRows[] = {
      {"alias bomb", bomb, Limits(), "more than 100000 values"},
      {"deep", "a: " + std::string(100, '[') + std::string(100, ']'), Limits(), "nested deeper than 64 levels"},
      {"very deep", std::string(100'000, '['), Limits(), "nested deeper than 64 levels"},
      {"text", std::string(5000, ' '), small, "larger than 4000 bytes"},
      {"nodes", "[" + std::string(1999, ','), small, "f.yaml"},
      {"documents", documents, small, "more than 10 documents"},
  };
  for (const auto& row : kRows) {
    EXPECT_NE(Read(row.text, row.limits).problems.find(row.problem), std::string::npos)
        << row.name << ": " << Read(row.text, row.limits).problems;
  }
}

TEST(ReadText, UnderstandsWhatIsEasyToGetWrong) {
  const Outcome outcome = Read(
      "kind: Route\nmetadata: {name: 1, labels: {x: yes}}\nspec:\n  hostnames: &h [a.b]\n  parent_refs: "
      "[{section_name: "
      "x}]\n  rules: [{matches: [{headers: [{name: n, value: 012}]}], timeouts: {request: 1h30m}}]\n---\n---\n");
  ASSERT_EQ(outcome.problems, "");
  ASSERT_EQ(outcome.documents.size(), 1u);
  const auto& route = outcome.documents[0].resource.route();
  EXPECT_EQ(route.metadata().name(), "1");
  EXPECT_EQ(route.metadata().labels().at("x"), "yes");
  EXPECT_EQ(route.spec().parent_refs(0).section_name(), "x");
  EXPECT_EQ(route.spec().rules(0).matches(0).headers(0).value(), "012");
  EXPECT_EQ(route.spec().rules(0).timeouts().request().seconds(), 5400);
  const SourceMap& source = outcome.documents[0].source;
  EXPECT_EQ(source.Locate("spec.rules[0].matches[0].headers[0].value").line, 6u);
  EXPECT_EQ(source.Locate("spec.hostnames[0].x.y").line, 4u);
  EXPECT_EQ(source.Locate("spec.nothing"), (Position{3, 1}));
  EXPECT_EQ(source.Locate("metadata.labels[\"a.b\"]").line, 2u);
}

TEST(ReadText, TheShopReadsAndPrintsAndReadsBack) {
  const Outcome outcome = Read(Shop());
  EXPECT_EQ(outcome.problems, "");
  EXPECT_EQ(outcome.documents.size(), 18u);
  for (const Document& document : outcome.documents) {
    const auto printed = Print(document.resource);
    ASSERT_TRUE(printed.ok());
    const Outcome again = Read(*printed);
    ASSERT_EQ(again.problems, "") << *printed;
    ASSERT_EQ(again.documents.size(), 1u);
    EXPECT_TRUE(MessageDifferencer::Equals(again.documents[0].resource, document.resource)) << *printed;
  }
}

TEST(ReadText, EveryTruncationOfTheShopEnds) {
  const std::string shop = Shop();
  ASSERT_FALSE(shop.empty());
  // The head of the file is the densest part; whole documents of the rest differ only in their names.
  for (size_t size = 0; size < 1600; ++size)
    Read(std::string_view(shop).substr(0, size));
  for (size_t size = 1600; size < shop.size(); size += 37)
    Read(std::string_view(shop).substr(0, size));
}

TEST(Print, TextsReadBackByteByByte) {
  for (const std::string text :
       {"",       "a",        "null",          "yes",      "~",          "1",         " a",   "a ",   "a: b", "a\nb",
        "a\nb\n", "a\n\nb\n", "a\nb\n\n",      "\na",      "a \nb",      "a\tb",      "\x01", "\"\\", "# x",  "- x",
        "é\n",    "\xc2\x85", "\xef\xbb\xbfx", "a\n  b\n", "{a}\n[b]\n", "---\n---\n"}) {
    portico::v1::Resource resource;
    auto& answer = *resource.mutable_composition()->mutable_spec()->mutable_answer();
    answer.set_body(text);
    answer.add_headers()->set_value(text);
    (*resource.mutable_composition()->mutable_metadata()->mutable_labels())["k" + text] = text;
    const Outcome outcome = Read(*Print(resource));
    ASSERT_EQ(outcome.problems, "") << *Print(resource);
    EXPECT_TRUE(MessageDifferencer::Equals(outcome.documents.at(0).resource, resource)) << *Print(resource);
  }
}

TEST(Print, RefusesWhatTheLanguageCannotWrite) {
  portico::v1::Resource resource;
  EXPECT_FALSE(Print(resource).ok());
  resource.mutable_cluster()->mutable_spec()->mutable_connect_timeout()->set_seconds(-1);
  EXPECT_FALSE(Print(resource).ok());
  resource.mutable_cluster()->mutable_spec()->clear_connect_timeout();
  resource.mutable_cluster()->mutable_spec()->set_protocol(static_cast<portico::v1::UpstreamProtocol>(99));
  EXPECT_FALSE(Print(resource).ok());
}

TEST(Duration, IsGep2257) {
  const struct {
    const char* text;
    const char* printed;  // nullptr: refused
  } kRows[] = {
      {"0s", "0s"},          {"250ms", "250ms"}, {"1h30m", "1h30m"},      {"90m", "1h30m"}, {"99999h", "99999h"},
      {"1500ms", "1s500ms"}, {"", nullptr},      {"1", nullptr},          {"1d", nullptr},  {"100000s", nullptr},
      {"1.5s", nullptr},     {"-1s", nullptr},   {"1s1s1s1s1s", nullptr}, {" 1s", nullptr}, {"s", nullptr}};
  for (const auto& row : kRows) {
    const auto duration = ParseDuration(row.text);
    ASSERT_EQ(duration.has_value(), row.printed != nullptr) << row.text;
    if (duration.has_value()) EXPECT_EQ(*FormatDuration(*duration), row.printed);
  }
}

class FakeFiles : public FileReader {
 public:
  std::map<std::string, std::string> files;
  std::vector<std::string> names;
  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override {
    const auto found = files.find(path);
    if (found == files.end()) return absl::NotFoundError(base::ToAbsl("can't read " + path));
    if (found->second.size() > bytes_max) return absl::ResourceExhaustedError("too large");
    return found->second;
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    if (names.empty()) return absl::FailedPreconditionError("no folder");
    return names;
  }
};

TEST(ReadConfiguration, ReadsAFolderInTheOrderOfNames) {
  FakeFiles files;
  files.names = {"b.yml", "a.yaml", ".hidden.yaml", "notes.txt"};
  files.files = {{"d/a.yaml", "kind: Cluster\nmetadata: {name: a}\n"},
                 {"d/b.yml", "kind: Cluster\nmetadata: {name: b}\n"}};
  Problems problems(10);
  const auto documents = ReadConfiguration("d", files, Limits(), problems);
  ASSERT_EQ(problems.ToString(), "");
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].resource.cluster().metadata().name(), "a");
  EXPECT_EQ(documents[1].file, "d/b.yml");
  Limits one;
  one.files_max = 1;
  Problems too_many(10);
  EXPECT_TRUE(ReadConfiguration("d", files, one, too_many).empty());
  EXPECT_EQ(too_many.ToString(), "d: more than 1 files\n");
}

TEST(LoadFiles, ReadsBesideTheDocumentAndNamesTheField) {
  FakeFiles files;
  files.files = {
      {"d/x.yaml", "kind: Secret\nspec:\n  tls:\n    certificate: {file: c.pem}\n    privateKey: {file: k.pem}\n"},
      {"d/c.pem", "text"}};
  Problems problems(10);
  auto documents = ReadConfiguration("d/x.yaml", files, Limits(), problems);
  ASSERT_EQ(documents.size(), 1u);
  LoadFiles(documents[0], files, Limits(), problems);
  EXPECT_EQ(documents[0].resource.secret().spec().tls().certificate().inline_(), "text");
  EXPECT_EQ(problems.ToString(), "d/x.yaml:5:18: spec.tls.privateKey.file: can't read d/k.pem\n");
}

}  // namespace
}  // namespace portico::yaml
