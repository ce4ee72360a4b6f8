#include "dataplane/options.h"

#include <gtest/gtest.h>

#include "api/base/text.h"

namespace portico::proxy {
namespace {

using Words = std::vector<std::string>;

TEST(OptionsTest, ReadsEveryFlag) {
  const absl::StatusOr<Options> options = ParseOptions(
      {"--config=a.yaml", "--gateway=shop/edge", "--check", "--workers=3", "--bind_address=::1",
       "--admin_address=[::1]:1", "--probe_address=127.0.0.1:2", "--drain_delay=1m30s", "--drain_timeout=250ms",
       "--log_level=debug", "--node_id=n1", "--dns_servers=10.0.0.1:53,[::1]:54"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config, "a.yaml");
  EXPECT_EQ(options->gateway, (check::ResourceKey{"Gateway", "shop", "edge"}));
  EXPECT_TRUE(options->check);
  EXPECT_EQ(options->workers, 3u);
  EXPECT_EQ(options->bind_address->ip(), "::1");
  EXPECT_EQ(options->admin_address->ToString(), "[::1]:1");
  EXPECT_EQ(options->probe_address->ToString(), "127.0.0.1:2");
  EXPECT_EQ(options->drain_delay, std::chrono::seconds(90));
  EXPECT_EQ(options->drain_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(options->log_level, observe::Severity::kDebug);
  ASSERT_EQ(options->dns_servers.size(), 2u);
  EXPECT_EQ(options->dns_servers[0].ToString(), "10.0.0.1:53");
  EXPECT_EQ(options->dns_servers[1].ToString(), "[::1]:54");
}

TEST(OptionsTest, HasDefaults) {
  const absl::StatusOr<Options> options = ParseOptions({"--config", "folder"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->gateway.has_value());
  EXPECT_FALSE(options->workers.has_value());
  EXPECT_EQ(options->admin_address->ToString(), "127.0.0.1:9903");
  EXPECT_FALSE(options->probe_address.has_value());
  EXPECT_EQ(ParseOptions({"--config=a", "--gateway=edge"})->gateway,
            (check::ResourceKey{"Gateway", "default", "edge"}));
  EXPECT_FALSE(ParseOptions({"--config=a", "--admin_address=off"})->admin_address.has_value());
}

TEST(OptionsTest, ReadsWhatAStreamNeeds) {
  const absl::StatusOr<Options> options =
      ParseOptions({"--discovery_address=10.0.0.1:9901,[::1]:2", "--tls_cert=c", "--tls_key=k", "--ca=a",
                    "--state_dir=d", "--state_key_file=s", "--node_id=edge-1", "--gateway=public"});
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_EQ(options->discovery_addresses.size(), 2u);
  EXPECT_EQ(options->discovery_addresses[0].ToString(), "10.0.0.1:9901");
  EXPECT_EQ(options->discovery_addresses[1].ToString(), "[::1]:2");
  EXPECT_EQ(options->tls_cert + options->tls_key + options->ca + options->state_dir + options->state_key_file, "ckads");
  EXPECT_EQ(options->node_id, "edge-1");
}

TEST(OptionsTest, HelpAndVersionNeedNothingElse) {
  EXPECT_TRUE(ParseOptions({"--help"})->help);
  EXPECT_TRUE(ParseOptions({"--version"})->version);
}

TEST(OptionsTest, RefusesByFlag) {
  struct Row {
    std::string_view name;
    Words words;
    std::string_view says;
  };
  const Row rows[] = {
      {"nothing", {}, "config"},
      {"an empty file name", {"--config="}, "--config has an empty value"},
      {"a misspelt flag", {"--config=a", "--worker=1"}, "workers"},
      {"no number", {"--config=a", "--workers=two"}, "--workers=two: must be a number from 1 to 256"},
      {"no worker", {"--config=a", "--workers=0"}, "--workers=0"},
      {"too many", {"--config=a", "--workers=257"}, "--workers=257"},
      {"no port", {"--config=a", "--admin_address=127.0.0.1"}, "--admin_address=127.0.0.1: must be IP:PORT"},
      {"a name", {"--config=a", "--probe_address=localhost:1"}, "--probe_address"},
      {"a port too much", {"--config=a", "--bind_address=127.0.0.1:1"}, "--bind_address"},
      {"half a gateway", {"--config=a", "--gateway=shop/"}, "--gateway=shop/"},
      {"no unit", {"--config=a", "--drain_delay=5"}, "--drain_delay=5"},
      {"a level of others", {"--config=a", "--log_level=warn"}, "--log_level=warn"},
      {"no path", {"--config=a", "--takeover="}, "--takeover has an empty value"},
      {"a long path",
       {"--config=a", base::Concat("--takeover=", std::string(100, 'p'))},
       "a Unix socket's path has at most 99 bytes"},
      {"a name server's name", {"--config=a", "--dns_servers=localhost:53"}, "must be IP:PORT, such as 127.0.0.1:53"},
      {"a name server without port",
       {"--config=a", "--dns_servers=127.0.0.1"},
       "must be IP:PORT, such as 127.0.0.1:53"},
      {"no name server", {"--config=a", "--dns_servers="}, "empty value"},
      {"nine name servers",
       {"--config=a", "--dns_servers=[::1]:1,[::1]:2,[::1]:3,[::1]:4,[::1]:5,[::1]:6,[::1]:7,[::1]:8,[::1]:9"},
       "at most 8 addresses"},
      {"both sources", {"--config=a", "--discovery_address=127.0.0.1:1"}, "only one of them"},
      {"a control plane's name", {"--discovery_address=localhost:1"}, "names are not supported yet"},
      {"no port of it", {"--discovery_address=127.0.0.1:0"}, "must be IP:PORT"},
      {"one of two is none", {"--discovery_address=127.0.0.1:1,"}, "must be IP:PORT"},
      {"beyond loopback in clear",
       {"--discovery_address=127.0.0.1:1,10.0.0.1:1"},
       "--discovery_address=10.0.0.1:1: beyond loopback it needs --tls_cert, --tls_key and --ca"},
      {"no key", {"--discovery_address=[::1]:1", "--tls_cert=c", "--ca=a"}, "--tls_cert needs --tls_key"},
      {"no authorities", {"--discovery_address=[::1]:1", "--tls_cert=c", "--tls_key=k"}, "--tls_cert needs --ca"},
      {"no certificate", {"--discovery_address=[::1]:1", "--ca=a"}, "--ca needs --tls_cert"},
      {"state in clear", {"--discovery_address=[::1]:1", "--state_dir=d"}, "--state_dir needs --state_key_file"},
      {"a key for nothing",
       {"--discovery_address=[::1]:1", "--state_key_file=k"},
       "--state_key_file needs --state_dir"},
      {"state of a file",
       {"--config=a", "--state_dir=d", "--state_key_file=k"},
       "--state_dir needs --discovery_address"},
      {"nothing to check", {"--discovery_address=[::1]:1", "--check"}, "--check needs --config"},
      {"a node with a space", {"--discovery_address=[::1]:1", "--node_id=a b"}, "--node_id=a b"},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Options> options = ParseOptions(row.words);
    ASSERT_FALSE(options.ok()) << row.name;
    EXPECT_NE(std::string(options.status().message()).find(row.says), std::string::npos)
        << row.name << ": " << options.status();
  }
}

}  // namespace
}  // namespace portico::proxy
