#include "controlplane/change/changes.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/memory/memory_store.h"
#include "gtest/gtest.h"

namespace portico::change {
namespace {

using base::Concat;
using test::AnyKeyPair;
using test::ReadResources;

constexpr char kShop[] = R"(
kind: Gateway
metadata: {name: g}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Gateway
metadata: {name: other}
spec: {listeners: [{name: http, port: 81, protocol: HTTP}]}
---
kind: Cluster
metadata: {name: orders}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Route
metadata: {name: shop}
spec: {parentRefs: [{name: g}], rules: [{name: all, backendRefs: [{name: orders}]}]}
)";

constexpr char kKeys[] = R"(
kind: Secret
metadata: {name: keys}
spec: {jwks: {inline: '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'}}
)";

constexpr char kPolicy[] = R"(
kind: AuthPolicy
metadata: {name: signed}
spec:
  targetRefs: [{kind: Route, name: shop}]
  authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: keys}}}}]}
)";

// A store whose disk can fail, and which others can look into.
class Disk final : public store::Store {
 public:
  store::Head head() const override { return store_->head(); }
  absl::StatusOr<uint64_t> Commit(uint64_t expected, const std::vector<store::Write>& writes,
                                  std::string_view record) override {
    for (const store::Write& write : writes)
      seen_ += write.key + write.value.value_or("");
    return fails_ ? absl::ResourceExhaustedError("no space left on device") : store_->Commit(expected, writes, record);
  }
  absl::Status Read(uint64_t revision, const Visitor& visit) const override { return store_->Read(revision, visit); }
  absl::StatusOr<std::optional<store::Entry>> Find(std::string_view key, uint64_t revision) const override {
    return store_->Find(key, revision);
  }
  absl::StatusOr<std::vector<store::Record>> History(uint64_t before, size_t limit) const override {
    return store_->History(before, limit);
  }
  absl::Status Forget(uint64_t oldest) override { return store_->Forget(oldest); }

  bool fails_ = false;
  std::string seen_;

 private:
  std::unique_ptr<store::Store> store_ = store::memory::Open();
};

class ChangesTest : public testing::Test {
 protected:
  ChangesTest() { Open(Codec(std::nullopt), 100); }

  void Open(Codec codec, uint64_t kept) {
    auto disk = std::make_unique<Disk>();
    disk_ = disk.get();
    changes_ = *Changes::Open(std::move(disk), std::move(codec), key_pairs_, [] { return int64_t{1'500'000}; }, {kept});
    changes_->Follow([this](const model::Step& step) {
      steps_ += Concat(step.before->revision, ">", step.after->revision, ":", step.changes.size(), " ");
    });
  }

  // "2: created Cluster orders, …; warnings …; for g", or "refused: …".
  std::string Apply(const Change& change) { return Tell(changes_->Apply(change, {"alice", "10.0.0.7:4711"})); }
  std::string Rollback(uint64_t revision, Change options = {}, std::string_view name_space = "") {
    return Tell(changes_->Rollback(revision, name_space, std::move(options), {"alice", "10.0.0.7:4711"}));
  }
  static std::string Tell(const std::variant<Outcome, Refusal>& result) {
    if (const auto* refusal = std::get_if<Refusal>(&result)) {
      return Concat("refused: ", base::ToStd(absl::StatusCodeToString(refusal->status.code())), ": ",
                    base::ToStd(refusal->status.message()));
    }
    const Outcome& outcome = std::get<Outcome>(result);
    static constexpr std::string_view kKinds[] = {"kept", "created", "updated", "deleted"};
    std::string text = Concat(outcome.revision, ":");
    for (const model::ResourceChange& one : outcome.changes) {
      text += Concat(" ", kKinds[static_cast<size_t>(one.kind)], " ", one.key.ToString());
    }
    for (const Warning& warning : outcome.warnings) {
      text += Concat("; ", warning.key.ToString(), ": ", warning.path, ": ", warning.message);
    }
    for (const check::ResourceKey& gateway : outcome.gateways)
      text += Concat("; for ", gateway.name);
    return text;
  }
  std::string Apply(const std::string& text) { return Apply(Change{.resources = ReadResources(text)}); }
  std::string Delete(const std::string& kind, const std::string& name) {
    return Apply(Change{.deletes = {{kind, "default", name}}});
  }

  const AnyKeyPair key_pairs_;
  Disk* disk_ = nullptr;
  std::string steps_;
  std::unique_ptr<Changes> changes_;
};

TEST_F(ChangesTest, AChangeIsOneRevisionForThoseItConcerns) {
  EXPECT_EQ(Apply(kShop),
            "1: created Cluster orders created Gateway g created Gateway other created Route shop; for g; for other");
  EXPECT_EQ(Apply("kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: 9002}]}"),
            "2: updated Cluster orders; for g");
  EXPECT_EQ(Apply("kind: Cluster\nmetadata: {name: unused}\nspec: {endpoints: [{address: 127.0.0.1, port: 9002}]}"),
            "3: created Cluster unused");
  EXPECT_EQ(steps_, "0>1:4 1>2:1 2>3:1 ");
  const auto* orders = changes_->Now()->configuration.Find({"Cluster", "default", "orders"});
  ASSERT_NE(orders, nullptr);
  EXPECT_EQ(orders->cluster().metadata().revision(), 2u);
  EXPECT_EQ(orders->cluster().metadata().creation_revision(), 1u);
  EXPECT_EQ(model::VersionOf(*changes_->Now(), *orders), Concat(changes_->Now()->epoch, ".2"));
}

TEST_F(ChangesTest, WhatChangesNothingMakesNoRevision) {
  Apply(kShop);
  EXPECT_EQ(Apply(kShop), "1: kept Cluster orders kept Gateway g kept Gateway other kept Route shop; for g; for other");
  EXPECT_EQ(Apply(Change{}), "1:");
  // What the system wrote is not the writer's to change.
  Change change{.resources = {*changes_->Now()->configuration.Find({"Route", "default", "shop"})}};
  EXPECT_EQ(Apply(change), "1: kept Route shop; for g");
  EXPECT_EQ(steps_, "0>1:4 ");
}

TEST_F(ChangesTest, ADryRunSaysWhatWouldBe) {
  EXPECT_EQ(Apply(Change{.resources = ReadResources(kShop), .dry_run = true}),
            "1: created Cluster orders created Gateway g created Gateway other created Route shop; for g; for other");
  EXPECT_EQ(changes_->Now()->revision, 0u);
  EXPECT_EQ(disk_->head().revision, 0u);
  EXPECT_EQ(steps_, "");
}

TEST_F(ChangesTest, RefusalsNameWhatIsWrongAndChangeNothing) {
  Apply(kShop);
  std::vector<portico::v1::Resource> stale = ReadResources(kShop);
  stale[2].mutable_cluster()->mutable_metadata()->set_revision(7);
  stale[2].mutable_cluster()->mutable_spec()->mutable_endpoints(0)->set_port(1);
  std::vector<portico::v1::Resource> twice = ReadResources(kShop);
  twice.push_back(twice[0]);
  const struct {
    const char* name;
    Change change;
    const char* words;
  } rows[] = {
      {"a bad field",
       {.resources =
            ReadResources("kind: Cluster\nmetadata: {name: a}\nspec: {endpoints: [{address: 127.0.0.1, port: 0}]}")},
       "INVALID_ARGUMENT: Cluster a: spec.endpoints[0].port"},
      {"no kind", {.resources = std::vector<portico::v1::Resource>(1)}, "INVALID_ARGUMENT"},
      {"twice", {.resources = twice}, "INVALID_ARGUMENT: Gateway g: metadata.name: is named twice"},
      {"written and deleted",
       {.resources = ReadResources(kShop), .deletes = {{"Route", "default", "shop"}}},
       "INVALID_ARGUMENT: Route shop: is named twice"},
      {"a reference to nothing",
       {.resources =
            ReadResources("kind: Route\nmetadata: {name: r}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: "
                          "[{name: ordrs}]}]}")},
       "FAILED_PRECONDITION: Route r: spec.rules[0].backendRefs[0].name: there is no Cluster ordrs"},
      {"what others need goes",
       {.deletes = {{"Cluster", "default", "orders"}}},
       "FAILED_PRECONDITION: Route shop: spec.rules[0].backendRefs[0].name"},
      {"what is not there goes", {.deletes = {{"Cluster", "default", "ordrs"}}}, "NOT_FOUND: Cluster ordrs"},
      {"another revision",
       {.resources = ReadResources(kKeys), .expected_revision = 9},
       "ABORTED: the configuration is at revision 1, not at 9"},
      {"another epoch",
       {.resources = ReadResources(kKeys), .expected_revision = 1, .expected_epoch = "0123"},
       "ABORTED: the store is of epoch "},
      {"another version",
       {.resources = stale},
       "ABORTED: Cluster orders: metadata.revision: is 7, but it was changed at revision 1"},
  };
  for (const auto& row : rows) {
    const std::string result = Apply(row.change);
    EXPECT_NE(result.find(Concat("refused: ", row.words)), std::string::npos) << row.name << ": " << result;
  }
  EXPECT_EQ(changes_->Now()->revision, 1u);
  EXPECT_EQ(steps_, "0>1:4 ");
}

// Whoever reads the digest of a token could take its callers over, or shut them out.
TEST_F(ChangesTest, ADigestIsOfOneToken) {
  const auto token = [](const std::string& name_space, const std::string& name, char digit) {
    return Concat("---\nkind: Token\nmetadata: {name: ", name, ", namespace: ", name_space,
                  "}\nspec: {sha256: ", std::string(64, digit), "}\n");
  };
  ASSERT_EQ(Apply(token("a", "old", 'a') + token("b", "root", 'b')), "1: created Token a/old created Token b/root");
  const struct {
    const char* name;
    std::string resources;
    std::vector<check::ResourceKey> deletes;
    std::string expected;
  } kRows[] = {
      {"an older one takes it", token("a", "old", 'b'), {}, "Token a/old: spec.sha256: is that of another Token"},
      {"a new one takes it", token("a", "new", 'b'), {}, "Token a/new: spec.sha256: is that of another Token"},
      {"in its own namespace", token("a", "new", 'a'), {}, "Token a/new: spec.sha256: is that of Token a/old"},
      {"two new ones",
       token("c", "x", 'c') + token("d", "x", 'c'),
       {},
       "Token c/x: spec.sha256: is that of another Token; make a new one (and 1 more)"},
      {"another one goes", token("a", "old", 'b'), {{"Token", "a", "none"}}, "Token a/none: there is none to delete"},
  };
  for (const auto& row : kRows) {
    for (const bool tolerate : {false, true}) {
      const Change change{
          .resources = ReadResources(row.resources), .deletes = row.deletes, .tolerate = tolerate, .force = tolerate};
      const std::string result = Apply(change);
      EXPECT_NE(result.find(Concat(": ", row.expected)), std::string::npos) << row.name << ": " << result;
    }
  }
  EXPECT_EQ(Apply(token("a", "old", 'a')), "1: kept Token a/old");
  EXPECT_EQ(Apply(token("a", "old", 'c') + token("b", "root", 'a')), "2: updated Token a/old updated Token b/root");
  EXPECT_EQ(Apply(Change{.resources = ReadResources(token("c", "new", 'a')), .deletes = {{"Token", "b", "root"}}}),
            "3: deleted Token b/root created Token c/new");
}

TEST_F(ChangesTest, TolerateStoresWhatPointsAtNothing) {
  Apply(kShop);
  EXPECT_EQ(Apply(Change{.deletes = {{"Cluster", "default", "orders"}}, .tolerate = true}),
            "2: deleted Cluster orders; for g");
  // It is not in the way of what has nothing to do with it.
  EXPECT_EQ(Apply(kKeys), "3: created Secret keys");
  EXPECT_NE(Apply("kind: Route\nmetadata: {name: shop, labels: {a: b}}\nspec: {parentRefs: [{name: g}], rules: [{name: "
                  "all, backendRefs: [{name: orders}]}]}")
                .find("FAILED_PRECONDITION: Route shop: spec.rules[0].backendRefs[0].name"),
            std::string::npos);
}

TEST_F(ChangesTest, GatewaysThatAChangeTouchesFromAfarAreNamed) {
  Apply(
      "kind: Gateway\nmetadata: {name: only}\nspec: {listeners: [{name: http, port: 80, protocol: HTTP}]}\n---\n"
      "kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: 9001}]}\n---\n"
      "kind: Route\nmetadata: {name: r}\nspec: {rules: [{backendRefs: [{name: orders}]}]}");
  // The Route attached to the only Gateway; now there are two.
  const std::string second =
      Apply("kind: Gateway\nmetadata: {name: second}\nspec: {listeners: [{name: http, port: 81, protocol: HTTP}]}");
  EXPECT_NE(second.find("; for only; for second"), std::string::npos) << second;
  const std::string deleted = Delete("Gateway", "second");
  EXPECT_NE(deleted.find("Gateway second: : is deleted; proxies that serve it go on"), std::string::npos) << deleted;
  EXPECT_NE(deleted.find("; for only; for second"), std::string::npos) << deleted;
}

TEST_F(ChangesTest, TakingAuthenticationOffIsTold) {
  Apply(kShop);
  EXPECT_EQ(Apply(std::string(kKeys) + "---" + kPolicy), "2: created AuthPolicy signed created Secret keys; for g");
  const std::string anonymous =
      std::string(kPolicy).replace(std::string(kPolicy).find("[{jwt"), 1, "[{anonymous: {}}, ");
  EXPECT_EQ(
      Apply(Change{.resources = ReadResources(anonymous), .dry_run = true}),
      "3: updated AuthPolicy signed; Route shop: spec.rules[0]: callers need no longer say who they are (Gateway g, "
      "listener http); for g");
  EXPECT_EQ(
      Delete("AuthPolicy", "signed"),
      "3: deleted AuthPolicy signed; Route shop: spec.rules[0]: callers need no longer say who they are (Gateway g, "
      "listener http); for g");
}

TEST_F(ChangesTest, TakingLimitsOffIsTold) {
  Apply(kShop);
  const auto limits = [](const std::string& name, const std::string& target) {
    return Concat("kind: RateLimitPolicy\nmetadata: {name: ", name, "}\nspec: {targetRefs: [{", target,
                  "}], limits: [{name: all, limit: {requests: 1, per: 1s}}]}");
  };
  EXPECT_EQ(Apply(limits("wide", "kind: Gateway, name: g")), "2: created RateLimitPolicy wide; for g");
  EXPECT_EQ(Apply(limits("near", "kind: Route, name: shop")), "3: created RateLimitPolicy near; for g");
  EXPECT_EQ(Delete("RateLimitPolicy", "wide"), "4: deleted RateLimitPolicy wide; for g");
  EXPECT_EQ(Delete("RateLimitPolicy", "near"),
            "5: deleted RateLimitPolicy near; Route shop: spec.rules[0]: requests are no longer limited (Gateway g, "
            "listener http); for g");
  EXPECT_NE(Apply(limits("near", "kind: Route, name: shop") + "\n---\n" + limits("too", "kind: Route, name: shop"))
                .find("RateLimitPolicy near and RateLimitPolicy too have the same target"),
            std::string::npos);
}

TEST_F(ChangesTest, WhatProxiesMustKnowIsTold) {
  const auto needs = [this](const std::string& text, bool dry_run = false) {
    const auto result =
        changes_->Apply(Change{.resources = ReadResources(text), .dry_run = dry_run}, {"alice", "10.0.0.7:4711"});
    std::string told;
    for (const Need& need : std::get<Outcome>(result).needs)
      for (const auto& [level, path] : need.levels)
        told += Concat(need.gateway.name, " ", need.key.ToString(), " ", level, " ", path, "; ");
    return told;
  };
  const auto route = [](const std::string& name, const std::string& cluster, const std::string& more) {
    return Concat("kind: Route\nmetadata: {name: ", name,
                  "}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: ", cluster, "}]", more, "}]}");
  };
  const std::string retried = route("shop", "orders", ", retry: {attempts: 2}");
  EXPECT_EQ(needs(kShop), "");
  EXPECT_EQ(needs(retried, true), "g Route shop 2 spec.rules[0].retry; ");
  EXPECT_EQ(needs(retried), "g Route shop 2 spec.rules[0].retry; ");
  EXPECT_EQ(needs(retried), "") << "they have it";
  EXPECT_EQ(needs("kind: Cluster\nmetadata: {name: far}\nspec: {endpoints: [{address: 10.0.0.1, port: 1, weight: 2}]}"),
            "")
      << "no proxy gets it";
  EXPECT_EQ(needs(route("more", "far", "")), "g Cluster far 2 spec.endpoints[0].weight; ") << "now one does";
  EXPECT_EQ(needs("kind: RateLimitPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: Gateway, name: other}], "
                  "limits: [{name: all, limit: {requests: 1, per: 1s}}]}"),
            "other RateLimitPolicy p 2 ; ");
  EXPECT_EQ(needs(route("shop", "orders", "")), "");
}

TEST_F(ChangesTest, OnlyNewNoticesAreTold) {
  Apply(kShop);
  const std::string shadowed = Apply(
      "kind: Route\nmetadata: {name: z}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: orders}]}]}");
  EXPECT_NE(shadowed.find("; Route z: spec.rules[0]"), std::string::npos) << shadowed;
  EXPECT_EQ(Apply(kKeys), "3: created Secret keys");
}

TEST_F(ChangesTest, ADiskThatFailsChangesNothing) {
  Apply(kShop);
  disk_->fails_ = true;
  EXPECT_EQ(Apply(kKeys), "refused: RESOURCE_EXHAUSTED: no space left on device");
  EXPECT_EQ(changes_->Now()->revision, 1u);
  EXPECT_EQ(steps_, "0>1:4 ");
  disk_->fails_ = false;
  EXPECT_EQ(Apply(kKeys), "2: created Secret keys");
}

TEST_F(ChangesTest, HistorySaysWhoDidWhat) {
  Apply(kShop);
  Apply(kKeys);
  Delete("Secret", "keys");
  const Changes::Past past = *changes_->History(0, 2);
  ASSERT_EQ(past.revisions.size(), 2u);
  EXPECT_EQ(past.oldest, 1u);
  const portico::v1::RevisionRecord& last = past.revisions[0];
  EXPECT_EQ(last.revision(), 3u);
  EXPECT_EQ(last.author(), "alice");
  EXPECT_EQ(last.peer(), "10.0.0.7:4711");
  EXPECT_EQ(last.time().seconds(), 1);
  EXPECT_EQ(last.time().nanos(), 500'000'000);
  ASSERT_EQ(last.changes_size(), 1);
  EXPECT_EQ(last.changes(0).kind(), portico::v1::ResourceChange::DELETED);
  EXPECT_EQ(last.changes(0).name().name(), "keys");
}

TEST_F(ChangesTest, RollbackIsANewRevisionOfWhatWas) {
  Apply(kShop);
  Apply("kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: 9002}]}");
  Apply(kKeys);
  Delete("Gateway", "other");
  EXPECT_EQ(Rollback(1, Change{.dry_run = true}).substr(0, 2), "5:");
  EXPECT_EQ(changes_->Now()->revision, 4u);
  EXPECT_EQ(Rollback(1), "5: updated Cluster orders created Gateway other deleted Secret keys; for g; for other");
  const auto* orders = changes_->Now()->configuration.Find({"Cluster", "default", "orders"});
  EXPECT_EQ(orders->cluster().spec().endpoints(0).port(), 9001u);
  EXPECT_EQ(orders->cluster().metadata().revision(), 5u);
  EXPECT_EQ(changes_->History(0, 1)->revisions[0].rollback_of(), 1u);
  EXPECT_EQ(Rollback(5), "5:");
  EXPECT_NE(Rollback(6).find("NOT_FOUND"), std::string::npos);
  EXPECT_NE(Rollback(1, Change{.expected_revision = 4}).find("ABORTED"), std::string::npos);
}

TEST_F(ChangesTest, ARollbackWarnsOfCredentialsThatComeBack) {
  const auto consumer = [](const std::string& name, const std::string& credentials, const std::string& groups = "g") {
    return Concat("---\nkind: Consumer\nmetadata: {name: ", name, "}\nspec: {groups: [", groups, "], credentials: [",
                  credentials, "]}\n");
  };
  const auto key = [](char digit, const std::string& more = "") {
    return Concat("{apiKey: {sha256: ", std::string(64, digit), more, "}}");
  };
  const std::string jwt = "{jwt: {issuer: i, claims: {sub: a}}}";
  const std::string two = key('a') + ", " + key('b', ", expires: '2030-01-01T00:00:00Z'");
  const auto warning = [](const std::string& name, const std::string& words) {
    return Concat("; Consumer ", name, ": spec.credentials: ", words,
                  " good again with this rollback; take out what was revoked");
  };
  const struct {
    const char* name;
    std::string then, now;
    std::string expected;
  } kRows[] = {
      {"a key", two, key('a'), warning("c", "1 that it has no more is")},
      {"both, and a claim", two + ", " + jwt, key('c'), warning("c", "3 that it has no more are")},
      {"one that ended earlier", two, key('a') + ", " + key('b', ", expires: '2020-01-01T00:00:00Z'"),
       warning("c", "1 that it has no more is")},
      {"one that is over by now", key('a', ", expires: '1970-01-01T00:00:01.5Z'"), key('b'), ""},
      {"one that is good a little longer", key('a', ", expires: '1970-01-01T00:00:01.500001Z'"), key('b'),
       warning("c", "1 that it has no more is")},
      {"in another order", two, key('b', ", expires: '2030-01-01T00:00:00Z'") + ", " + key('a'), ""},
      {"none", key('a'), two, ""},
  };
  for (const auto& row : kRows) {
    Open(Codec(std::nullopt), 100);
    Apply(consumer("c", row.then));
    Apply(consumer("c", row.now, "h"));
    for (const bool dry_run : {true, false})
      EXPECT_EQ(Rollback(1, Change{.dry_run = dry_run}), "3: updated Consumer c" + row.expected) << row.name;
  }
  Open(Codec(std::nullopt), 100);
  Apply(consumer("c", two) + consumer("d", key('d')));
  Delete("Consumer", "c");
  EXPECT_EQ(Rollback(1), "3: created Consumer c" + warning("c", "2 that it has no more are"));
  EXPECT_EQ(Rollback(1), "3:");
}

std::string ClusterOf(const std::string& name_space, const std::string& name, int port) {
  return Concat("---\nkind: Cluster\nmetadata: {name: ", name, ", namespace: ", name_space,
                "}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}\n");
}

TEST_F(ChangesTest, ARollbackMayBeOfOneNamespace) {
  Apply(ClusterOf("a", "c", 1) + ClusterOf("b", "c", 1));
  Apply(ClusterOf("a", "c", 2) + ClusterOf("b", "c", 2) + ClusterOf("a", "d", 2) + ClusterOf("b", "d", 2));
  EXPECT_EQ(Rollback(1, {}, "a"), "3: updated Cluster a/c deleted Cluster a/d");
  EXPECT_EQ(Rollback(1, {}, "nowhere"), "3:");
  EXPECT_EQ(Rollback(1), "4: updated Cluster b/c deleted Cluster b/d");
}

TEST_F(ChangesTest, AnotherManagersResourcesNeedForce) {
  const std::string theirs =
      "refused: FAILED_PRECONDITION: Cluster a/c: metadata.manager: is ci, which looks after it; "
      "force takes it over";
  const auto write = [](int port, const std::string& manager, bool force = false) {
    return Change{.resources = ReadResources(ClusterOf("a", "c", port)), .manager = manager, .force = force};
  };
  const auto remove = [](const std::string& manager, bool force = false) {
    return Change{.deletes = {{"Cluster", "a", "c"}}, .manager = manager, .force = force};
  };
  const auto back = [](uint64_t revision, const std::string& manager) {
    return Change{.manager = manager, .rollback_of = revision};
  };
  const struct {
    const char* name;
    Change change;
    std::string expected;
    std::string manager;  // whose it is afterwards; "-": it is not there
  } kRows[] = {
      {"nobody's", write(1, ""), "1: created Cluster a/c", ""},
      {"unchanged, it stays nobody's", write(1, "ci"), "1: kept Cluster a/c", ""},
      {"a change takes it", write(2, "ci"), "2: updated Cluster a/c", "ci"},
      {"its own", write(3, "ci"), "3: updated Cluster a/c", "ci"},
      {"another", write(4, "kubernetes"), theirs, "ci"},
      {"nobody", write(4, ""), theirs, "ci"},
      {"what changes nothing is nobody's trouble", write(3, "kubernetes"), "3: kept Cluster a/c", "ci"},
      {"another one deletes it", remove("kubernetes"), theirs, "ci"},
      {"nobody deletes it", remove(""), theirs, "ci"},
      {"another one goes back", back(1, "kubernetes"), theirs, "ci"},
      {"taken over as it is", write(3, "kubernetes", true), "4: updated Cluster a/c", "kubernetes"},
      {"taken back with a change", write(5, "ci", true), "5: updated Cluster a/c", "ci"},
      {"it goes back to whose it was", back(1, "ci"), "6: updated Cluster a/c", ""},
      {"and forth", back(3, ""), "7: updated Cluster a/c", "ci"},
      {"its own deletes it", remove("ci"), "8: deleted Cluster a/c", "-"},
      {"what was another's does not come back", back(3, ""), theirs, "-"},
      {"its own brings it back", back(3, "ci"), "9: created Cluster a/c", "ci"},
      {"by force", remove("kubernetes", true), "10: deleted Cluster a/c", "-"},
  };
  for (const auto& row : kRows) {
    const uint64_t revision = row.change.rollback_of;
    EXPECT_EQ(revision == 0 ? Apply(row.change) : Rollback(revision, row.change), row.expected) << row.name;
    const portico::v1::Resource* stored = changes_->Now()->configuration.Find({"Cluster", "a", "c"});
    EXPECT_EQ(stored == nullptr ? "-" : check::MetadataOf(*stored).manager(), row.manager) << row.name;
    // The store has it too.
    const model::SharedModel read = *Codec(std::nullopt).ReadModel(*disk_, changes_->Now()->revision);
    stored = read->configuration.Find({"Cluster", "a", "c"});
    EXPECT_EQ(stored == nullptr ? "-" : check::MetadataOf(*stored).manager(), row.manager) << row.name;
  }
}

TEST_F(ChangesTest, AManagerIsWhatTheCallSaysAndAPlainName) {
  Change change{.resources = ReadResources(ClusterOf("a", "c", 1)), .manager = "ci"};
  change.resources[0].mutable_cluster()->mutable_metadata()->set_manager("another");
  EXPECT_EQ(Apply(change), "1: created Cluster a/c");
  EXPECT_EQ(check::MetadataOf(*changes_->Now()->configuration.Find({"Cluster", "a", "c"})).manager(), "ci");
  for (const std::string& name :
       {std::string(64, 'x'), std::string("a b"), std::string("a\n"), std::string("\xc3\xa9")}) {
    change.manager = name;
    EXPECT_EQ(
        Apply(change),
        "refused: INVALID_ARGUMENT: the name of a manager must be at most 63 visible ASCII characters without spaces")
        << name;
  }
}

TEST_F(ChangesTest, AJudgeIsAskedOfWhatIsToBeChanged) {
  const Changes::Judge judge = [this](const model::Model& now, const Change& change) -> std::optional<Refusal> {
    steps_ += Concat("judge ", now.revision, " of ", change.resources.size(), "+", change.deletes.size(), " ");
    if (change.deletes.empty()) return std::nullopt;
    return Refusal{absl::PermissionDeniedError("no deletes"), {}};
  };
  const Change make{.resources = ReadResources(ClusterOf("a", "c", 1))};
  Change tried = make;
  tried.dry_run = true;
  EXPECT_EQ(Tell(changes_->Apply(tried, {}, judge)), "1: created Cluster a/c");
  EXPECT_EQ(Tell(changes_->Apply(make, {}, judge)), "1: created Cluster a/c");
  EXPECT_EQ(Tell(changes_->Apply({.deletes = {{"Cluster", "a", "c"}}}, {}, judge)),
            "refused: PERMISSION_DENIED: no deletes");
  // It comes first: who may not write learns nothing of what is there.
  EXPECT_EQ(Tell(changes_->Apply({.deletes = {{"Cluster", "a", "none"}}}, {}, judge)),
            "refused: PERMISSION_DENIED: no deletes");
  Apply(ClusterOf("a", "d", 1));
  EXPECT_EQ(Tell(changes_->Rollback(1, "", {}, {}, judge)), "refused: PERMISSION_DENIED: no deletes");
  EXPECT_EQ(steps_, "judge 0 of 1+0 judge 0 of 1+0 0>1:1 judge 1 of 0+1 judge 1 of 0+1 1>2:1 judge 2 of 0+1 ");
}

TEST_F(ChangesTest, OldRevisionsAreForgotten) {
  Open(Codec(std::nullopt), 10);
  for (int port = 1; port <= 25; ++port) {
    Apply(Concat("kind: Cluster\nmetadata: {name: a}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}"));
  }
  EXPECT_EQ(changes_->History(0, 99)->oldest, 16u);
  EXPECT_NE(Rollback(15).find("NOT_FOUND"), std::string::npos);
  EXPECT_EQ(Rollback(16), "26: updated Cluster a");
}

TEST_F(ChangesTest, SecretsAreSealedInTheStoreAndNothingElseIs) {
  const std::array<uint8_t, openssl::Sealer::kKeyBytes> key{1};
  Open(Codec(openssl::Sealer(key)), 100);
  ASSERT_EQ(Apply(kShop).substr(0, 2), "1:");
  ASSERT_EQ(Apply(kKeys), "2: created Secret keys");
  EXPECT_EQ(disk_->seen_.find("c2VjcmV0"), std::string::npos);
  EXPECT_NE(disk_->seen_.find("127.0.0.1"), std::string::npos);
  EXPECT_NE(disk_->History(0, 1)->front().bytes.find("keys"), std::string::npos);
  const model::SharedModel read = *Codec(openssl::Sealer(key)).ReadModel(*disk_, 2);
  EXPECT_NE(read->configuration.Find({"Secret", "default", "keys"})->secret().spec().jwks().inline_().find("c2VjcmV0"),
            std::string::npos);
  const absl::Status other = Codec(openssl::Sealer({2})).ReadModel(*disk_, 2).status();
  EXPECT_EQ(other.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(other.message().find("Secret/default/keys"), absl::string_view::npos) << other;
  EXPECT_NE(Codec(std::nullopt).ReadModel(*disk_, 2).status().message().find("--secrets_key_file"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace portico::change
