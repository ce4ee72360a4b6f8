#ifndef PORTICO_CONTROLPLANE_MODEL_TEST_RESOURCES_H_
#define PORTICO_CONTROLPLANE_MODEL_TEST_RESOURCES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/check/key_pair.h"
#include "api/portico/v1/resource.pb.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::test {

// The resources of a text that is good YAML.
inline std::vector<portico::v1::Resource> ReadResources(const std::string& text) {
  yaml::Problems problems(10);
  std::vector<portico::v1::Resource> resources;
  for (yaml::Document& document : yaml::ReadText(text, "f", yaml::Limits(), problems)) {
    resources.push_back(std::move(document.resource));
  }
  EXPECT_EQ(problems.ToString(), "");
  return resources;
}

// Takes any certificate with any key.
class AnyKeyPair final : public check::KeyPairChecker {
  absl::Status Check(std::string_view, std::string_view) const override { return absl::OkStatus(); }
};

}  // namespace portico::test

#endif  // PORTICO_CONTROLPLANE_MODEL_TEST_RESOURCES_H_
