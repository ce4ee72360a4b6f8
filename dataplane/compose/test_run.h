#ifndef PORTICO_DATAPLANE_COMPOSE_TEST_RUN_H_
#define PORTICO_DATAPLANE_COMPOSE_TEST_RUN_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "dataplane/compose/compose_config.h"
#include "dataplane/compose/composition.h"
#include "dataplane/compose/test_backend.h"

namespace portico::compose {

struct RunOptions {
  std::string_view request = "null";   // JSON
  std::string_view identity = "null";  // JSON
  Limits limits = {};
  Budget* budget = nullptr;
  bool keeps = false;  // does not destroy the composition when it is over
};

// One run of the composition whose `spec` is written as protobuf text; every step may name any Cluster.
class TestRun : private CompositionHandler {
  const bool keeps_;
  base::Arena arena_;
  std::vector<call::Backend*> backends_;

 public:
  explicit TestRun(const std::string& spec, const RunOptions& options = {}) : keeps_(options.keeps) {
    v1::Composition message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("spec {" + spec + "}", &message)) << spec;
    auto plan = BuildPlan(message);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    backends_.assign((*plan)->backends.size(), &backend);
    CompositionInput input{backends_, base::Json(), base::Json(), {{"traceparent", "t"}}, options.budget};
    input.request = base::ParseJson(options.request, arena_).value();
    input.identity = base::ParseJson(options.identity, arena_).value();
    CompositionHandler& handler = *this;
    composition = std::make_unique<Composition>(*plan, std::move(input), handler, options.limits);
    composition->Start();
  }

  // "{…}" of an answer, and " !" with the steps of portico-incomplete; "502 step item reason" of a failure.
  std::string result;
  std::string fields;  // of the answer
  std::string detail;
  int endings = 0;
  FakeBackend backend;
  std::unique_ptr<Composition> composition;

 private:
  void OnAnswer(Answer answer) override {
    ++endings;
    EXPECT_EQ(answer.status, 200);
    result = std::move(answer.content);
    for (const auto& [name, value] : answer.fields) {
      base::AppendTo(fields, base::Concat(name, ": ", value, "\n"));
      if (name == "portico-incomplete") result += " !" + value;
    }
    if (!keeps_) composition.reset();
  }
  void OnFailure(Failure failure) override {
    ++endings;
    result = base::Concat(failure.status, " ", failure.step, failure.item.empty() ? "" : " ", failure.item, ": ",
                          failure.reason);
    detail = failure.detail;
    if (!keeps_) composition.reset();
  }
};

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_TEST_RUN_H_
