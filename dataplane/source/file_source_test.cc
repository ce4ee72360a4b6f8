#include "dataplane/source/file_source.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/yaml/disk.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/event/timer.h"
#include "dataplane/tls/ticket_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/support/key_material.h"

namespace portico::source {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A configuration that says which one it is.
std::string Says(std::string_view word, std::string_view more = "") {
  return base::Concat(
      "kind: Gateway\nmetadata: {name: ", word,
      "}\nspec:\n  listeners: [{name: http, port: 80, protocol: HTTP}]\n---\nkind: Route\nmetadata: {name: r}\nspec: "
      "{rules: [{filters: [{directResponse: {status: 200}}]}]}\n",
      more);
}

constexpr char kSecret[] =
    "---\nkind: Secret\nmetadata: {name: s}\nspec:\n  tls: {certificate: {file: tls/crt}, privateKey: {file: "
    "tls/key}}\n";

// The disk, with a gate in front of one reading.
class GatedReader : public yaml::DiskReader {
 public:
  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override {
    ++count;
    absl::StatusOr<std::string> content = yaml::DiskReader::Read(path, bytes_max);
    if (std::exchange(gated, false)) {
      begun.set_value();
      let_go.get_future().wait();
    }
    return content;
  }

  // Set while nothing is being built.
  bool gated = false;
  int count = 0;
  std::promise<void> begun;
  std::promise<void> let_go;
};

class FileSourceTest : public testing::Test, protected FileSource::Handler, private event::Timer::Handler {
 protected:
  FileSourceTest() : folder_(fs::path(testing::TempDir()) / "file_source_test") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FileSourceTest() override {
    source_.reset();
    fs::remove_all(folder_);
  }

  void Write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

  void Start(const std::string& name) {
    FileSource::Options options;
    options.path = (folder_ / name).string();
    options.build.ticket_keys = tls::TicketKeys::Generate();
    auto source = FileSource::Start(loop_, std::move(options), files_, key_pairs_, *this);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    source_->Reload();
  }

  void OnCandidate(Candidate candidate) override {
    candidates_.push_back(std::move(candidate));
    if (then_) then_();
  }

  // The next candidate: "front" (its gateway) or its first finding.
  std::string Next() {
    for (Set(std::chrono::seconds(30)); !late_ && next_ == candidates_.size();)
      loop_.Turn(true);
    if (late_) return "nothing";
    const Candidate& candidate = candidates_[next_++];
    if (candidate.snapshot == nullptr) return candidate.findings.at(0).ToString();
    return candidate.snapshot->gateway.substr(8);
  }

  // How many candidates come within some time in which a change would have been told.
  size_t Settle() {
    for (Set(6 * event::FileWatch::kQuiet); !late_;)
      loop_.Turn(true);
    return candidates_.size() - std::exchange(next_, candidates_.size());
  }

  void AwaitIdle() {
    while (source_->building())
      loop_.Turn(true);
  }

  void Set(base::Duration delay) {
    late_ = false;
    timer_.Set(loop_.Now() + delay);
  }
  void OnTimer(event::Timer&) override { late_ = true; }

  const fs::path folder_;
  event::LibeventLoop loop_;
  event::Timer timer_{loop_.timers(), *this};
  bool late_ = false;
  GatedReader files_;
  const crypto::BoringKeyPairChecker key_pairs_;
  std::vector<Candidate> candidates_;
  size_t next_ = 0;
  std::function<void()> then_;
  std::unique_ptr<FileSource> source_;
};

TEST_F(FileSourceTest, Changes) {
  const auto at = [this](const std::string& name) { return folder_ / name; };
  const auto rename = [&](const std::string& text) {
    Write("new", text);
    fs::rename(at("new"), at("f.yaml"));
  };
  Write("f.yaml", Says("one"));
  Start("f.yaml");
  const struct {
    const char* name;
    std::function<void()> act;
    std::string want;  // a part
  } kRows[] = {
      {"the first one", [] {}, "one"},
      {"written in place", [&] { Write("f.yaml", Says("two")); }, "two"},
      {"renamed over", [&] { rename(Says("three")); }, "three"},
      {"misspelt", [&] { rename(Says("four", "---\nkind: Cluster\nmetadata: {name: c}\nspec: {endpoint: []}\n")); },
       "f.yaml:12: spec: unknown field `endpoint`"},
      {"mended", [&] { rename(Says("five")); }, "five"},
      {"gone", [&] { fs::remove(at("f.yaml")); }, "f.yaml"},
      {"back", [&] { rename(Says("six")); }, "six"},
      {"asked for", [&] { source_->Reload(); }, "six"},
      {"touched", [&] { Write("f.yaml", Says("six")); }, "six"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    row.act();
    EXPECT_THAT(Next(), HasSubstr(row.want));
  }
  EXPECT_EQ(Settle(), 0u);
}

TEST_F(FileSourceTest, Folder) {
  fs::create_directories(folder_ / "v1");
  Write("v1/a.yaml", Says("one"));
  fs::create_symlink("v1", folder_ / "now");
  Start("now/");
  EXPECT_EQ(Next(), "one");
  Write("v1/b.yaml", "kind: Cluster\nmetadata: {name: c}\nspec: {endpoints: [{address: 127.0.0.1, port: 1}]}\n");
  EXPECT_EQ(Next(), "one");
  fs::create_directories(folder_ / "v2");
  Write("v2/a.yaml", Says("two"));
  fs::create_symlink("v2", folder_ / "next");
  fs::rename(folder_ / "next", folder_ / "now");
  EXPECT_EQ(Next(), "two");
  EXPECT_EQ(Settle(), 0u);
}

// As Kubernetes mounts it: files are links through one link, which is swapped.
TEST_F(FileSourceTest, LinkBetween) {
  for (const char* version : {"v1", "v2"}) {
    fs::create_directories(folder_ / version);
    Write(base::Concat(version, "/a.yaml"), Says(version));
  }
  fs::create_symlink("v1", folder_ / "..data");
  fs::create_symlink("..data/a.yaml", folder_ / "a.yaml");
  Start("");
  EXPECT_EQ(Next(), "v1");
  fs::create_symlink("v2", folder_ / "..next");
  fs::rename(folder_ / "..next", folder_ / "..data");
  EXPECT_EQ(Next(), "v2");
}

TEST_F(FileSourceTest, NoFolderYet) {
  Start("later");
  EXPECT_THAT(Next(), HasSubstr("later"));
  fs::create_directories(folder_ / "later");
  Write("later/a.yaml", Says("one"));
  // The folder alone may be told first.
  std::string got = Next();
  if (got != "one") got = Next();
  EXPECT_EQ(got, "one");
}

TEST_F(FileSourceTest, FilesOfSecrets) {
  fs::create_directories(folder_ / "tls");
  Write("tls/crt", test::k_rsa2048_certificate);
  Write("tls/key", test::k_rsa2048_key);
  Write("f.yaml", Says("one", kSecret));
  Start("f.yaml");
  EXPECT_EQ(Next(), "one");
  AwaitIdle();
  EXPECT_EQ(Settle(), 0u) << "it looks again because they were not watched while it read, and nothing is new";
  Write("tls/key", test::k_other_key);
  EXPECT_THAT(Next(), HasSubstr("the private key does not belong to the certificate"));
  Write("tls/key", test::k_rsa2048_key);
  EXPECT_EQ(Next(), "one");
  AwaitIdle();
  fs::remove(folder_ / "tls/crt");
  EXPECT_THAT(Next(), HasSubstr("spec.tls.certificate.file"));
  Write("tls/crt", test::k_rsa2048_certificate);
  EXPECT_EQ(Next(), "one");
  AwaitIdle();
  Write("f.yaml", Says("two"));
  EXPECT_EQ(Next(), "two");
  EXPECT_EQ(Settle(), 0u);
  Write("tls/key", "rubbish");
  EXPECT_EQ(Settle(), 0u) << "nobody refers to it any more";
}

TEST_F(FileSourceTest, ChangesWhileOneIsBuiltBecomeOneMore) {
  Write("f.yaml", Says("one"));
  files_.gated = true;
  Start("f.yaml");
  files_.begun.get_future().wait();
  for (const char* word : {"two", "three", "four"}) {
    Write("f.yaml", Says(word));
    EXPECT_EQ(Settle(), 0u) << "the loop goes on, and nothing else is begun";
  }
  source_->Reload();
  files_.let_go.set_value();
  EXPECT_EQ(Next(), "one");
  EXPECT_EQ(Next(), "four");
  EXPECT_EQ(Settle(), 0u);
  EXPECT_EQ(files_.count, 2);
}

TEST_F(FileSourceTest, DestroyedWhileOneIsBuilt) {
  Write("f.yaml", Says("one"));
  files_.gated = true;
  Start("f.yaml");
  files_.begun.get_future().wait();
  source_->Reload();
  std::thread later([this] { files_.let_go.set_value(); });
  source_.reset();
  later.join();
  EXPECT_EQ(Settle(), 0u);
  EXPECT_EQ(files_.count, 1);
}

TEST_F(FileSourceTest, DestroyedByItsHandler) {
  Write("f.yaml", Says("one"));
  then_ = [this] { source_.reset(); };
  Start("f.yaml");
  source_->Reload();  // one more, which nobody hears of
  EXPECT_EQ(Next(), "one");
  EXPECT_EQ(Settle(), 0u);
}

// A refused one leaves the others as they are: the holder's snapshot is its own.
TEST_F(FileSourceTest, RefusedLeavesNoTrace) {
  Write("f.yaml", Says("one"));
  Start("f.yaml");
  EXPECT_EQ(Next(), "one");
  const std::shared_ptr<const snapshot::Snapshot> running = std::move(candidates_[0].snapshot);
  Write("f.yaml", "kind: [");
  EXPECT_THAT(Next(), HasSubstr("f.yaml:"));
  EXPECT_EQ(candidates_[1].snapshot, nullptr);
  EXPECT_EQ(running.use_count(), 1) << "the source holds none itself";
  EXPECT_EQ(running->gateway, "default/one");
}

}  // namespace
}  // namespace portico::source
