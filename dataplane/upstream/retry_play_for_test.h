#ifndef PORTICO_DATAPLANE_UPSTREAM_RETRY_PLAY_FOR_TEST_H_
#define PORTICO_DATAPLANE_UPSTREAM_RETRY_PLAY_FOR_TEST_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/random.h"
#include "dataplane/call/retry.h"
#include "dataplane/upstream/cluster_for_test.h"

namespace portico::upstream::for_test {

inline std::shared_ptr<const route::RetryPlan> Plan(const route::RetryPlan& plan) {
  return std::make_shared<const route::RetryPlan>(plan);
}

using Ports = std::vector<uint16_t>;

// What the origin servers do with each request, one word after another, whichever of them it reaches:
//   503            an answer with two bytes of content        503 empty     … with none
//   503 large      … with a megabyte of which little comes    503 after 5   … that asks to wait
//   503 half       … with half of its content                 503 head      … to HEAD, of a megabyte
//   200 half       an answer that breaks off                  103 reset     an early hint, then a reset
//   reset, silent  and `refuse`: no connection
struct Play {
  explicit Play(const Ports& ports = {9001, 9002}, std::vector<std::string> what = {})
      : world(Config(ports)), script(std::move(what)) {
    plan.codes = {503};
    plan.backoff = milliseconds(20);
  }

  void Start(Caller& caller, std::optional<base::Duration> timeout = std::nullopt) {
    caller.retry = {Plan(plan), &random, &budget, deadline};
    caller.Start(*world.cluster, timeout);
  }
  // Until nothing more happens by itself.
  void Run() {
    world.loop.Turn();
    for (size_t i = 0; i < world.network.connects.size(); ++i) {
      test::FarEnd& far = world.far(i);
      if (far.destroyed || (far.open && far.written.empty())) continue;
      Act(far);
      world.loop.Turn();
      i = SIZE_MAX;  // what was heard may have sent something over any connection
    }
  }
  void RunUntilOver(Caller& caller, base::Duration step = milliseconds(10)) {
    Run();
    for (int i = 0; i < 500 && !caller.over(); ++i) {
      world.loop.Turn(step);
      Run();
    }
  }
  void Act(test::FarEnd& far) {
    const bool refuses = next < script.size() && script[next] == "refuse";
    if (!far.open) {
      next += refuses ? 1 : 0;
      return far.Open(!refuses);
    }
    sent.push_back(far.TakeWritten());
    ports.push_back(far.address.port());
    times.push_back(world.loop.Now());
    if (next == script.size()) return ADD_FAILURE() << "a request too many: " << sent.back();
    Answer(far, script[next++]);
  }
  static void Answer(test::FarEnd& far, const std::string& word) {
    const std::string head = base::Concat("HTTP/1.1 ", word.substr(0, 3), " X\r\n");
    if (word == "silent") return;
    if (word == "103 reset") far.Say(base::Concat(head, "link: </a>\r\n\r\n"));
    if (word.ends_with("reset")) return far.Fail();
    if (word.ends_with("empty")) return far.Say(base::Concat(head, "content-length: 0\r\n\r\n"));
    if (word.ends_with("head")) return far.Say(base::Concat(head, "content-length: 1000000\r\n\r\n"));
    if (word == "503 half") return far.Say(base::Concat(head, "content-length: 2\r\n\r\no"));
    if (word.ends_with("large")) return far.Say(base::Concat(head, "content-length: 1000000\r\n\r\nlittle"));
    std::string more = word.size() > 10 ? base::Concat("retry-after: ", word.substr(10), "\r\n") : "";
    far.Say(base::Concat(head, more, "content-length: 2\r\n\r\n", word.ends_with("half") ? "o" : "ok"));
    if (word.ends_with("half")) far.End();
  }
  std::string Retries() const { return CountingObserver::Text(world.observer.retries); }

  World world;
  route::RetryPlan plan;
  base::Random random{1};
  call::ReplayBudget budget;
  std::optional<base::MonotonicTime> deadline;
  std::vector<std::string> script;
  size_t next = 0;  // of it
  std::vector<std::string> sent;
  Ports ports;
  std::vector<base::MonotonicTime> times;
};

}  // namespace portico::upstream::for_test

#endif  // PORTICO_DATAPLANE_UPSTREAM_RETRY_PLAY_FOR_TEST_H_
