#include "controlplane/crypto/sealer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "api/base/text.h"

namespace portico::openssl {
namespace {

class SealerTest : public testing::Test {
 protected:
  SealerTest() { EXPECT_NE(mkdtemp(folder_.data()), nullptr); }
  ~SealerTest() override { std::filesystem::remove_all(folder_); }

  void WriteKey(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }

  std::string folder_ = testing::TempDir() + "/sealer_XXXXXX";
  std::string path_ = testing::TempDir() + "/none";
};

TEST_F(SealerTest, WhatIsSealedOpensUnderItsNameAlone) {
  const Sealer sealer(std::array<uint8_t, Sealer::kKeyBytes>{1, 2, 3});
  for (const std::string& text : {std::string(), std::string("a key"), std::string(70000, 'x')}) {
    const std::string sealed = sealer.Seal("Secret/default/a", text);
    EXPECT_EQ(sealed.size(), text.size() + 28);
    EXPECT_EQ(*sealer.Open("Secret/default/a", sealed), text);
    EXPECT_EQ(sealer.Open("Secret/default/b", sealed).status().code(), absl::StatusCode::kDataLoss);
  }
  const std::string sealed = sealer.Seal("name", "a key");
  EXPECT_EQ(sealed.find("a key"), std::string::npos);
  EXPECT_NE(sealed, sealer.Seal("name", "a key"));
}

TEST_F(SealerTest, EveryChangedBitAndEveryCutIsNoticed) {
  const Sealer sealer(std::array<uint8_t, Sealer::kKeyBytes>{1, 2, 3});
  const std::string sealed = sealer.Seal("name", "a key");
  for (size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(sealer.Open("name", changed).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
  for (size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(sealer.Open("name", sealed.substr(0, size)).ok());
  const Sealer other(std::array<uint8_t, Sealer::kKeyBytes>{1, 2, 4});
  EXPECT_EQ(other.Open("name", sealed).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SealerTest, AKeyFileIsMadeOnceAndReadAgain) {
  path_ = folder_ + "/key";
  const absl::StatusOr<Sealer> first = Sealer::FromFile(path_);
  ASSERT_TRUE(first.ok()) << first.status();
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(*Sealer::FromFile(path_)->Open("n", first->Seal("n", "text")), "text");
  path_ = folder_ + "/other";
  EXPECT_FALSE(Sealer::FromFile(path_)->Open("n", first->Seal("n", "text")).ok());
}

TEST_F(SealerTest, AKeyFileThatIsWrongIsRefusedInWords) {
  path_ = folder_ + "/key";
  const std::string good(64, 'a');
  const struct {
    const char* name;
    std::string text;
    mode_t mode;
    const char* words;
  } rows[] = {{"open to others", good, 0640, "others may read it"},
              {"short", good.substr(1), 0600, "64 hexadecimal digits"},
              {"long", good + "a", 0600, "64 hexadecimal digits"},
              {"very long", std::string(5000, 'a'), 0600, "64 hexadecimal digits"},
              {"not hexadecimal", good.substr(1) + "g", 0600, "64 hexadecimal digits"},
              {"empty", "", 0600, "64 hexadecimal digits"}};
  for (const auto& row : rows) {
    WriteKey(row.text, row.mode);
    const absl::Status status = Sealer::FromFile(path_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << row.name;
    EXPECT_NE(status.message().find(row.words), absl::string_view::npos) << row.name << ": " << status;
    EXPECT_EQ(status.message().find(good.substr(2)), absl::string_view::npos) << "the key is shown";
  }
  WriteKey(good + "\n");
  EXPECT_TRUE(Sealer::FromFile(path_).ok());
  path_ = folder_ + "/nowhere/key";
  EXPECT_NE(Sealer::FromFile(path_).status().message().find("cannot be made"), absl::string_view::npos);
}

TEST_F(SealerTest, ADigestIsSha256) {
  EXPECT_EQ(Digest("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace portico::openssl
