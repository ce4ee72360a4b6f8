#include "dataplane/source/streamed.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/source/versions_for_test.h"
#include "dataplane/tls/ticket_keys.h"
#include "test/support/key_material.h"

namespace portico::source {
namespace {

using base::Concat;
using namespace for_test;

const std::string kGateway1 = "Gateway g@1 {listeners: [{name: http, port: 80, protocol: HTTP}]}";
const std::string kCluster1 = "Cluster c@1 {endpoints: [{address: 127.0.0.1, port: 9001}]}";
const std::string kRoute1 = "Route r@1 {rules: [{backendRefs: [{name: c}]}]}";
// Refused by themselves.
const std::string kBadCluster2 = "Cluster c@2 {endpoints: [{address: 127.0.0.1, port: 70000}]}";
const std::string kBadGateway2 = "Gateway g@2 {listeners: [{name: http, port: 0, protocol: HTTP}]}";
// Can't be built unless the Secret is there.
const std::string kTlsGateway1 =
    "Gateway g@1 {listeners: [{name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: s}]}}]}";
const std::string kTlsGateway2 =
    "Gateway g@2 {listeners: [{name: tls, port: 444, protocol: HTTPS, tls: {certificateRefs: [{name: s}]}}]}";

std::string Quoted(std::string_view pem) {
  std::string text = "\"";
  for (const char c : pem)
    text += c == '\n' ? "\\n" : std::string(1, c);
  return text + "\"";
}

std::string Secret(std::string_view version, std::string_view key) {
  return Concat("Secret s@", version, " {tls: {certificate: {inline: ",
                Quoted(Concat(test::k_leaf_certificate, test::k_intermediate_certificate)),
                "}, privateKey: {inline: ", Quoted(key), "}}}");
}

const snapshot::BuildOptions& Options() {
  static const snapshot::BuildOptions options{.bind_address = std::nullopt, .ticket_keys = tls::TicketKeys::Generate()};
  return options;
}

// `last` as it would have come into force, whatever is wrong with it.
InForce Running(const Versions& last) {
  InForce running{last, nullptr};
  check::Configuration configuration;
  for (const auto& [key, version] : last)
    configuration.Put(version.resource);
  auto snapshot = snapshot::BuildSnapshot(configuration, {"Gateway", "default", "g"}, Options());
  if (snapshot.ok()) running.snapshot = *std::move(snapshot);
  return running;
}

StreamedCandidate Build(const Versions& last, const std::vector<std::string>& next,
                        const RefusedVersions& unreadable = {}) {
  return BuildStreamed(Running(last), {{"Gateway", "default", "g"}, Parse(next), unreadable},
                       crypto::BoringKeyPairChecker(), Options());
}

std::string Text(const RefusedVersions& refused) {
  std::string text;
  for (const auto& [key, why] : refused)
    text += Concat(key.ToString(), "@", why.version, " ", why.reason, "\n");
  return text;
}

TEST(Streamed, WhatIsBuiltAndWhatIsRefused) {
  const struct {
    std::string_view name;
    std::vector<std::string> last, next;
    std::string effective;  // "": refused as a whole
    std::string refused;    // its beginning
  } kRows[] = {
      {"the first", {}, {kGateway1, kCluster1, kRoute1}, "Cluster c@1, Gateway g@1, Route r@1", ""},
      {"a gateway alone", {}, {kGateway1}, "Gateway g@1", ""},
      {"a reference to nothing fails closed where it stands", {}, {kGateway1, kRoute1}, "Gateway g@1, Route r@1", ""},
      {"a bad cluster keeps its last version",
       {kGateway1, kCluster1, kRoute1},
       {kGateway1, kBadCluster2, kRoute1},
       "Cluster c@1, Gateway g@1, Route r@1",
       "Cluster c@2 spec.endpoints[0].port: "},
      {"a bad cluster without one: who needs it waits",
       {kGateway1},
       {kGateway1, kBadCluster2, kRoute1},
       "Gateway g@1",
       "Cluster c@2 spec.endpoints[0].port: "},
      {"what is in force was judged before",
       {kGateway1, kBadCluster2},
       {kGateway1, kBadCluster2},
       "Cluster c@2, Gateway g@1",
       ""},
      {"no gateway", {}, {kCluster1}, "", ""},
      {"the gateway goes", {kGateway1, kCluster1}, {kCluster1}, "", ""},
      {"a bad gateway and none before", {}, {kBadGateway2}, "", "Gateway g@2 spec.listeners[0].port: "},
      {"a bad gateway keeps its last version",
       {kGateway1, kCluster1},
       {kBadGateway2, kCluster1},
       "Cluster c@1, Gateway g@1",
       "Gateway g@2 spec.listeners[0].port: "},
      {"a certificate", {}, {kTlsGateway1, Secret("1", test::k_leaf_key)}, "Gateway g@1, Secret s@1", ""},
      {"a certificate with the key of another",
       {kTlsGateway1, Secret("1", test::k_leaf_key)},
       {kTlsGateway1, Secret("2", test::k_intermediate_key)},
       "Gateway g@1, Secret s@1",
       "Secret s@2 spec.tls"},
      {"a listener without its certificate", {}, {kTlsGateway1}, "", "Gateway g@1 spec.listeners[0].tls"},
      {"one whose certificate goes keeps it",
       {kTlsGateway1, Secret("1", test::k_leaf_key)},
       {kTlsGateway1},
       "Gateway g@1, Secret s@1",
       "Gateway g@1 spec.listeners[0].tls"},
      {"one that changes when its certificate goes keeps both",
       {kTlsGateway1, Secret("1", test::k_leaf_key)},
       {kTlsGateway2},
       "Gateway g@1, Secret s@1",
       "Gateway g@2 spec.listeners[0].tls"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const StreamedCandidate got = Build(Parse(row.last), row.next);
    EXPECT_EQ(got.snapshot != nullptr, !row.effective.empty()) << got.why;
    EXPECT_EQ(got.why.empty(), !row.effective.empty()) << got.why;
    EXPECT_EQ(for_test::Text(got.effective), row.effective);
    EXPECT_EQ(Text(got.refused).substr(0, row.refused.size()), row.refused);
    EXPECT_EQ(got.refused.empty(), row.refused.empty()) << Text(got.refused);
  }
}

TEST(Streamed, WhatCouldNotBeReadIsRefusedInItsOwnWords) {
  const StreamedCandidate got = Build(Parse({kGateway1, kCluster1}), {kGateway1, "Cluster d@2 {}"},
                                      {{{"Cluster", "default", "c"}, {"2", "unknown field 17", true}}});
  ASSERT_NE(got.snapshot, nullptr) << got.why;
  EXPECT_EQ(Text(got.refused).substr(0, 29), "Cluster c@2 unknown field 17\n");
  EXPECT_NE(for_test::Text(got.effective).find("Cluster c@1"), std::string::npos);
}

TEST(Streamed, TheWholeIsRefusedInTheGatewaysWords) {
  EXPECT_EQ(Build({}, {kBadGateway2}).why.substr(0, 34), "Gateway g: spec.listeners[0].port:");
  EXPECT_NE(Build({}, {kCluster1}).why.find("g"), std::string::npos);
}

TEST(Streamed, TheWholeIsRefusedByTheNamesOfWhatItWaitsFor) {
  RefusedVersions unreadable;
  for (const char* name : {"p", "q", "r", "s", "t"})
    unreadable[{"AuthPolicy", "default", name}] = {"1", "unknown field 17", true};
  const std::string why = Build({}, {kGateway1}, unreadable).why;
  EXPECT_NE(why.find("; AuthPolicy p is refused: unknown field 17; AuthPolicy q is refused: unknown field 17; "
                     "AuthPolicy r is refused: unknown field 17; and 2 more are refused"),
            std::string::npos)
      << why;
}

TEST(Streamed, WhatFailsClosedIsSaid) {
  const StreamedCandidate got = Build({}, {kGateway1, kRoute1});
  ASSERT_NE(got.snapshot, nullptr);
  ASSERT_EQ(got.snapshot->faults.size(), 1u);
  EXPECT_EQ(got.snapshot->faults[0].key.ToString(), "Route r");
}

}  // namespace
}  // namespace portico::source
