// The reference configuration: what this release still refuses of it, by name.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/check/references/references.h"
#include "api/check/resource/resource.h"
#include "api/check/violation.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"
#include "test/conformance/lists.h"
#include "test/support/key_material.h"

namespace portico::conformance {
namespace {

using base::Concat;

constexpr char kFile[] = "test/conformance/reference_shop.yaml";

// The files that the shop's Secrets name.
class ShopFiles : public yaml::FileReader {
 public:
  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override {
    const std::map<std::string, std::string> files = {
        {"test/conformance/tls/jwks.json", ReadAll("test/corpus/jwt/jwks.json")},
        {"test/conformance/tls/api.crt", std::string(test::k_rsa2048_certificate)},
        {"test/conformance/tls/api.key", std::string(test::k_rsa2048_key)},
    };
    const auto file = files.find(path);
    if (file == files.end()) return absl::NotFoundError(path);
    return file->second;
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    return absl::FailedPreconditionError(path);
  }
};

std::string Lines(const check::Violations& violations) {
  std::string lines;
  for (const check::Violation& violation : violations)
    lines += Concat(violation.key.ToString(), ": ", violation.path, ": ", violation.message, "\n");
  return lines;
}

TEST(ReferenceShop, IsRefusedForNothingButTheseFields) {
  yaml::Problems problems(100);
  ShopFiles files;
  check::Configuration configuration;
  std::string violations;
  for (yaml::Document& document : yaml::ReadText(ReadAll(kFile), kFile, yaml::Limits(), problems)) {
    yaml::LoadFiles(document, files, yaml::Limits(), problems);
    violations += Lines(check::CheckResource(document.resource, {}));
    EXPECT_TRUE(configuration.Add(document.resource));
  }
  std::string found;
  for (const yaml::Problem& problem : problems.list())
    found += Concat(problem.path, ": ", problem.message, "\n");
  ExpectList(found + violations + Lines(check::CheckReferences(configuration)), "test/conformance/reference_shop.txt");
}

}  // namespace
}  // namespace portico::conformance
