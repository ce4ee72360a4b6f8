#include "dataplane/source/state_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "api/base/files.h"
#include "api/base/text.h"
#include "dataplane/source/versions_for_test.h"

namespace portico::source {
namespace {

using base::Concat;
using namespace for_test;

constexpr crypto::Sealer::Key kKey{1, 2, 3};
constexpr crypto::Sealer::Key kOtherKey{3, 2, 1};
const ResourceKey kGateway{"Gateway", "shop", "public"};

class StateFileTest : public testing::Test {
 protected:
  StateFileTest() { EXPECT_NE(mkdtemp(folder_.data()), nullptr); }
  ~StateFileTest() override { std::filesystem::remove_all(folder_); }
  static SavedState State() {
    return {kGateway, "epoch", 41, "d1ge57",
            Parse({"Gateway shop/public@e.1 {listeners: [{name: http, port: 80}]}",
                   "Cluster shop/c@e.41 {endpoints: [{address: 127.0.0.1, port: 1}]}"})};
  }
  std::string folder_ = testing::TempDir() + "/state_XXXXXX";
};

TEST_F(StateFileTest, WhatIsWrittenIsRead) {
  const StateFile file(folder_, kGateway, kKey);
  EXPECT_EQ(file.path(), folder_ + "/shop.public.state");
  EXPECT_EQ(file.Read().status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(file.Write(State()).ok());
  const absl::StatusOr<SavedState> state = file.Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->gateway, kGateway);
  EXPECT_EQ(state->epoch, "epoch");
  EXPECT_EQ(state->revision, 41u);
  EXPECT_EQ(state->digest, "d1ge57");
  EXPECT_EQ(Text(state->resources), "Cluster shop/c@e.41, Gateway shop/public@e.1");
  EXPECT_EQ(state->resources.begin()->second.resource->cluster().spec().endpoints(0).port(), 1u);
}

TEST_F(StateFileTest, NothingOfItCanBeRead) {
  const StateFile file(folder_, kGateway, kKey);
  ASSERT_TRUE(file.Write(State()).ok());
  EXPECT_EQ(base::ReadWhole(file.path(), 1 << 20)->find("127.0.0.1"), std::string::npos);
}

TEST_F(StateFileTest, WhatIsNotAsItWasIsRefused) {
  const struct {
    std::string_view name;
    std::function<void(std::string&)> spoil;
    std::string_view says;
  } kRows[] = {
      {"empty", [](std::string& bytes) { bytes.clear(); }, "no state of this release"},
      {"of another format", [](std::string& bytes) { bytes[14] = '2'; }, "no state of this release"},
      {"cut off in its first line", [](std::string& bytes) { bytes.resize(25); }, "another key"},
      {"cut off", [](std::string& bytes) { bytes.resize(bytes.size() - 1); }, "cut off"},
      {"cut off early", [](std::string& bytes) { bytes.resize(bytes.find('\n') + 3); }, "cut off"},
      {"a bit", [](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; }, "changed"},
      {"a byte more", [](std::string& bytes) { bytes += 'x'; }, "changed"},
  };
  const StateFile file(folder_, kGateway, kKey);
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    ASSERT_TRUE(file.Write(State()).ok());
    std::string bytes = *base::ReadWhole(file.path(), 1 << 20);
    row.spoil(bytes);
    std::ofstream(file.path(), std::ios::binary) << bytes;
    const absl::StatusOr<SavedState> state = file.Read();
    ASSERT_FALSE(state.ok());
    EXPECT_EQ(state.status().code(), absl::StatusCode::kDataLoss);
    const std::string_view words = base::ToStd(state.status().message());
    EXPECT_TRUE(words.starts_with(file.path() + ": ")) << words;
    EXPECT_NE(words.find(row.says), std::string_view::npos) << words;
  }
}

TEST_F(StateFileTest, AnotherKeyAndAnotherGatewayAreTold) {
  ASSERT_TRUE(StateFile(folder_, kGateway, kKey).Write(State()).ok());
  const absl::StatusOr<SavedState> other = StateFile(folder_, kGateway, kOtherKey).Read();
  EXPECT_NE(base::ToStd(other.status().message()).find("another key"), std::string_view::npos) << other.status();
  const StateFile moved(folder_, {"Gateway", "shop", "private"}, kKey);
  std::filesystem::rename(folder_ + "/shop.public.state", moved.path());
  EXPECT_EQ(moved.Read().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(StateFileTest, AKeyIsMadeOnlyWhereNothingIsSealed) {
  const std::string path = folder_ + "/key";
  const auto made = StateFile::ReadKey(path, folder_);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(*StateFile::ReadKey(path, folder_), *made);
  ASSERT_TRUE(StateFile(folder_, kGateway, *made).Write(State()).ok());
  const auto mistyped = StateFile::ReadKey(folder_ + "/kye", folder_);
  EXPECT_EQ(mistyped.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/kye"));
  EXPECT_FALSE(StateFile::ReadKey(folder_ + "/kye", folder_ + "/none").ok());
}

// Each in a process, all at once.
TEST_F(StateFileTest, ProcessesThatBeginTogetherGetOneKey) {
  constexpr int kProcesses = 8;
  for (int round = 0; round < 20; ++round) {
    const std::string path = Concat(folder_, "/key", round);
    int start[2], keys[2];
    ASSERT_EQ(pipe(start), 0);
    ASSERT_EQ(pipe(keys), 0);
    for (int i = 0; i < kProcesses; ++i) {
      if (fork() != 0) continue;
      close(start[1]);
      char nothing;
      (void)!read(start[0], &nothing, 1);
      const auto key = StateFile::ReadKey(path, folder_);
      (void)!write(keys[1], key.ok() ? key->data() : crypto::Sealer::Key().data(), sizeof(crypto::Sealer::Key));
      _exit(0);
    }
    close(start[0]);
    close(start[1]);
    close(keys[1]);
    std::set<std::string> made;
    char key[sizeof(crypto::Sealer::Key)];
    while (read(keys[0], key, sizeof key) == sizeof key)
      made.emplace(key, sizeof key);
    close(keys[0]);
    while (wait(nullptr) > 0) {
    }
    const auto kept = StateFile::ReadKey(path, folder_);
    ASSERT_TRUE(kept.ok()) << kept.status();
    EXPECT_EQ(made, std::set<std::string>({std::string(kept->begin(), kept->end())}));
  }
}

TEST_F(StateFileTest, OneAtATimeMayWrite) {
  const StateFile file(folder_, kGateway, kKey);
  absl::StatusOr<base::FileDescriptor> lock = file.Lock();
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::StatusOr<base::FileDescriptor> second = StateFile(folder_, kGateway, kKey).Lock();
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(base::ToStd(second.status().message()),
            Concat(folder_, "/shop.public.lock: process ", getpid(), " has it"));
  EXPECT_TRUE(StateFile(folder_, {"Gateway", "shop", "private"}, kKey).Lock().ok()) << "another file's";
  EXPECT_FALSE(StateFile(folder_ + "/none", kGateway, kKey).Lock().ok());
  lock->Reset();
  EXPECT_TRUE(file.Lock().ok());
}

TEST_F(StateFileTest, AFolderIsJudged) {
  EXPECT_TRUE(StateFile::CheckFolder(folder_).ok());
  std::ofstream(folder_ + "/file") << "x";
  const struct {
    std::string folder, says;
  } kRows[] = {
      {folder_ + "/none", folder_ + "/none: no such file or directory"},
      {folder_ + "/file", folder_ + "/file: is no folder"},
      {"/proc/self/fdinfo", "/proc/self/fdinfo: no file can be made in it: "},
  };
  for (const auto& row : kRows) {
    const absl::Status status = StateFile::CheckFolder(row.folder);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.folder;
    EXPECT_TRUE(base::ToStd(status.message()).starts_with(row.says)) << status;
  }
}

}  // namespace
}  // namespace portico::source
