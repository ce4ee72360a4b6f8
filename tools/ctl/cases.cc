#include "tools/ctl/cases.h"

#include <set>
#include <utility>

#include "api/base/text.h"
#include "api/yaml/message_reader.h"
#include "api/yaml/tree.h"

namespace portico::ctl {
namespace {

// The bytes of a name in the output.
constexpr size_t kNameBytesMax = 200;

bool SaysNothing(const google::protobuf::Message& message) {
  return message.ByteSizeLong() == 0;
}

class Checker {
 public:
  Checker(ReadSuite& suite, std::set<std::string>& names, yaml::Problems& problems)
      : suite_(suite), names_(names), problems_(problems) {}

  void Check() {
    if (suite_.suite.tests().empty()) Add("tests", "is missing: a document has a list of them");
    for (int i = 0; i < suite_.suite.tests_size(); ++i) {
      path_ = yaml::ItemPath("tests", static_cast<size_t>(i));
      CheckCase(suite_.suite.tests(i));
    }
  }

 private:
  void Add(std::string path, std::string message) {
    const yaml::Position position = suite_.source.Locate(path);
    problems_.Add({suite_.file, position, std::move(path), std::move(message)});
  }
  void AddHere(std::string_view field, std::string message) {
    Add(base::Concat(path_, ".", field), std::move(message));
  }

  void CheckCase(const Case& test) {
    if (test.name().empty() || test.name().size() > kNameBytesMax) {
      AddHere("name", base::Concat("is required, at most ", kNameBytesMax, " bytes"));
    } else if (!names_.insert(test.name()).second) {
      AddHere("name", base::Concat("there is a test `", test.name(), "` already"));
    }
    if (SaysNothing(test.expect())) AddHere("expect", "is missing, or says nothing");
    if (test.identity().has_claims() && !test.identity().claims().has_struct_value()) {
      AddHere("identity.claims", "must be a map");
    }
    for (const CaseBackend& backend : test.expect().backends()) {
      if (backend.kind() != "" && backend.kind() != "Cluster" && backend.kind() != "Composition") {
        AddHere("expect.backends", base::Concat("`", backend.kind(), "` is neither Cluster nor Composition"));
      }
    }
    AddRequest(test.request());
  }

  void AddRequest(const CaseRequest& message) {
    const bool parts = !message.scheme().empty() || !message.host().empty() || !message.path().empty();
    if (message.url().empty() == message.host().empty() || (parts && !message.url().empty())) {
      return AddHere("request", "has either `url`, or `host` and maybe `scheme` and `path`");
    }
    std::string url = message.url();
    if (url.empty()) {
      url = base::Concat(message.scheme().empty() ? "http" : message.scheme(), "://", message.host(), message.path());
    }
    std::vector<std::string> headers;
    for (const CaseHeader& header : message.headers())
      headers.push_back(base::Concat(header.name(), ": ", header.value()));
    absl::StatusOr<Request> request = ParseRequest(message.method().empty() ? "GET" : message.method(), url, headers);
    if (!request.ok()) return AddHere("request", std::string(base::ToStd(request.status().message())));
    suite_.requests.push_back(*std::move(request));
  }

  ReadSuite& suite_;
  std::set<std::string>& names_;
  yaml::Problems& problems_;
  std::string path_;  // of the case that is looked at
};

}  // namespace

std::vector<ReadSuite> ReadSuites(std::string_view text, const std::string& file, const yaml::Limits& limits,
                                  yaml::Problems& problems) {
  std::vector<ReadSuite> suites;
  std::set<std::string> names;
  for (const yaml::Node& node : yaml::ParseDocuments(text, file, limits, problems)) {
    ReadSuite& suite = suites.emplace_back();
    suite.file = file;
    suite.source.Set("", node.position);
    const size_t before = problems.list().size() + problems.dropped();
    yaml::MessageReader(file, suite.source, problems).ReadMessage(node, "", suite.suite);
    // What could not be read would be missing.
    if (problems.list().size() + problems.dropped() == before) Checker(suite, names, problems).Check();
  }
  if (suites.empty() && problems.empty()) problems.Add({file, {}, "", "has no tests"});
  return suites;
}

}  // namespace portico::ctl
