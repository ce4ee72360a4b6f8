#include "dataplane/stream_options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "api/yaml/disk.h"
#include "test/support/key_material.h"

namespace portico::proxy {
namespace {

using base::Concat;

class StreamOptionsTest : public testing::Test {
 protected:
  StreamOptionsTest() { EXPECT_NE(mkdtemp(folder_.data()), nullptr); }
  ~StreamOptionsTest() override { std::filesystem::remove_all(folder_); }
  std::string Path(std::string_view name) const { return Concat(folder_, "/", name); }
  std::string Make(std::string_view name, std::string_view text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  static Options Plain() {
    Options options;
    options.discovery_addresses = {*net::Address::Parse("127.0.0.1", 1)};
    return options;
  }
  Options Kept() const {
    Options options = Plain();
    options.state_dir = folder_;
    options.state_key_file = Path("key");
    return options;
  }
  static Options Of(const std::string& name_space, const std::string& name) {
    Options options = Plain();
    options.gateway = check::ResourceKey{"Gateway", name_space, name};
    return options;
  }
  Options In(const std::string& folder) const {
    Options options = Kept();
    options.state_dir = folder;
    return options;
  }
  Options Secure() const {
    Options options = Plain();
    options.tls_cert = Make("cert", Concat(test::k_leaf_certificate, test::k_intermediate_certificate));
    options.tls_key = Make("tls_key", test::k_leaf_key);
    options.ca = Make("ca", test::k_root_certificate);
    return options;
  }
  std::string folder_ = testing::TempDir() + "/options_XXXXXX";
  yaml::DiskReader files_;
};

TEST_F(StreamOptionsTest, WhatIsGood) {
  const auto plain = StreamOptionsOf(Plain(), files_);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(plain->node.gateway.ToString(), "Gateway default");
  EXPECT_FALSE(plain->state.has_value());
  EXPECT_FALSE(plain->discovery.secure) << "nothing to be read for a stream in clear";

  Options named = Kept();
  named.gateway = check::ResourceKey{"Gateway", "shop", "public.example"};
  const auto kept = StreamOptionsOf(named, files_);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->state->path(), Path("shop.public.example.state"));
  EXPECT_TRUE(std::filesystem::exists(Path("key")));

  const auto secure = StreamOptionsOf(Secure(), files_);
  ASSERT_TRUE(secure.ok()) << secure.status();
  EXPECT_TRUE(secure->discovery.secure(*net::Address::Parse("127.0.0.1", 1)).ok());
}

// kInvalidArgument: the flag itself can't be meant so.
TEST_F(StreamOptionsTest, WhatIsWrong) {
  const struct {
    std::string_view name;
    std::function<Options()> options;
    absl::StatusCode code;
    std::string says;  // its beginning
  } kRows[] = {
      {"a gateway in capitals", [&] { return Of("default", "Shop"); }, absl::StatusCode::kInvalidArgument,
       "--gateway: the name \"Shop\" must have letters in lower case"},
      {"a gateway with two slashes", [&] { return Of("a", "b/c"); }, absl::StatusCode::kInvalidArgument,
       "--gateway: the name \"b/c\" must have"},
      {"a gateway with a space", [&] { return Of("default", "b "); }, absl::StatusCode::kInvalidArgument,
       "--gateway: the name \"b \" must have"},
      {"a namespace with a dot", [&] { return Of("a.b", "c"); }, absl::StatusCode::kInvalidArgument,
       "--gateway: the namespace \"a.b\" must have"},
      {"no such folder", [&] { return In(Path("none")); }, absl::StatusCode::kInvalidArgument,
       Concat("--state_dir: ", Path("none"), ": no such file or directory")},
      {"a file as folder", [&] { return In(Make("file", "x")); }, absl::StatusCode::kInvalidArgument,
       Concat("--state_dir: ", Path("file"), ": is no folder")},
      {"a folder in which nothing can be made", [&] { return In("/proc/self"); }, absl::StatusCode::kInvalidArgument,
       "--state_dir: /proc/self: no file can be made in it: "},
      {"a key that is none",
       [&] {
         Options options = Kept();
         options.state_key_file = Make("bad", "x");
         std::filesystem::permissions(Path("bad"), std::filesystem::perms::owner_read);
         return options;
       },
       absl::StatusCode::kFailedPrecondition, Concat("--state_key_file: ", Path("bad"), ": must hold 64")},
      {"no certificate",
       [&] {
         Options options = Secure();
         options.tls_cert = Path("none");
         return options;
       },
       absl::StatusCode::kFailedPrecondition, "--tls_cert: "},
      {"another's key",
       [&] {
         Options options = Secure();
         options.tls_key = options.ca;
         return options;
       },
       absl::StatusCode::kFailedPrecondition, "--tls_cert: "},
  };
  for (const auto& row : kRows) {
    const auto result = StreamOptionsOf(row.options(), files_);
    EXPECT_EQ(result.status().code(), row.code) << row.name << result.status();
    EXPECT_TRUE(base::ToStd(result.status().message()).starts_with(row.says)) << row.name << ": " << result.status();
  }
}

}  // namespace
}  // namespace portico::proxy
