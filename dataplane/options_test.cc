#include "dataplane/options.h"

#include <gtest/gtest.h>

namespace portico::proxy {
namespace {

using Words = std::vector<std::string>;

TEST(OptionsTest, ReadsEveryFlag) {
  const absl::StatusOr<Options> options =
      ParseOptions({"--config=a.yaml", "--gateway=shop/edge", "--check", "--workers=3", "--bind_address=::1",
                    "--admin_address=[::1]:1", "--probe_address=127.0.0.1:2", "--drain_delay=1m30s",
                    "--drain_timeout=250ms", "--log_level=debug", "--node_id=n1"});
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
      {"of later", {"--config=a", "--discovery_address=1.2.3.4:1"}, "--discovery_address is not supported yet"},
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
