#include "dataplane/source/candidate.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/load/choose_gateway.h"
#include "api/load/memory_files.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/tls/ticket_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::source {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::string kGateway =
    "kind: Gateway\nmetadata: {name: front}\nspec:\n  listeners: [{name: http, port: 80, protocol: HTTP}]\n";
const std::string kOther =
    "---\nkind: Gateway\nmetadata: {name: back, namespace: x}\nspec:\n  listeners: [{name: http, port: 81, protocol: "
    "HTTP}]\n";
const std::string kShop =
    "---\nkind: Route\nmetadata: {name: r}\nspec:\n  rules:\n  - backendRefs: [{name: c}]\n---\nkind: Cluster\n"
    "metadata: {name: c}\nspec:\n  endpoints: [{address: 127.0.0.1, port: 1}]\n";

TEST(Candidate, Rows) {
  const struct {
    const char* name;
    std::map<std::string, std::string> files;
    std::string gateway;  // "": not given
    bool good;
    std::vector<std::string> findings;  // a part of each
  } kRows[] = {
      {"good", {{"f", kGateway + kShop}}, "", true, {}},
      {"a folder", {{"f/a.yaml", kGateway}, {"f/b.yaml", kShop.substr(4)}}, "", true, {}},
      {"no such file", {}, "", false, {"f: no such file"}},
      {"not YAML", {{"f", "kind: [Gateway\n"}}, "", false, {"f:"}},
      {"misspelt",
       {{"f", kGateway + "---\nkind: Cluster\nmetadata: {name: c}\nspec: {endpoint: []}\n"}},
       "",
       false,
       {"f:8: spec: unknown field `endpoint`"}},
      {"reference to nothing",
       {{"f", kGateway + kShop.substr(0, kShop.find("---", 4))}},
       "",
       false,
       {"f:10: spec.rules[0].backendRefs[0].name: there is no Cluster c"}},
      {"no gateway", {{"f", kShop.substr(4)}}, "", false, {"f: the configuration has no Gateway"}},
      {"several gateways",
       {{"f", kGateway + kOther + kShop}},
       "",
       false,
       {"f: there are several Gateways, choose one by --gateway: default/front, x/back"}},
      {"one of several",
       {{"f", kGateway + kOther + kShop +
                  "---\nkind: Route\nmetadata: {name: q, namespace: x}\nspec: {rules: [{filters: [{directResponse: "
                  "{status: 200}}]}], parentRefs: [{name: back}]}\n"}},
       "x/back",
       true,
       {}},
      {"another gateway", {{"f", kGateway + kShop}}, "x/front", false, {"f: there is no Gateway x/front; there are: "}},
      {"a notice is a warning",
       {{"f",
         kGateway + kShop + "---\nkind: Route\nmetadata: {name: s}\nspec:\n  rules:\n  - backendRefs: [{name: c}]\n"}},
       "",
       true,
       {"f:21: spec.rules[0]: warning: can never win"}},
      {"a value out of its bounds",
       {{"f", kGateway + "  limits:\n    requestFieldsMax: 0\n" + kShop}},
       "",
       false,
       {"f:6: spec.limits.requestFieldsMax: "}},
      {"what would be a 500",
       {{"f", kGateway + kShop +
                  "  tls: {hostname: o.example, caCertificateRefs: [{name: ca}]}\n---\nkind: Secret\nmetadata: {name: "
                  "ca}\nspec: {caCertificates: {file: pem}}\n"},
        {"pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}},
       "",
       false,
       {"f:10: spec.rules[0].backendRefs[0]: Cluster c: spec.tls.caCertificateRefs: "}},
      {"what would be a 503",
       {{"f",
         kGateway + kShop +
             "---\nkind: Secret\nmetadata: {name: s}\nspec: {jwks: {file: keys}}\n---\nkind: AuthPolicy\nmetadata: "
             "{name: p}\nspec:\n  targetRefs: [{kind: Gateway, name: front}]\n  authentication: {anyOf: [{jwt: "
             "{issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}\n"},
        {"keys", "rubbish"}},
       "",
       false,
       {"f:"}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    load::MemoryFiles files(row.files);
    const Candidate got =
        BuildCandidate("f", files, crypto::BoringKeyPairChecker(),
                       row.gateway.empty() ? std::nullopt : std::optional(load::ParseGatewayName(row.gateway)),
                       {.revision = 3, .bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate()});
    EXPECT_EQ(got.snapshot != nullptr, row.good);
    if (got.snapshot != nullptr) EXPECT_EQ(got.snapshot->revision, 3u);
    std::string all;
    bool has_error = false;
    for (const load::Finding& finding : got.findings) {
      all += finding.ToString() + "\n";
      has_error = has_error || finding.is_error;
    }
    EXPECT_EQ(has_error, !row.good) << all;
    EXPECT_EQ(got.findings.size(), row.findings.size()) << all;
    for (const std::string& finding : row.findings)
      EXPECT_THAT(all, HasSubstr(finding));
  }
}

}  // namespace
}  // namespace portico::source
