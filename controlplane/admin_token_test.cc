#include "controlplane/admin_token.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "api/base/files.h"
#include "api/base/text.h"
#include "controlplane/change/codec.h"
#include "controlplane/crypto/bearer.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/sqlite/sqlite_store.h"
#include "gtest/gtest.h"

namespace portico::controlplane {
namespace {

const std::string kAdmin = base::Concat("kind: Token\nmetadata: {name: root}\nspec: {sha256: ", std::string(64, 'a'),
                                        ", expires: '1970-01-01T00:01:40Z'}\n---\nkind: Role\nmetadata: {name: "
                                        "root}\nspec: {role: Admin, allNamespaces: true, "
                                        "subjects: [{token: root}]}\n");
constexpr int64_t kBefore = 50'000'000, kAfterwards = 100'000'000;  // it expires between

class AdminTokenTest : public testing::Test {
 protected:
  AdminTokenTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    options_.admin_token_file = folder_ + "/token";
    Open();
  }
  ~AdminTokenTest() override { std::filesystem::remove_all(folder_); }

  void Open() {
    changes_.reset();
    changes_ = *change::Changes::Open(*store::sqlite::Open(folder_ + "/db"), change::Codec(std::nullopt), key_pairs_,
                                      [] { return int64_t{1}; }, {100});
  }
  absl::StatusOr<std::string> Prepare(int64_t now = kBefore) {
    return PrepareAdminToken(options_, *changes_, now,
                             [this](std::string_view line) { log_ += base::Concat(line, "\n"); });
  }
  void MakeAdmin() {
    const auto made = changes_->Apply({.resources = test::ReadResources(kAdmin)}, {});
    ASSERT_TRUE(std::holds_alternative<change::Outcome>(made));
  }
  std::string FileText() const { return base::ReadWhole(options_.admin_token_file, 1000).value_or(""); }
  std::string FileToken() const { return FileText().substr(0, FileText().find('\n')); }
  void WriteFile(const std::string& text) const { std::ofstream(options_.admin_token_file) << text; }

  std::string folder_ = testing::TempDir() + "/admin_token_XXXXXX";
  Options options_;
  const test::AnyKeyPair key_pairs_;
  std::unique_ptr<change::Changes> changes_;
  std::string log_;
};

TEST_F(AdminTokenTest, IsMadeOnceAndKept) {
  const absl::StatusOr<std::string> made = Prepare();
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string text = FileText();
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(*made, openssl::BearerDigest(text.substr(0, text.size() - 1)));
  struct stat about{};
  ASSERT_EQ(stat(options_.admin_token_file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_EQ(log_,
            base::Concat("an admin token was written to ", folder_, "/token; it is good until there is an Admin\n"));
  Open();
  EXPECT_EQ(*Prepare(), *made);
  EXPECT_EQ(FileText(), text);
  EXPECT_EQ(changes_->Now()->revision, 0u);
}

TEST_F(AdminTokenTest, EndsWithTheFirstAdmin) {
  const std::string first = *Prepare();
  MakeAdmin();
  ASSERT_TRUE(EndAdminToken(*changes_).ok());
  Open();
  EXPECT_EQ(*Prepare(), "");
  EXPECT_EQ(*Prepare(), "");
  // Nobody is Admin any more: not that one, but a new one.
  const std::string second = *Prepare(kAfterwards);
  EXPECT_NE(second, "");
  EXPECT_NE(second, first);
  EXPECT_EQ(second, openssl::BearerDigest(FileToken()));
}

// The process may have died between the Admin and the note of it.
TEST_F(AdminTokenTest, AStartFindsTheAdmin) {
  const std::string first = *Prepare();
  MakeAdmin();
  Open();
  EXPECT_EQ(*Prepare(), "");
  EXPECT_NE(*Prepare(kAfterwards), first);
}

// For those who are locked out though somebody seems to be Admin.
TEST_F(AdminTokenTest, ANewOneIsMadeAtEachStartThatSaysSo) {
  const std::string first = *Prepare();
  options_.new_admin_token = true;
  const std::string second = *Prepare();
  EXPECT_NE(second, first);
  MakeAdmin();
  log_.clear();
  const std::string third = *Prepare();
  EXPECT_NE(third, "");
  EXPECT_NE(third, second);
  EXPECT_EQ(third, openssl::BearerDigest(FileToken()));
  EXPECT_NE(log_.find("it is good until a change makes somebody Admin"), std::string::npos) << log_;
  Open();
  EXPECT_NE(*Prepare(), third);
  options_.new_admin_token = false;  // it ends with the start
  EXPECT_EQ(*Prepare(), "");
  EXPECT_EQ(**changes_->Fact("admin token"), "");
  // Whoever asked for one is told that there is none.
  options_.new_admin_token = true;
  WriteFile("my notes");
  EXPECT_EQ(Prepare().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdminTokenTest, AFileThatIsNotItsOwnIsLeftAlone) {
  const struct {
    const char* name;
    std::string text;
    bool given;
    std::string says;
  } kRows[] = {
      {"something else", "my notes", true, "holds something else"},
      {"too long", "portico_" + std::string(1000, 'x'), true, "has more than 200 bytes"},
      {"nothing in it", "", true, "holds something else"},
  };
  for (const auto& row : kRows) {
    WriteFile(row.text);
    options_.admin_token_file_given = true;
    const absl::StatusOr<std::string> made = Prepare();
    ASSERT_FALSE(made.ok()) << row.name;
    EXPECT_EQ(made.status().code(), absl::StatusCode::kFailedPrecondition) << row.name;
    EXPECT_NE(std::string(made.status().message()).find(row.says), std::string::npos) << made.status();
    options_.admin_token_file_given = false;
    log_.clear();
    EXPECT_EQ(*Prepare(), "") << row.name;
    EXPECT_NE(log_.find("there is no admin token: --admin_token_file="), std::string::npos) << log_;
    EXPECT_EQ(base::ReadWhole(options_.admin_token_file, 10'000).value_or("?"), row.text) << row.name;
  }
}

TEST_F(AdminTokenTest, AnOldTokenInTheFileIsReplaced) {
  const std::string first = *Prepare();
  WriteFile(openssl::NewBearer("portico"));  // of a store that was here before
  const std::string second = *Prepare();
  EXPECT_NE(second, first);
  EXPECT_EQ(second, openssl::BearerDigest(FileToken()));
  std::filesystem::remove(options_.admin_token_file);
  EXPECT_NE(*Prepare(), second);
}

TEST_F(AdminTokenTest, AFolderThatIsNotThere) {
  options_.admin_token_file = folder_ + "/none/token";
  EXPECT_EQ(*Prepare(), "");
  EXPECT_NE(log_.find("there is no admin token: "), std::string::npos) << log_;
  options_.admin_token_file_given = true;
  EXPECT_EQ(Prepare().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace portico::controlplane
