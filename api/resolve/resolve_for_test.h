#ifndef PORTICO_API_RESOLVE_RESOLVE_FOR_TEST_H_
#define PORTICO_API_RESOLVE_RESOLVE_FOR_TEST_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/resolve/resolve.h"
#include "api/resolve/resolved.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

// Tests only: from a text to what it is for `Gateway front`.

namespace portico::resolve::for_test {

inline const check::ResourceKey kGateway{"Gateway", "default", "front"};

inline std::vector<v1::Resource> Read(std::string_view text) {
  yaml::Problems problems(10);
  std::vector<v1::Resource> out;
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems)) {
    out.push_back(std::move(document.resource));
  }
  EXPECT_TRUE(problems.empty()) << problems.ToString();
  return out;
}

inline check::Configuration Configure(const std::vector<v1::Resource>& resources) {
  check::Configuration configuration;
  for (const v1::Resource& resource : resources)
    EXPECT_TRUE(configuration.Add(resource));
  return configuration;
}

inline ResolvedGateway MustResolve(const check::Configuration& configuration) {
  absl::StatusOr<ResolvedGateway> gateway = Resolve(configuration, kGateway);
  EXPECT_TRUE(gateway.ok()) << gateway.status();
  return *std::move(gateway);
}

inline ResolvedGateway ResolveText(const std::string& text) {
  return MustResolve(Configure(Read(text)));
}

inline std::vector<std::string> NoticeTexts(const ResolvedGateway& gateway) {
  std::vector<std::string> out;
  for (const auto& [notice, none] : gateway.notices) {
    out.push_back(base::Concat(notice.resource.ToString(), ": ", notice.path, ": ", notice.message));
  }
  return out;
}

inline std::vector<SharedRule> Rules(const ResolvedGateway& gateway) {
  std::vector<SharedRule> rules;
  for (const auto& [key, route] : gateway.routes)
    rules.insert(rules.end(), route->rules.begin(), route->rules.end());
  return rules;
}

inline constexpr char kFront[] = R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
)";

}  // namespace portico::resolve::for_test

#endif  // PORTICO_API_RESOLVE_RESOLVE_FOR_TEST_H_
