#include "dataplane/source/candidate.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/load/choose_gateway.h"
#include "api/load/memory_files.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/tls/ticket_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/support/key_material.h"

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
      {"a path that no request has",
       {{"f", kGateway + "---\nkind: Route\nmetadata: {name: r}\nspec:\n  rules:\n  - matches: [{path: {value: "
                         "/100%}}]\n    backendRefs: [{name: c}]\n"}},
       "",
       false,
       {"f:10: spec.rules[0].matches[0].path.value: must have two hexadecimal digits after each %"}},
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
                       {.bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate()}, base::WallTime());
    EXPECT_EQ(got.snapshot != nullptr, row.good);
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

TEST(Candidate, WarnsOfCertificatesThatAreOutOfDate) {
  const std::string text =
      "kind: Gateway\nmetadata: {name: front}\nspec:\n  listeners:\n  - {name: a, port: 443, protocol: HTTPS, tls: "
      "{certificateRefs: [{name: s}]}}\n  - {name: b, port: 444, protocol: HTTPS, tls: {certificateRefs: [{name: "
      "s}]}}\n---\nkind: Secret\nmetadata: {name: s}\nspec: {tls: {certificate: {file: crt}, privateKey: {file: "
      "key}}}\n";
  const std::string chain = std::string(test::k_leaf_certificate) + test::k_intermediate_certificate;
  const crypto::KeyPair pair = *crypto::KeyPair::Parse(chain, test::k_leaf_key);
  using std::chrono::seconds;
  const struct {
    std::string_view name;
    base::WallTime now;
    std::string_view warning;
  } kRows[] = {
      {"not yet", pair.not_before() - seconds(1), "warning: the certificate is not valid before 20"},
      {"from the first second", pair.not_before(), ""},
      {"two weeks before its end", pair.not_after() - kExpiryWarning, ""},
      {"less than two weeks", pair.not_after() - kExpiryWarning + seconds(1), "warning: the certificate expires on 20"},
      {"in its last second", pair.not_after() - seconds(1), "warning: the certificate expires on 20"},
      {"over", pair.not_after(), "warning: the certificate has expired on 20"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    load::MemoryFiles files({{"f", text}, {"crt", chain}, {"key", test::k_leaf_key}});
    const Candidate got =
        BuildCandidate("f", files, crypto::BoringKeyPairChecker(), std::nullopt,
                       {.bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate()}, row.now);
    ASSERT_NE(got.snapshot, nullptr) << got.findings.at(0).ToString();
    ASSERT_EQ(got.snapshot->certificates.size(), 1u);
    EXPECT_EQ(got.snapshot->certificates[0].not_after, pair.not_after());
    ASSERT_EQ(got.findings.size(), row.warning.empty() ? 0u : 1u) << "once, though two listeners show it";
    if (row.warning.empty()) continue;
    EXPECT_THAT(got.findings[0].ToString(), HasSubstr(row.warning));
    EXPECT_THAT(got.findings[0].ToString(), HasSubstr("spec.tls.certificate: "));
    EXPECT_GT(got.findings[0].line, 0u);
  }
}

}  // namespace
}  // namespace portico::source
