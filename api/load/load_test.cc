#include "api/load/load.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/load/choose_gateway.h"
#include "api/load/memory_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::load {
namespace {

using testing::HasSubstr;

class Checker : public check::KeyPairChecker {
 public:
  absl::Status Check(std::string_view certificate, std::string_view) const override {
    if (certificate == "good") return absl::OkStatus();
    return absl::InvalidArgumentError("the private key does not belong to the certificate");
  }
};

constexpr char kGateway[] =
    "kind: Gateway\nmetadata: {name: front}\nspec:\n  listeners: [{name: http, port: 80, "
    "protocol: HTTP}]\n";
constexpr char kRoute[] = "kind: Route\nmetadata: {name: r}\nspec:\n  rules:\n  - backendRefs: [{name: shop}]\n";
constexpr char kCluster[] =
    "kind: Cluster\nmetadata: {name: shop}\nspec: {endpoints: [{address: 127.0.0.1, port: 1}]}\n";
constexpr char kSecret[] =
    "kind: Secret\nmetadata: {name: s}\nspec:\n  tls: {certificate: {file: tls/crt}, privateKey: {file: tls/key}}\n";

std::string Together(const std::vector<std::string>& documents) {
  std::string out;
  for (const std::string& document : documents)
    out += (out.empty() ? "" : "---\n") + document;
  return out;
}

TEST(Load, Findings) {
  const struct {
    const char* name;
    std::map<std::string, std::string> files;
    std::vector<std::string> paths;
    std::vector<std::string> findings;  // a part of each; nothing else is found
    size_t resources;                   // of the configuration, which is only complete without errors
  } kRows[] = {
      {"good", {{"a", Together({kGateway, kCluster, kRoute})}}, {"a"}, {}, 3},
      {"a folder", {{"d/a.yaml", kGateway}, {"d/b.yml", Together({kCluster, kRoute})}, {"d/c.txt", "{"}}, {"d"}, {}, 3},
      {"several paths", {{"a", kGateway}, {"b", Together({kCluster, kRoute})}}, {"a", "b"}, {}, 3},
      {"as the system prints it",
       {{"a",
         "kind: Cluster\nmetadata: {name: c, creationRevision: 3, revision: 7}\nspec: {endpoints: [{address: "
         "127.0.0.1, "
         "port: 1}]}\nstatus: {conditions: [{type: Accepted, status: \"True\"}]}\n"}},
       {"a"},
       {},
       1},
      {"no file", {}, {"a"}, {"a: no such file"}, 0},
      {"an empty file", {{"a", ""}}, {"a"}, {}, 0},
      {"misspelt", {{"a", "kind: Cluster\nmetadata: {name: c}\nspec:\n  endpoint: []\n"}}, {"a"}, {"a:4: spec: "}, 0},
      {"judged by itself",
       {{"a", "kind: Cluster\nmetadata: {name: c}\nspec:\n  endpoints:\n  - {address: 127.0.0.1, port: 0}\n"}},
       {"a"},
       {"a:5: spec.endpoints[0].port: "},
       1},
      {"judged as a whole",
       {{"a", Together({kGateway, kRoute})}},
       {"a"},
       {"a:10: spec.rules[0].backendRefs[0].name: "},
       2},
      {"no echoes: the whole is not judged behind an error",
       {{"a", Together({kRoute, "kind: Cluster\nmetadata: {name: c}\nspec: {}\n"})}},
       {"a"},
       {"a:9: "},
       2},
      {"twice",
       {{"a", kCluster}, {"b", Together({kGateway, kCluster})}},
       {"a", "b"},
       {"b:7: metadata.name: there is a Cluster shop already, at a:2"},
       2},
      {"files of a Secret", {{"d/a", kSecret}, {"d/tls/crt", "good"}, {"d/tls/key", "k"}}, {"d/a"}, {}, 1},
      {"a file of a Secret is not there",
       {{"d/a", kSecret}, {"d/tls/crt", "good"}},
       {"d/a"},
       {"d/a:4: spec.tls.privateKey.file: no such file"},
       0},
      {"certificate and key",
       {{"d/a", kSecret}, {"d/tls/crt", "bad"}, {"d/tls/key", "k"}},
       {"d/a"},
       {"the private key does not belong to the certificate"},
       1},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    MemoryFiles files(row.files);
    const Loaded loaded = Load(row.paths, files, Checker());
    std::string all;
    for (const Finding& finding : loaded.findings)
      all += finding.ToString() + "\n";
    EXPECT_EQ(loaded.findings.size(), row.findings.size()) << all;
    EXPECT_EQ(loaded.errors(), row.findings.size());
    for (const std::string& finding : row.findings)
      EXPECT_THAT(all, HasSubstr(finding));
    EXPECT_EQ(loaded.configuration.resources().size(), row.resources);
  }
}

TEST(Load, Add) {
  MemoryFiles files({{"a", Together({kGateway, kCluster})}});
  Loaded loaded = Load({"a"}, files, Checker());
  loaded.Add(false, {"Cluster", "default", "shop"}, "spec.endpoints[0].port", "odd");
  loaded.Add(true, {"Cluster", "default", "nowhere"}, "spec", "odd");
  ASSERT_EQ(loaded.findings.size(), 2u);
  EXPECT_EQ(loaded.findings[0].ToString(), "a:8: spec.endpoints[0].port: warning: odd");
  EXPECT_EQ(loaded.findings[1].ToString(), "Cluster nowhere: spec: odd");
  EXPECT_EQ(loaded.errors(), 1u);
  EXPECT_EQ(loaded.warnings(), 1u);
}

TEST(LoadEach, LeavesTheWholeToOthers) {
  const std::string dangling =
      "kind: Route\nmetadata: {name: r}\nspec: {rules: [{backendRefs: [{name: elsewhere}]}]}\n";
  MemoryFiles files({{"a", dangling}, {"b", "kind: Route\nmetadata: {name: B}\n"}});
  EXPECT_EQ(LoadEach({"a"}, files, Checker()).errors(), 0u);
  EXPECT_GT(Load({"a"}, files, Checker()).errors(), 0u);
  EXPECT_GT(LoadEach({"b"}, files, Checker()).errors(), 0u);
}

TEST(ChooseGateway, Rows) {
  const std::string other =
      "kind: Gateway\nmetadata: {name: back, namespace: x}\nspec:\n  listeners: [{name: http, port: 81, protocol: "
      "HTTP}]\n";
  const struct {
    const char* name;
    std::string text;
    std::string asked;  // "": nothing
    std::string want;   // the key, or a part of the error
  } kRows[] = {
      {"the only one", kGateway, "", "Gateway front"},
      {"asked for", Together({kGateway, other}), "front", "Gateway front"},
      {"in a namespace", Together({kGateway, other}), "x/back", "Gateway x/back"},
      {"none", kCluster, "", "the configuration has no Gateway"},
      {"asked for, but none", kCluster, "front", "the configuration has no Gateway"},
      {"several", Together({kGateway, other}), "", "choose one by --gateway: default/front, x/back"},
      {"another", kGateway, "back", "there is no Gateway back; there are: default/front"},
      {"another namespace", kGateway, "x/front", "there is no Gateway x/front; there are: default/front"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    MemoryFiles files({{"a", row.text}});
    const auto key = ChooseGateway(Load({"a"}, files, Checker()).configuration,
                                   row.asked.empty() ? std::nullopt : std::optional(ParseGatewayName(row.asked)));
    EXPECT_THAT(key.ok() ? key->ToString() : std::string(key.status().message()), HasSubstr(row.want));
  }
}

}  // namespace
}  // namespace portico::load
