#include "dataplane/compose/composition.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/compose/compose_config.h"

namespace portico::compose {
namespace {

// Keeps what was started, in order; the test plays the origin.
class FakeBackend : public call::Backend {
 public:
  struct Started {
    std::string target;
    call::CallHandler* handler;  // nullptr: cancelled or over
    base::Arena* arena;
  };

  std::string_view name() const override { return "default/fake"; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override {
    EXPECT_EQ(request.head->method, "GET");
    EXPECT_EQ(request.head->fields.Find("traceparent"), "t");
    EXPECT_EQ(request.head->fields.size(), 2U);  // that and accept
    started_.push_back({std::string(request.head->path), &handler, request.arena});
    return std::make_unique<FakeCall>(*this, started_.size() - 1);
  }

  size_t UnderWay() const {
    size_t count = 0;
    for (const Started& call : started_)
      count += call.handler != nullptr ? 1 : 0;
    return count;
  }
  // "ok:BODY", "type:BODY", "encoded:BODY", "404:" or "error:"; false: there was no such call any more.
  bool Answer(size_t place, std::string_view script) {
    if (place >= started_.size() || started_[place].handler == nullptr) return false;
    const std::string_view kind = script.substr(0, script.find(':'));
    const std::string_view body = script.substr(kind.size() + 1);
    if (kind == "error") {
      started_[place].handler->OnError({call::ErrorKind::kHttpResponseTimeout, false, "late"});
      return true;
    }
    http::ResponseHead head(*started_[place].arena);
    head.status = static_cast<int>(base::ParseDecimal(kind).value_or(200));
    head.fields.Add("content-type", kind == "type" ? "text/html" : "application/vnd.x+json; charset=utf-8");
    if (kind == "encoded") head.fields.Add("content-encoding", "gzip");
    started_[place].handler->OnResponse(std::move(head));
    if (started_[place].handler != nullptr) started_[place].handler->OnContent(base::Slice::Copy(body));
    if (started_[place].handler != nullptr) started_[place].handler->OnTrailers(http::Fields(*started_[place].arena));
    if (started_[place].handler != nullptr) started_[place].handler->OnEnd();
    return true;
  }

  std::vector<Started> started_;

 private:
  class FakeCall : public call::Call {
   public:
    FakeCall(FakeBackend& owner, size_t place) : owner_(owner), place_(place) {}
    ~FakeCall() override { owner_.started_[place_].handler = nullptr; }
    void SendContent(base::Buffer&, bool) override {}
    void SendTrailers(const http::Fields&) override {}
    size_t Unsent() const override { return 0; }
    void Consumed(size_t) override {}
    call::CallFacts facts() const override { return {}; }

   private:
    FakeBackend& owner_;
    const size_t place_;
  };
};

// A whole run: $orders, then $stock for each of its items, two at a time.
struct Exchange : CompositionHandler {
  explicit Exchange(const std::string& rule, const Limits& limits = {}) {
    v1::Composition message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(spec {
      steps { name: "stock" for_each { items: "$orders.body[]" parallel: 2 }
              call { backend_ref { name: "s" } path: "/stock/${each}" } absent_on: 404 )" +
                                                                  rule + R"( }
      steps { name: "orders" call { backend_ref { name: "s" } path: "/orders" } }
      answer { body: "{stock: $stock | with_entries({key: .key, value: .value.body}), failures: $failures}" } })",
                                                              &message));
    auto plan = BuildPlan(message);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    composition = std::make_unique<Composition>(
        *plan, CompositionInput{backends, base::Json(), base::Json(), {{"traceparent", "t"}}}, *this, limits);
    composition->Start();
  }
  void OnAnswer(Answer answer) override {
    result = answer.content;
    for (const auto& [name, value] : answer.fields)
      if (name == "portico-incomplete") result += " " + value;
    composition.reset();
  }
  void OnFailure(Failure failure) override {
    result = base::Concat(failure.status, " ", failure.step, " ", failure.item, " ", failure.reason);
    composition.reset();
  }

  FakeBackend backend;
  call::Backend* backends[1] = {&backend};
  std::string result;
  std::unique_ptr<Composition> composition;
};

constexpr char kNull[] = "on_failure: ON_FAILURE_USE_NULL";
constexpr char kFallback[] = "on_failure: ON_FAILURE_USE_FALLBACK fallback { number_value: 7 }";

TEST(CompositionTest, RulesOfFailure) {
  std::string many = "ok:[";
  for (int i = 0; i < 101; ++i)
    many += base::Concat(i == 0 ? "" : ",", i);
  many += "]";
  const std::string large = "ok:\"" + std::string(2 << 20, 'x') + "\"";
  const std::string ab = R"(ok:["a","b","a"])";
  const struct {
    std::string_view name;
    std::string rule;
    std::vector<std::string> answers;
    std::string_view result;
  } rows[] = {
      {"whole", "", {ab, "ok:1", "ok:2"}, R"({"stock":{"a":1,"b":2},"failures":[]})"},
      {"absent", "", {ab, "404:", "ok:2"}, R"({"stock":{"a":null,"b":2},"failures":[]})"},
      {"no items", "", {"ok:[]"}, R"({"stock":{},"failures":[]})"},
      {"fail", "", {ab, "503:"}, "502 stock a status 503"},
      {"not relayed", "", {"401:"}, "502 orders  status 401"},
      {"timeout", "", {"error:"}, "504 orders  http_response_timeout"},
      {"type", "", {"type:1"}, "502 orders  not JSON"},
      {"encoded", "", {"encoded:1"}, "502 orders  content is encoded"},
      {"malformed", "", {"ok:{"}, "502 orders  malformed JSON"},
      {"large", "", {large}, "502 orders  content is too large"},
      {"101 items", "", {many}, "502 stock  too many items"},
      {"item type", "", {"ok:[null]"}, "502 stock  an item is neither string nor number"},
      {"input", "", {"ok:[\"\"]"}, "502 stock  input is missing"},
      {"null",
       kNull,
       {ab, "503:", "ok:2"},
       R"({"stock":{"a":null,"b":2},"failures":[{"step":"stock","item":"a","reason":"status 503"}]} stock)"},
      {"fallback",
       kFallback,
       {ab, "ok:1", "error:"},
       R"({"stock":{"a":1,"b":7},"failures":[{"step":"stock","item":"b","reason":"http_response_timeout"}]} stock)"},
      {"items, null",
       kNull,
       {"ok:3"},
       R"({"stock":{},"failures":[{"step":"stock","item":null,"reason":"items can't be told"}]} stock)"},
  };
  for (const auto& row : rows) {
    Exchange run(row.rule);
    for (size_t i = 0; i < row.answers.size(); ++i)
      EXPECT_TRUE(run.backend.Answer(i, row.answers[i])) << row.name;
    EXPECT_EQ(run.result, row.result) << row.name;
    EXPECT_EQ(run.backend.UnderWay(), 0U) << row.name;
  }
}

TEST(CompositionTest, ParallelIsBoundedAndItemsKeepTheirOrder) {
  Exchange run("");
  ASSERT_EQ(run.backend.started_.size(), 1U);
  run.backend.Answer(0, "ok:[3,1,2,1]");
  EXPECT_EQ(run.backend.UnderWay(), 2U);
  EXPECT_EQ(run.backend.started_[2].target, "/stock/1");
  run.backend.Answer(2, "ok:\"y\"");
  EXPECT_EQ(run.backend.UnderWay(), 2U);
  run.backend.Answer(3, "ok:\"z\"");
  run.backend.Answer(1, "ok:\"x\"");
  EXPECT_EQ(run.result, R"({"stock":{"3":"x","1":"y","2":"z"},"failures":[]})");
}

TEST(CompositionTest, TheClientLeavesAfterEachEvent) {
  for (size_t events = 0; events < 4; ++events) {
    Exchange run("");
    const std::string answers[] = {"ok:[1,2,3]", "ok:1", "ok:2"};
    for (size_t i = 0; i < events; ++i)
      run.backend.Answer(i, answers[i]);
    EXPECT_GT(run.backend.UnderWay(), 0U);
    run.composition.reset();
    EXPECT_EQ(run.backend.UnderWay(), 0U) << events;
    EXPECT_EQ(run.result, "") << events;
  }
}

}  // namespace
}  // namespace portico::compose
