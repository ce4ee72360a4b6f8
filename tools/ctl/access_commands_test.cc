// Who asks, and whose resources are changed.
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tools/ctl/command_rows.h"

namespace portico::ctl {
namespace {

using test::From;
using test::Row;
using test::RunRows;
using test::Script;

const test::World kWorld = {
    .files = {
        {"token", "portico_abc\n"},
        {"other", "portico_def"},
        {"windows", "portico_abc\r\n"},
        {"empty", "\n"},
        {"lines", "portico_abc\nportico_def\n"},
        {"spaces", "portico abc\n"},
        {"long", std::string(1025, 'x')},
        {"ca.crt", "A"},
        {"client.crt", "C"},
        {"client.key", "K"},
        {"shop.yaml", "kind: Cluster\nmetadata: {name: c}\nspec: {endpoints: [{address: '::1', port: 1}]}\n"},
        {"labelled.yaml",
         "kind: Cluster\nmetadata: {name: c, labels: {a: b}}\nspec: {endpoints: [{address: '::1', port: 1}]}\n"}}};

Script Changed(const std::string& text = "revision: 7") {
  Script script;
  script.change.response = From<portico::v1::ApplyResponse>(text);
  return script;
}

// Of the Tokens: that one.
Script There(const std::string& name, const absl::Status& status = absl::OkStatus()) {
  Script script = test::Stored({"token { metadata { name: '" + name + "' namespace: 'default' } }"});
  script.change = {status, {}, From<portico::v1::ApplyResponse>("revision: 7")};
  return script;
}
Script NotThere() {
  return There("another");
}

TEST(AccessCommands, WhoAsks) {
  const std::vector<std::string> rollback = {"rollback", "7"};
  const auto with = [&rollback](std::vector<std::string> more) {
    more.insert(more.begin(), rollback.begin(), rollback.end());
    return more;
  };
  const std::string done = "revision 7\n";
  const std::string far = "--api_address=10.0.0.1:9900";
  RunRows(
      {
          {"a token on loopback",
           with({"--token_file=token"}),
           Changed(),
           0,
           done,
           {},
           {":9900 with portico_abc 30000\n"}},
          {"another line's end", with({"--token_file=windows"}), Changed(), 0, done, {}, {" with portico_abc "}},
          {"no line's end", with({"--token_file=other"}), Changed(), 0, done, {}, {" with portico_def "}},
          {"with an authority alone",
           with({far, "--token_file=token", "--ca=ca.crt"}),
           Changed(),
           0,
           done,
           {},
           {"10.0.0.1:9900 as  with portico_abc 30000\n"}},
          {"with a certificate",
           with({far, "--token_file=token", "--ca=ca.crt", "--tls_cert=client.crt", "--tls_key=client.key"}),
           Changed(),
           0,
           done,
           {},
           {"10.0.0.1:9900 as C with portico_abc 30000\n"}},
          {"in clear to another machine", with({far, "--token_file=token"}), {}, 2, "", {"beyond loopback it needs"}},
          {"an authority alone without a token", with({"--ca=ca.crt"}), {}, 2, "", {"belong together"}},
          {"half a certificate",
           with({"--token_file=token", "--ca=ca.crt", "--tls_cert=client.crt"}),
           {},
           2,
           "",
           {"belong together"}},
          {"no such file", with({"--token_file=none"}), {}, 1, "", {"--token_file=none: no such file"}},
          {"nothing in it", with({"--token_file=empty"}), {}, 1, "", {"--token_file=empty: holds no token"}},
          {"two lines", with({"--token_file=lines"}), {}, 1, "", {"--token_file=lines: holds no token"}},
          {"two words", with({"--token_file=spaces"}), {}, 1, "", {"--token_file=spaces: holds no token"}},
          {"too long", with({"--token_file=long"}), {}, 1, "", {"--token_file=long: holds no token"}},
      },
      kWorld);
  test::World environment = kWorld;
  environment.token_file = "other";
  RunRows(
      {
          {"by the environment", rollback, Changed(), 0, done, {}, {" with portico_def "}},
          {"the flag wins", with({"--token_file=token"}), Changed(), 0, done, {}, {" with portico_abc "}},
      },
      environment);
}

TEST(AccessCommands, ATokenIsMadeAndShownOnce) {
  RunRows(
      {
          {"new",
           {"token", "create", "--name=ci"},
           NotThere(),
           0,
           "portico_new\n",
           {"Token default/ci is stored (revision 7); this is the token, and nobody can show it again:\n"},
           {"List(kind: \"Token\" namespace: \"default\")\nApply(resources { token { metadata { "
            "name: \"ci\" namespace: \"default\" } spec { sha256: \"",
            " expected_revision: 12 expected_epoch: \"e\")\n"}},
          {"somebody else is always first",
           {"token", "create", "--name=ci"},
           There("another", absl::AbortedError("the configuration is at revision 13")),
           1,
           "",
           {"porticoctl token: the configuration is at revision 13\n"},
           {")\nList("}},
          {"somebody's",
           {"token", "create", "--name=ci", "--replace", "--manager=me", "--force"},
           Changed(),
           0,
           "portico_new\n",
           {"is stored"},
           {"manager: \"me\" force: true)"}},
          {"elsewhere, for a while",
           {"token", "create", "--name=ci", "-n", "a", "--expires=2027-01-01T00:00:00Z"},
           NotThere(),
           0,
           "portico_new\n",
           {"Token a/ci is stored"},
           {"namespace: \"a\"", "expires { seconds: 1798761600 }"}},
          {"there is one",
           {"token", "create", "--name=ci"},
           There("ci"),
           1,
           "",
           {"Token default/ci is there: --replace locks out who calls with it"}},
          {"in its place", {"token", "create", "--name=ci", "--replace"}, Changed(), 0, "portico_new\n", {"is stored"}},
          {"refused",
           {"token", "create", "--name=ci", "--replace"},
           test::Failed(absl::PermissionDeniedError("needs the role Admin")),
           1,
           "",
           {"porticoctl token: needs the role Admin\n"}},
          {"unreachable",
           {"token", "create", "--name=ci"},
           test::Failed(absl::UnavailableError("nobody")),
           1,
           "",
           {"porticoctl token: nobody\n"}},
          {"no time",
           {"token", "create", "--name=ci", "--expires=1d"},
           NotThere(),
           2,
           "",
           {"--expires is a time like"}},
          {"no name", {"token", "create"}, {}, 2, "", {"--name is required"}},
          {"no verb", {"token", "--name=ci"}, {}, 2, "", {"it takes `create`"}},
          {"another verb", {"token", "show", "--name=ci"}, {}, 2, "", {"it takes `create`"}},
      },
      kWorld);
}

TEST(AccessCommands, WhoseResources) {
  const auto labelled = [] {
    Script script = test::Stored({
        "cluster { metadata { name: 'mine' manager: 'ci' labels { key: 'a' value: 'b' } } }",
        "cluster { metadata { name: 'nobodys' labels { key: 'a' value: 'b' } } }",
        "cluster { metadata { name: 'theirs' manager: 'kubernetes' labels { key: 'a' value: 'b' } } }",
    });
    script.change.response = From<portico::v1::ApplyResponse>("revision: 7");
    return script;
  };
  const std::string done = "revision 7\n";
  const std::string deletes_mine = "deletes { kind: \"Cluster\" namespace: \"default\" name: \"mine\" } ";
  const std::string deletes_nobodys = "deletes { kind: \"Cluster\" namespace: \"default\" name: \"nobodys\" } expected";
  RunRows(
      {
          {"apply",
           {"apply", "-f", "shop.yaml", "--manager=ci", "--force"},
           Changed(),
           0,
           done,
           {},
           {"manager: \"ci\" force: true)"}},
          {"apply without",
           {"apply", "-f", "shop.yaml"},
           Changed(),
           0,
           done,
           {},
           {"endpoints { address: \"::1\" port: 1 } } } })"}},
          {"delete",
           {"delete", "cluster", "c", "--manager=ci", "--force"},
           Changed(),
           0,
           done,
           {},
           {"manager: \"ci\" force: true)"}},
          {"rollback",
           {"rollback", "3", "-n", "a", "--manager=ci", "--force"},
           Changed(),
           0,
           done,
           {},
           {"Rollback(revision: 3 manager: \"ci\" force: true namespace: \"a\")"}},
          {"prune takes its own and nobody's",
           {"apply", "-f", "labelled.yaml", "--prune", "-l", "a=b", "--manager=ci"},
           labelled(),
           0,
           done,
           {},
           {"} } } } " + deletes_mine + deletes_nobodys}},
          {"prune of nobody",
           {"apply", "-f", "labelled.yaml", "--prune", "-l", "a=b"},
           labelled(),
           0,
           done,
           {},
           {"} } } } " + deletes_nobodys}},
      },
      kWorld);
}

TEST(AccessCommands, APartIsSaidToBeOne) {
  Script script = test::Stored({"cluster { metadata { name: 'c' revision: 1 } }"});
  script.list.response.set_partial(true);
  script.change.response = From<portico::v1::ApplyResponse>("revision: 7");
  const std::string warning = "warning: there are namespaces that you may not read; this is about the others\n";
  RunRows(
      {
          {"get",
           {"get", "all"},
           script,
           0,
           "KIND     NAMESPACE  NAME  REVISION\nCluster  default    c     1\n",
           {warning}},
          {"prune", {"apply", "-f", "labelled.yaml", "--prune", "-l", "a=b"}, script, 0, "revision 7\n", {warning}},
      },
      kWorld);
}

}  // namespace
}  // namespace portico::ctl
