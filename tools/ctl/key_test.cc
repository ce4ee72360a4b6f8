#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/load/memory_files.h"
#include "controlplane/crypto/bearer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/ctl/command_rows.h"

namespace portico::ctl {
namespace {

using test::From;
using test::Script;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
  int code;
  std::string out, error, asked;
  // What was printed, without the end of its line; it is long and of its alphabet.
  std::string key() const {
    EXPECT_EQ(out.size(), 47u) << out;
    EXPECT_TRUE(out.starts_with("pk_") && out.ends_with('\n')) << out;
    return out.substr(0, out.size() - 1);
  }
  std::string digest() const { return openssl::BearerDigest(key()); }
};

Outcome Type(const std::vector<std::string>& words, const Script& script = {}) {
  load::MemoryFiles files({});
  const test::AcceptingChecker key_pairs;
  std::ostringstream out, error;
  std::istringstream in;
  Outcome outcome;
  const auto connect = [&](const ApiOptions&) { return std::make_unique<FakeApiClient>(script, outcome.asked); };
  int64_t now = 0;
  const auto now_ms = [&now] { return now += 37; };
  const auto pause_ms = [](int64_t) {};
  const auto time_micros = [] { return int64_t{1'795'716'000'000'000}; };  // 2026-11-26T18:00:00Z
  const Console console{out, error, files, key_pairs, in, connect, now_ms, pause_ms, false, "", nullptr, time_micros};
  outcome.code = Porticoctl(words, console);
  outcome.out = out.str();
  outcome.error = error.str();
  return outcome;
}

constexpr char kConsumer[] = R"(resource { consumer { metadata { name: "acme" namespace: "shop" revision: 7 }
  spec { groups: "partner" credentials { jwt { issuer: "i" claims { key: "a" value: "b" } } } } } } revision: 12 epoch: "e")";
constexpr char kMade[] = R"(revision: 13 epoch: "e"
  changes { name { kind: "Consumer" namespace: "shop" name: "acme" } kind: UPDATED }
  warnings { name { kind: "Consumer" namespace: "shop" name: "acme" } message: "beware" })";

Script Stored() {
  Script script;
  script.get.response = From<portico::v1::GetResponse>(kConsumer);
  script.change.response = From<portico::v1::ApplyResponse>(kMade);
  return script;
}

TEST(KeyCommand, WithoutAConsumerTheCredentialIsShown) {
  const Outcome outcome = Type({"key", "create", "--expires", "90d"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.error,
            "credentials:\n- apiKey:\n    sha256: \"" + outcome.digest() + "\"\n    expires: 2027-02-24T18:00:00Z\n");
  EXPECT_EQ(outcome.asked, "") << "nobody is asked";
  EXPECT_NE(Type({"key", "create"}).key(), Type({"key", "create"}).key());
}

TEST(KeyCommand, AddsTheDigestToWhatIsThere) {
  const Outcome outcome = Type({"key", "create", "--consumer=shop/acme", "--expires=2027-01-31T00:00:00Z"}, Stored());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.asked, HasSubstr("Get(name { kind: \"Consumer\" namespace: \"shop\" name: \"acme\" })"));
  EXPECT_THAT(
      outcome.asked,
      HasSubstr("Apply(resources { consumer { metadata { name: \"acme\" namespace: \"shop\" revision: 7 } spec { "
                "groups: \"partner\" credentials { jwt { issuer: \"i\" claims { key: \"a\" value: \"b\" } } } "
                "credentials { api_key { sha256: \"" +
                outcome.digest() + "\" expires { seconds: 1801353600 } } } } } } expected_epoch: \"e\")"));
  EXPECT_THAT(outcome.asked, Not(HasSubstr(outcome.key())));
  EXPECT_THAT(outcome.error, HasSubstr("Consumer shop/acme updated\nrevision 13\n"));
  EXPECT_THAT(outcome.error, HasSubstr("beware"));
  EXPECT_THAT(outcome.error, Not(HasSubstr(outcome.key())));
}

TEST(KeyCommand, SaysWhoseItIs) {
  const Outcome outcome = Type({"key", "create", "--consumer=shop/acme", "--manager=ci", "--force"}, Stored());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.asked, HasSubstr("expected_epoch: \"e\" manager: \"ci\" force: true)"));
}

TEST(KeyCommand, MakesTheConsumerOnRequest) {
  Script script = Stored();
  script.get.status = absl::NotFoundError("no Consumer default/acme");
  script.list.response.set_revision(12);
  script.list.response.set_epoch("e");
  const Outcome refused = Type({"key", "create", "--consumer", "acme"}, script);
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.error, HasSubstr("no Consumer default/acme"));
  const Outcome made = Type({"key", "create", "--consumer", "acme", "--create"}, script);
  EXPECT_EQ(made.code, 0);
  EXPECT_THAT(made.asked,
              HasSubstr("Apply(resources { consumer { metadata { name: \"acme\" namespace: \"default\" } spec "
                        "{ credentials { api_key { sha256: \"" +
                        made.digest() + "\" } } } } } expected_revision: 12 expected_epoch: \"e\")"));
}

TEST(KeyCommand, WaitsOnStandardError) {
  Script script = Stored();
  script.change.response.add_gateways("default/g");
  script.proxy_watch.push_back(From<portico::v1::ListProxiesResponse>(
      "proxies { node_id: 'p' instance: 'i' gateway: 'default/g' epoch: 'e' connected: true running_revision: 13 "
      "wanted_revision: 13 since { seconds: 1700000000 } } revision: 13"));
  const Outcome outcome = Type({"key", "create", "--consumer", "shop/acme", "--wait"}, script);
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  outcome.key();
  EXPECT_THAT(outcome.error, HasSubstr("revision 13 runs on 1/1 prox"));
}

// Nothing is printed that opens nothing.
TEST(KeyCommand, AFailedChangeShowsNoKey) {
  Script script = Stored();
  script.change = {absl::AbortedError("somebody else was first"),
                   {{"Consumer shop/acme", "spec.credentials", "must have 1 to 16 items"}},
                   {}};
  const Outcome outcome = Type({"key", "create", "--consumer", "shop/acme"}, script);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.error, HasSubstr("must have 1 to 16 items"));
  EXPECT_THAT(outcome.error, HasSubstr("somebody else was first"));
  script = Stored();
  script.get.status = absl::UnavailableError("nobody there");
  EXPECT_EQ(Type({"key", "create", "--consumer", "shop/acme", "--create"}, script).code, 1);
}

TEST(KeyCommand, RefusesWhatItDoesNotUnderstand) {
  const struct {
    const char* name;
    std::vector<std::string> more;
    const char* error;
  } rows[] = {
      {"nothing to do", {}, "it is `key create`"},
      {"another verb", {"delete"}, "it is `key create`"},
      {"--create alone", {"create", "--create"}, "--create goes with --consumer"},
      {"--manager alone", {"create", "--manager=ci"}, "--manager goes with --consumer"},
      {"--force alone", {"create", "--force"}, "--force goes with --consumer"},
      {"--wait alone", {"create", "--wait"}, "--wait goes with --consumer"},
      {"no name", {"create", "--consumer", "shop/"}, "--consumer is NAME or NAMESPACE/NAME"},
      {"no namespace", {"create", "--consumer", "/acme"}, "--consumer is NAME or NAMESPACE/NAME"},
      {"a past time", {"create", "--expires", "2026-11-26T18:00:00Z"}, "in the future"},
      {"no time at all", {"create", "--expires", "0s"}, "in the future"},
      {"no days at all", {"create", "--expires", "0d"}, "in the future"},
      {"too many days", {"create", "--expires", "36501d"}, "in the future"},
      {"a month", {"create", "--expires", "1M"}, "in the future"},
      {"a day of the calendar", {"create", "--expires", "2027-01-31"}, "in the future"},
      {"a key on the command line", {"create", "pk_secret"}, ""},
  };
  for (const auto& row : rows) {
    std::vector<std::string> words = {"key"};
    words.insert(words.end(), row.more.begin(), row.more.end());
    const Outcome outcome = Type(words);
    EXPECT_EQ(outcome.code, 2) << row.name;
    EXPECT_EQ(outcome.out, "") << row.name;
    EXPECT_THAT(outcome.error, HasSubstr(row.error)) << row.name;
  }
}

}  // namespace
}  // namespace portico::ctl
