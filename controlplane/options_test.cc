#include "controlplane/options.h"

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::controlplane {
namespace {

using Words = std::vector<std::string>;

TEST(OptionsTest, ReadsEveryFlag) {
  const absl::StatusOr<Options> options = ParseOptions(
      {"--api_address=0.0.0.0:1", "--discovery_address=[2001:db8::1]:2", "--store=sqlite:/a/b.db",
       "--secrets_key_file=k", "--tls_cert=c", "--tls_key=p", "--client_ca=a", "--revisions_kept=7",
       "--admin_address=0.0.0.0:3", "--admin_token_file=t", "--anonymous_role=Viewer", "--new_admin_token"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->api_address, "0.0.0.0:1");
  EXPECT_EQ(options->discovery_address, "[2001:db8::1]:2");
  EXPECT_EQ(options->store_file, "/a/b.db");
  EXPECT_EQ(options->secrets_key_file, "k");
  ASSERT_TRUE(options->tls.has_value());
  EXPECT_EQ(options->tls->certificate, "c");
  EXPECT_EQ(options->tls->key, "p");
  EXPECT_EQ(options->tls->client_ca, "a");
  EXPECT_EQ(options->revisions_kept, 7u);
  EXPECT_EQ(options->admin_address, "0.0.0.0:3");
  EXPECT_EQ(options->admin_token_file, "t");
  EXPECT_TRUE(options->admin_token_file_given);
  EXPECT_EQ(options->anonymous_role, portico::v1::ROLE_NAME_VIEWER);
  EXPECT_TRUE(options->new_admin_token);
}

TEST(OptionsTest, HasDefaults) {
  const absl::StatusOr<Options> options = ParseOptions({"--secrets_key_file=k"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->api_address, "127.0.0.1:9900");
  EXPECT_EQ(options->discovery_address, "127.0.0.1:9901");
  EXPECT_EQ(options->store_file, "portico.db");
  EXPECT_FALSE(options->tls.has_value());
  EXPECT_EQ(options->revisions_kept, 1000u);
  EXPECT_EQ(options->admin_address, "127.0.0.1:9902");
  EXPECT_EQ(options->admin_token_file, "portico.db.admin-token");
  EXPECT_FALSE(options->admin_token_file_given);
  EXPECT_FALSE(options->anonymous_role.has_value());
  EXPECT_FALSE(options->new_admin_token);
  EXPECT_EQ(ParseOptions({"--store=sqlite:/a/b.db", "--secrets_key_file=k"})->admin_token_file, "/a/b.db.admin-token");
  EXPECT_EQ(ParseOptions({"--store=memory:"})->admin_token_file, "portico.admin-token");
  EXPECT_EQ(ParseOptions({"--store=memory:", "--anonymous_role=None"})->anonymous_role,
            portico::v1::ROLE_NAME_UNSPECIFIED);
  EXPECT_FALSE(ParseOptions({"--secrets_key_file=k", "--admin_address=off"})->admin_address.has_value());
}

TEST(OptionsTest, AStoreInMemoryNeedsNoKey) {
  const absl::StatusOr<Options> options = ParseOptions({"--store=memory:", "--api_address=[::1]:0"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->store_file.has_value());
}

TEST(OptionsTest, CopiesNeedNoKey) {
  EXPECT_EQ(ParseOptions({"--backup=b"})->backup_to, "b");
  EXPECT_EQ(ParseOptions({"--restore=b", "--store=sqlite:a"})->restore_from, "b");
}

TEST(OptionsTest, HelpAndVersionNeedNothingElse) {
  EXPECT_TRUE(ParseOptions({"--help"})->help);
  EXPECT_TRUE(ParseOptions({"--version"})->version);
}

TEST(OptionsTest, EveryFlagIsInTheHelp) {
  for (const std::string_view flag :
       {"api_address", "discovery_address", "admin_address", "store", "secrets_key_file", "tls_cert", "tls_key",
        "client_ca", "revisions_kept", "backup", "restore", "admin_token_file", "anonymous_role"}) {
    EXPECT_NE(kHelpText.find(base::Concat("\n  --", flag, "=")), std::string_view::npos) << flag;
  }
  EXPECT_NE(kHelpText.find("\n  --new_admin_token "), std::string_view::npos);
}

TEST(OptionsTest, RefusesByFlag) {
  struct Row {
    std::string_view name;
    Words words;
    std::string_view says;
  };
  const Row rows[] = {
      {"a misspelt flag", {"--api_adress=127.0.0.1:1"}, "did you mean `--api_address`?"},
      {"a word", {"serve"}, "unexpected argument `serve`"},
      {"no port", {"--api_address=127.0.0.1"}, "--api_address=127.0.0.1: must be IP:PORT"},
      {"a port too high", {"--api_address=127.0.0.1:65536"}, "--api_address"},
      {"a name", {"--discovery_address=localhost:1"}, "--discovery_address=localhost:1: must be IP:PORT"},
      {"IPv6 without brackets", {"--api_address=::1:9900"}, "must be IP:PORT"},
      {"an open bracket", {"--api_address=[::1:9900"}, "must be IP:PORT"},
      {"all addresses without TLS", {"--api_address=0.0.0.0:1"}, "--tls_cert, --tls_key and --client_ca missing"},
      {"all of IPv6 without TLS", {"--discovery_address=[::]:1"}, "--discovery_address=[::]:1: an address other than"},
      {"IPv4 within IPv6", {"--api_address=[::ffff:127.0.0.1]:1"}, "an address other than loopback"},
      {"TLS without who signs clients",
       {"--api_address=10.0.0.1:1", "--tls_cert=c", "--tls_key=k"},
       "clients with certificates; --client_ca missing"},
      {"half of TLS on loopback", {"--tls_key=k"}, "needed together; --tls_cert and --client_ca missing"},
      {"a store of no kind", {"--store=portico.db"}, "must be sqlite:FILE or memory:"},
      {"a store without file", {"--store=sqlite:"}, "--store=sqlite:: must be"},
      {"a name in memory", {"--store=memory:x"}, "must be sqlite:FILE or memory:"},
      {"etcd", {"--store=etcd:127.0.0.1:2379"}, "etcd is not supported yet"},
      {"no key", {}, "--secrets_key_file is required with --store=sqlite:portico.db"},
      {"nothing kept", {"--revisions_kept=0"}, "--revisions_kept=0: must be a number from 1 to 1000000"},
      {"too much kept", {"--revisions_kept=1000001"}, "--revisions_kept"},
      {"a role that there is not", {"--anonymous_role=admin"}, "must be None, Viewer, Editor or Admin"},
      {"two copies", {"--backup=a", "--restore=b"}, "exclude each other"},
      {"a token for a copy", {"--backup=a", "--new_admin_token"}, "--new_admin_token is for a start that serves"},
      {"a copy of memory", {"--store=memory:", "--backup=a"}, "--store=memory: has nothing"},
      {"an admin address without port", {"--admin_address=::1"}, "--admin_address=::1: must be IP:PORT"},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Options> options = ParseOptions(row.words);
    ASSERT_FALSE(options.ok()) << row.name;
    EXPECT_NE(base::ToStd(options.status().message()).find(row.says), std::string_view::npos)
        << row.name << ": " << options.status();
  }
}

}  // namespace
}  // namespace portico::controlplane
