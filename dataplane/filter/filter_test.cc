#include "dataplane/filter/filter.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "dataplane/base/time.h"
#include "dataplane/filter/problem.h"
#include "dataplane/filter/runner.h"

namespace portico::filter {
namespace {

// What a filter of the test does when asked. Every call is written to `log`.
struct Script {
  std::string* log;
  std::vector<Resume>* handles;
  std::string name;
  std::function<Verdict(Resume)> act;
  std::function<void()> destroyed;
};

class ScriptedFilter : public Filter {
 public:
  explicit ScriptedFilter(const Script& script) : script_(script) {}
  ~ScriptedFilter() override {
    if (script_.destroyed) script_.destroyed();
  }
  Verdict OnRequestHead(FilterContext&, Resume resume) override {
    *script_.log += script_.name + " ";
    script_.handles->push_back(resume);
    return script_.act(resume);
  }
  void OnResponseHead(FilterContext&, http::ResponseHead& head) override {
    *script_.log += "~" + script_.name + " ";
    head.fields.Add("x-seen", script_.name);
  }

 private:
  const Script& script_;
};

class ScriptedConfig : public FilterConfig {
 public:
  explicit ScriptedConfig(Script script) : script_(std::move(script)) {}
  std::unique_ptr<Filter> MakeFilter(WorkerSlots&) const override { return std::make_unique<ScriptedFilter>(script_); }

 private:
  Script script_;
};

Verdict Teapot() {
  return Reply{.status = 418, .fields = {}, .content = "", .reason = ""};
}

class RunnerTest : public testing::Test, public Runner::Delegate {
 protected:
  using Act = std::function<Verdict(Resume)>;

  void Begin(const std::vector<Act>& acts) {
    runner_.reset();
    handles_.clear();
    std::vector<std::shared_ptr<const FilterConfig>> configs;
    for (size_t i = 0; i < acts.size(); ++i) {
      configs.push_back(
          std::make_shared<ScriptedConfig>(Script{&log_, &handles_, std::string(1, 'a' + i), acts[i], destroyed_}));
    }
    chain_ = Chain(std::move(configs));
    runner_ = std::make_unique<Runner>(chain_, slots_,
                                       FilterContext{request_, "a.example", "/", identity_, base::WallTime()}, *this);
    runner_->Start();  // may drop it
  }
  void OnFiltersPassed() override {
    log_ += "passed ";
    if (drop_when_told_) runner_.reset();
  }
  void OnFiltersReply(Reply reply) override {
    log_ += std::to_string(reply.status) + " ";
    if (drop_when_told_) runner_.reset();
  }

  std::string log_;
  std::vector<Resume> handles_;
  std::function<void()> destroyed_;
  bool drop_when_told_ = false;
  base::Arena arena_;
  http::RequestHead request_{arena_};
  Identity identity_;
  WorkerSlots slots_;
  Chain chain_;
  std::unique_ptr<Runner> runner_;
};

const auto kPass = [](Resume) -> Verdict { return Continue(); };
const auto kWait = [](Resume) -> Verdict { return Wait(); };
const auto kReply = [](Resume) -> Verdict { return Teapot(); };
const auto kPassEarly = [](Resume resume) -> Verdict {
  resume(Continue());
  return Wait();
};
const auto kReplyEarly = [](Resume resume) -> Verdict {
  resume(Teapot());
  resume(Continue());  // the second one counts for nothing
  return Wait();
};
const auto kChattering = [](Resume resume) -> Verdict {
  resume(Teapot());
  return Continue();
};

TEST_F(RunnerTest, RunsInOrder) {
  struct Row {
    std::string_view name;
    std::vector<Act> acts;
    std::string_view log;
  };
  const Row rows[] = {
      {"no filter", {}, "passed "},
      {"all pass", {kPass, kPass}, "a b passed "},
      {"the first replies", {kReply, kPass}, "a 418 "},
      {"the last replies", {kPass, kReply}, "a b 418 "},
      {"waits", {kPass, kWait, kPass}, "a b "},
      {"resumed before it waits", {kPassEarly, kPass}, "a b passed "},
      {"replied before it waits", {kReplyEarly, kPass}, "a 418 "},
      {"resumed without waiting", {kChattering, kWait}, "a b "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    for (const bool drop : {false, true}) {
      drop_when_told_ = drop;
      log_.clear();
      Begin(row.acts);
      EXPECT_EQ(log_, row.log);
    }
  }
}

TEST_F(RunnerTest, ResumesOnceAndOnlyWhoWaits) {
  Begin({kPass, kWait, kWait});
  EXPECT_TRUE(runner_->waiting());
  handles_[0](Teapot());  // did not wait
  EXPECT_EQ(log_, "a b ");
  handles_[1](Continue());
  EXPECT_EQ(log_, "a b c ");
  handles_[1](Teapot());  // a second time
  EXPECT_EQ(log_, "a b c ");
  handles_[2](Teapot());
  EXPECT_EQ(log_, "a b c 418 ");
  handles_[2](Continue());
  EXPECT_EQ(log_, "a b c 418 ");
  EXPECT_FALSE(runner_->waiting());
}

TEST_F(RunnerTest, AHandleOutlivesTheExchange) {
  Begin({kWait, kPass});
  const Resume copy = handles_[0];
  handles_.clear();  // dropped: nothing happens
  EXPECT_TRUE(runner_->waiting());
  runner_.reset();
  copy(Continue());
  EXPECT_EQ(log_, "a ");
}

TEST_F(RunnerTest, TheExchangeMayEndInsideAResumption) {
  // The filters' destructors call their handles too, while one is in use further up the stack.
  destroyed_ = [this] {
    for (const Resume& handle : handles_)
      handle(Teapot());
  };
  drop_when_told_ = true;
  Begin({kPass, kWait});
  const Resume handle = handles_[1];
  handle(Continue());
  EXPECT_EQ(runner_, nullptr);
  EXPECT_EQ(log_, "a b passed ");
}

TEST_F(RunnerTest, ResponsesComeBackThroughThoseThatWereAsked) {
  struct Row {
    std::string_view name;
    std::vector<Act> acts;
    std::string_view log;
  };
  const Row rows[] = {
      {"all", {kPass, kPass}, "a b passed ~b ~a "},
      {"up to who replied", {kPass, kReply, kPass}, "a b 418 ~b ~a "},
      {"up to who waits", {kPass, kWait, kPass}, "a b ~b ~a "},
      {"none", {}, "passed "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    log_.clear();
    Begin(row.acts);
    http::ResponseHead head(arena_);
    runner_->RunResponseHead(head);
    EXPECT_EQ(log_, row.log);
  }
}

TEST(WorkerSlotsTest, KeepsWhatAnOwnerNeeds) {
  WorkerSlots slots;
  auto first = std::make_shared<const int>(1);
  auto second = std::make_shared<const int>(2);
  const std::shared_ptr<std::string> state = slots.Get<std::string>("key", first);
  EXPECT_NE(slots.Get<std::string>("other", second), state);
  EXPECT_NE(static_cast<void*>(slots.Get<std::vector<int>>("key", first).get()), state.get());
  EXPECT_EQ(slots.size(), 3u);
  EXPECT_EQ(slots.Get<std::string>("key", second), state);  // the next configuration, same content
  first.reset();
  slots.Sweep();
  EXPECT_EQ(slots.size(), 2u);
  second.reset();
  slots.Sweep();
  EXPECT_EQ(slots.size(), 0u);
  EXPECT_EQ(*state, "");  // who holds it may go on
}

TEST(ProblemTest, WritesDocuments) {
  struct Row {
    int status;
    std::string_view detail;
    std::string_view content;
  };
  const Row rows[] = {
      {403, "", R"({"type":"about:blank","title":"Forbidden","status":403})"},
      {401, "No.", R"({"type":"about:blank","title":"Unauthorized","status":401,"detail":"No."})"},
      {400, "a \"b\"\n", R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"a \"b\"\n"})"},
      {422, "", R"({"type":"about:blank","title":"Client Error","status":422})"},
      {599, "", R"({"type":"about:blank","title":"Server Error","status":599})"},
  };
  for (const Row& row : rows) {
    const Reply reply = ProblemReply(row.status, row.detail);
    EXPECT_EQ(reply.status, row.status);
    EXPECT_EQ(reply.content, std::string(row.content) + "\n");
    base::Arena arena;
    EXPECT_TRUE(base::ParseJson(reply.content, arena).ok());
    EXPECT_EQ(reply.fields.front().second, "application/problem+json");
  }
}

}  // namespace
}  // namespace portico::filter
