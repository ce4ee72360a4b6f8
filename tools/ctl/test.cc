#include "tools/ctl/test.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/json.h"
#include "api/base/text.h"
#include "api/load/load.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "tools/ctl/cases.h"
#include "tools/ctl/compare.h"
#include "tools/ctl/decision.h"
#include "tools/ctl/gateway_model.h"
#include "tools/ctl/load.h"

namespace portico::ctl {
namespace {

constexpr char kHelp[] = R"(usage: porticoctl test -f FILE|FOLDER [-f …] -t FILE [-t …] [-o table|json]

Asks a configuration what it decides about requests, by the proxy's own matcher and policies, and compares that with what
the tests expect. It needs no proxy and no control plane. A file of tests has documents like this one:

  gateway: shop                       # default: the only Gateway
  tests:
  - name: partners only read
    request: {method: DELETE, url: https://api.shop.example/users/7, headers: [{name: accept, value: text/html}]}
    identity: {method: JWT, subject: u7, claims: {azp: acme}, consumer: acme, groups: [partner]}
    expect: {route: shop, rule: users, status: 403, deniedBy: {policy: signed-in, rule: partners-only-read}}
  - name: products have two backends
    request: {host: api.shop.example, scheme: https, path: /products/1}
    expect: {backends: [{name: product, weight: 90}, {name: product-v2}], status: 0}

Nothing is expected of what is left out. `status` is that of an answer by the proxy itself, 0 where a backend is asked;
there are also `listener`, `location`, `rewrittenPath` and `rewrittenHost`. Without `identity` the caller has no
credentials; those that are stated are taken to be good. Limits, caches, contents and health are not judged.

  -f, --file FILE|FOLDER   the configuration; repeated: all together
  -t, --tests FILE         the tests; repeated: all of them
  -o, --output table|json  default: table

exit codes: 0 all hold, 1 one does not, 2 the configuration or the tests are wrong, or the usage
)";

// One test and what has become of it.
struct Outcome {
  std::string name;
  std::string file;
  size_t line = 0;
  std::string failure;  // why it could not be asked, ""
  struct Line {
    Mismatch mismatch;
    size_t line = 0;
  };
  std::vector<Line> mismatches;

  bool passed() const { return failure.empty() && mismatches.empty(); }
};

Outcome Judge(GatewayModel& model, const ReadSuite& suite, size_t index) {
  const Case& test = suite.suite.tests(static_cast<int>(index));
  const std::string path = yaml::ItemPath("tests", index);
  Outcome out{test.name(), suite.file, suite.source.Locate(path).line, "", {}};
  const absl::StatusOr<Decision> decision = Decide(model, suite.requests[index], test.identity());
  if (!decision.ok()) {
    out.failure = std::string(base::ToStd(decision.status().message()));
    return out;
  }
  for (Mismatch& mismatch : Compare(test.expect(), *decision)) {
    const size_t line = suite.source.Locate(base::Concat(path, ".expect.", mismatch.field)).line;
    out.mismatches.push_back({std::move(mismatch), line});
  }
  return out;
}

std::string ToTable(const std::vector<Outcome>& outcomes, size_t failed) {
  std::string out;
  for (const Outcome& outcome : outcomes) {
    if (outcome.passed()) {
      out += base::Concat("ok    ", outcome.name, "\n");
      continue;
    }
    out += base::Concat("FAIL  ", outcome.name, "\n");
    if (!outcome.failure.empty())
      out += base::Concat("      ", outcome.file, ":", outcome.line, ": ", outcome.failure, "\n");
    for (const auto& [mismatch, line] : outcome.mismatches) {
      out += base::Concat("      ", outcome.file, ":", line, ": ", mismatch.field, ": expected ", mismatch.expected,
                          ", got ", mismatch.got, "\n");
    }
  }
  return base::Concat(out, outcomes.size() - failed, " passed, ", failed, " failed\n");
}

void AppendMember(std::string& out, std::string_view name, std::string_view value) {
  base::AppendJsonString(out, name);
  out += ": ";
  base::AppendJsonString(out, value);
}

void AppendOutcome(std::string& out, const Outcome& outcome) {
  out += '{';
  AppendMember(out, "name", outcome.name);
  out += ", ";
  AppendMember(out, "file", outcome.file);
  out += base::Concat(", \"line\": ", outcome.line, ", \"passed\": ", outcome.passed() ? "true" : "false");
  if (!outcome.failure.empty()) {
    out += ", ";
    AppendMember(out, "failure", outcome.failure);
  }
  out += ", \"mismatches\": [";
  for (const auto& [mismatch, line] : outcome.mismatches) {
    out += out.ends_with('[') ? "{" : ", {";
    AppendMember(out, "field", mismatch.field);
    out += base::Concat(", \"line\": ", line, ", ");
    AppendMember(out, "expected", mismatch.expected);
    out += ", ";
    AppendMember(out, "got", mismatch.got);
    out += '}';
  }
  out += "]}";
}

std::string ToJson(const std::vector<Outcome>& outcomes, size_t failed) {
  std::string out = base::Concat("{\"passed\": ", outcomes.size() - failed, ", \"failed\": ", failed, ", \"tests\": [");
  for (const Outcome& outcome : outcomes) {
    out += out.ends_with('[') ? "\n  " : ",\n  ";
    AppendOutcome(out, outcome);
  }
  return out + "\n]}\n";
}

// nullopt: they cannot be had, and that has been said.
std::optional<std::vector<ReadSuite>> ReadTests(const Call& call) {
  const yaml::Limits limits;
  yaml::Problems problems(limits.problems_max);
  std::vector<ReadSuite> suites;
  for (const std::string& file : call.arguments.All("tests")) {
    const absl::StatusOr<std::string> text = call.console.files.Read(file, limits.text_bytes_max);
    if (!text.ok()) {
      problems.Add({file, {}, "", std::string(base::ToStd(text.status().message()))});
      continue;
    }
    for (ReadSuite& suite : ReadSuites(*text, file, limits, problems))
      suites.push_back(std::move(suite));
  }
  if (problems.empty()) return suites;
  call.console.error << problems.ToString();
  return std::nullopt;
}

int Test(const Call& call) {
  const std::string output = call.arguments.Get("output", "table");
  if (output != "table" && output != "json") {
    return call.WrongUsage(base::Concat("-o is table or json, not `", output, "`"));
  }
  const load::Loaded loaded = LoadAndResolve(call.arguments.All("file"), call.console.files, call.console.key_pairs);
  for (const load::Finding& finding : loaded.findings)
    if (finding.is_error) call.console.error << finding.ToString() << "\n";
  const std::optional<std::vector<ReadSuite>> suites = ReadTests(call);
  if (loaded.errors() > 0 || !suites) return call.failed;

  std::map<std::string, std::unique_ptr<GatewayModel>> models;
  std::vector<Outcome> outcomes;
  size_t failed = 0;
  for (const ReadSuite& suite : *suites) {
    std::unique_ptr<GatewayModel>& model = models[suite.suite.gateway()];
    if (model == nullptr) {
      auto created = GatewayModel::Create(loaded.configuration, suite.suite.gateway());
      if (!created.ok()) return call.Fail(created.status());
      model = *std::move(created);
    }
    for (size_t i = 0; i < suite.requests.size(); ++i) {
      outcomes.push_back(Judge(*model, suite, i));
      if (!outcomes.back().passed()) ++failed;
    }
  }
  call.console.out << (output == "json" ? ToJson(outcomes, failed) : ToTable(outcomes, failed));
  return failed == 0 ? kGood : kFailed;
}

}  // namespace

const Command kTest = {.name = "test",
                       .help = kHelp,
                       .flags = {{.name = "file", .letter = 'f', .repeated = true, .required = true},
                                 {.name = "tests", .letter = 't', .repeated = true, .required = true},
                                 {.name = "output", .letter = 'o'}},
                       .asks = false,
                       .failed = kWrongUsage,
                       .run = Test};

}  // namespace portico::ctl
