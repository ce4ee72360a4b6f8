// Purges: what is ordered, and which older orders go with it.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "gtest/gtest.h"
#include "tools/ctl/command_rows.h"

namespace portico::ctl {
namespace {

using base::Concat;
using test::RunRows;
using test::Script;

constexpr int64_t kNow = 1'800'000'000;  // seconds, what the world's clock says

std::string Purge(const std::string& name, int64_t at, const std::string& gateway = "default") {
  return Concat("cache_purge { metadata { name: '", name, "' } spec { target_ref { kind: 'Gateway' name: '", gateway,
                "' } path_prefix: '/", name, "' at { seconds: ", at, " } } }");
}

Script Stored(const std::vector<std::string>& purges) {
  Script script = test::Stored(purges);
  script.change.response = test::From<portico::v1::ApplyResponse>(R"(revision: 13 epoch: "e"
    changes { name { kind: "CachePurge" namespace: "default" name: "purge-x" } kind: CREATED })");
  return script;
}

std::vector<std::string> Many(int count) {
  std::vector<std::string> purges;
  for (int i = 0; i < count; ++i)
    purges.push_back(Purge(Concat("p", i), kNow - 1));
  return purges;
}

const char kDone[] = "CachePurge default/purge-x created\nrevision 13\n";

TEST(CacheCommands, AnOrderIsAResource) {
  RunRows(
      {
          {"everything",
           {"cache", "purge"},
           Stored({}),
           0,
           kDone,
           {},
           {"List(kind: \"CachePurge\" namespace: \"default\")\n",
            "spec { target_ref { kind: \"Gateway\" name: \"default\" } path_prefix: \"/\" at { seconds: 1800000000 } } "
            "} })"}},
          {"of one host and path",
           {"cache", "purge", "--gateway=shop/edge", "--host=Shop.Example", "--path-prefix=/products"},
           Stored({}),
           0,
           kDone,
           {},
           {"List(kind: \"CachePurge\" namespace: \"shop\")\n", "namespace: \"shop\" } spec",
            "name: \"edge\" } host: \"shop.example\" path_prefix: \"/products\" at"}},
          {"no proxy to wait for",
           {"cache", "purge", "--wait"},
           Stored({}),
           0,
           std::string(kDone) + "no gateway gets anything of it: there is nothing to wait for\n",
           {}},
          {"refused",
           {"cache", "purge"},
           [] {
             Script script = Stored({});
             script.change = {absl::PermissionDeniedError("needs the role Editor"), {}, {}};
             return script;
           }(),
           1,
           "",
           {"porticoctl cache: needs the role Editor\n"}},
          {"unreachable",
           {"cache", "purge"},
           test::Failed(absl::UnavailableError("nobody")),
           1,
           "",
           {"porticoctl cache: nobody\n"}},
          {"no verb", {"cache"}, {}, 2, "", {"it takes `purge`"}},
          {"no gateway", {"cache", "purge", "--gateway=shop/"}, {}, 2, "", {"--gateway is NAME or NAMESPACE/NAME"}},
      },
      {});
}

TEST(CacheCommands, OldOrdersGoWithTheNext) {
  const auto deletes = [](const std::string& name) {
    return Concat("deletes { kind: \"CachePurge\" namespace: \"default\" name: \"", name, "\" }");
  };
  const std::string expects = " expected_revision: 12 expected_epoch: \"e\")";
  RunRows(
      {
          {"over a day old",
           {"cache", "purge", "--path-prefix=/a"},
           Stored({Purge("done", kNow - 86'401), Purge("live", kNow - 86'399)}),
           0,
           kDone,
           {},
           {"at { seconds: 1800000000 } } } } " + deletes("done") + expects}},
          {"of another gateway",
           {"cache", "purge", "--path-prefix=/a"},
           Stored({Purge("other", kNow - 86'401, "other")}),
           0,
           kDone,
           {},
           {"at { seconds: 1800000000 } } } })"}},
          {"as many as there may be",
           {"cache", "purge", "--path-prefix=/a"},
           Stored(Many(255)),
           0,
           kDone,
           {},
           {"path_prefix: \"/a\" at { seconds: 1800000000 } } } })"}},
          {"one more is everything",
           {"cache", "purge", "--path-prefix=/a"},
           Stored(Many(256)),
           0,
           kDone,
           {"warning: over 256 orders in a day: everything of the gateway is purged\n"},
           {"path_prefix: \"/\" at { seconds: 1800000000 } } } } " + deletes("p0") + " " + deletes("p1"),
            deletes("p99") + expects}},
          {"another one was faster, again and again",
           {"cache", "purge"},
           [] {
             Script script = Stored({});
             script.change = {absl::AbortedError("the configuration is at revision 14"), {}, {}};
             return script;
           }(),
           1,
           "",
           {"porticoctl cache: the configuration is at revision 14\n"}},
      },
      {});
}

}  // namespace
}  // namespace portico::ctl
