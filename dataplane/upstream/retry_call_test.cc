#include "dataplane/upstream/retry_call.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/random.h"
#include "dataplane/http/h2/recorder_for_test.h"
#include "dataplane/http/h2/server_codec.h"
#include "dataplane/upstream/retry_play_for_test.h"

namespace portico::upstream {
namespace {

using namespace for_test;

TEST(RetryCallTest, WhatIsTriedAgain) {
  struct Row {
    std::string_view name, method;
    uint32_t attempts;
    std::vector<std::string> script;
    int status;  // 0: an error
    Ports ports;
    std::string_view words, outcomes;
  };
  const Row rows[] = {
      {"nothing to try again", "GET", 2, {"200"}, 200, {9001}, "", ""},
      {"a code", "GET", 1, {"503", "200"}, 200, {9001, 9002}, "503", "success 1"},
      {"a code that is not one of the plan's", "GET", 1, {"500"}, 500, {9001}, "", ""},
      {"no attempt is left", "GET", 1, {"503", "503"}, 503, {9001, 9002}, "503", "failure 1"},
      {"the third time", "GET", 2, {"503", "503", "200"}, 200, {9001, 9002, 9001}, "503, 503", "failure 1; success 1"},
      {"idempotent", "DELETE", 1, {"503", "200"}, 200, {9001, 9002}, "503", "success 1"},
      {"not idempotent", "POST", 1, {"503"}, 503, {9001}, "", ""},
      {"not idempotent, and a reset", "POST", 1, {"reset"}, 0, {9001}, "", ""},
      {"a reset", "GET", 1, {"reset", "200"}, 200, {9001, 9002}, "connection_terminated", "success 1"},
      {"resets", "GET", 1, {"reset", "reset"}, 0, {9001, 9002}, "connection_terminated", "failure 1"},
      {"an early hint was passed on",
       "GET",
       1,
       {"103 reset", "200"},
       200,
       {9001, 9002},
       "connection_terminated",
       "success 1"},
      {"another failure each time",
       "GET",
       2,
       {"103 reset", "503", "200"},
       200,
       {9001, 9002, 9001},
       "connection_terminated, 503",
       "failure 1; success 1"},
      {"no connection anywhere", "GET", 1, {"refuse", "refuse", "200"}, 200, {9001}, "connection_refused", "success 1"},
      {"nothing has left, whatever the method",
       "POST",
       1,
       {"refuse", "refuse", "200"},
       200,
       {9001},
       "connection_refused",
       "success 1"},
      {"no connection, ever",
       "GET",
       1,
       {"refuse", "refuse", "refuse", "refuse"},
       0,
       {},
       "connection_refused",
       "failure 1"},
      {"an answer that has begun", "GET", 1, {"200 half"}, 200, {9001}, "", ""},
      {"the answer of the last attempt breaks off",
       "GET",
       1,
       {"503", "200 half"},
       200,
       {9001, 9002},
       "503",
       "success 1"},
      {"it may come at once", "GET", 1, {"503 after 0", "200"}, 200, {9001, 9002}, "503", "success 1"},
      {"the origin asks to wait", "GET", 1, {"503 after 1"}, 503, {9001}, "retry_after", "retry_after 1"},
      {"until a date",
       "GET",
       1,
       {"503 after Fri, 31 Dec 1999 23:59:59 GMT"},
       503,
       {9001},
       "retry_after",
       "retry_after 1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001, 9002}, row.script);
    play.plan.attempts = row.attempts;
    Caller caller(row.method);
    play.Start(caller);
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, row.status);
    EXPECT_TRUE(caller.over());
    EXPECT_EQ(play.ports, row.ports);
    EXPECT_EQ(play.next, row.script.size());
    EXPECT_EQ(caller.call->facts().retries, row.words);
    EXPECT_EQ(play.Retries(), row.outcomes);
    for (const std::string& sent : play.sent)
      EXPECT_EQ(sent, play.sent[0]);
  }
}

TEST(RetryCallTest, MethodsAreThePlans) {
  for (const std::string failure : {"503", "reset"}) {
    for (const std::string_view method : {"GET", "POST"}) {
      Play play({9001, 9002}, {failure, "200"});
      play.plan.methods = {"POST"};
      Caller caller(method);
      play.Start(caller);
      play.RunUntilOver(caller);
      EXPECT_EQ(play.next, method == "POST" ? 2u : 1u) << failure;
      EXPECT_EQ(caller.status == 200, method == "POST") << failure;
    }
  }
}

TEST(RetryCallTest, OnlyTheAnswerThatIsPassedOnIsHeard) {
  Play play({9001, 9002}, {"503", "103 reset", "200"});
  play.plan.attempts = 2;
  Caller caller;
  std::string heard;
  caller.hook = [&](At at) { heard += at == At::kInformational ? "1" : at == At::kResponse ? "r" : "."; };
  play.Start(caller);
  play.RunUntilOver(caller);
  EXPECT_EQ(heard, "1r..");
  EXPECT_EQ(caller.content, "ok");
  const call::CallFacts facts = caller.call->facts();
  EXPECT_EQ(facts.attempts, 3);
  EXPECT_EQ(facts.endpoint, "127.0.0.1:9001");
  EXPECT_GE(facts.before, milliseconds(20 + 40));
}

// Each attempt tells the origin of a span of its own in the same trace: the exchange's plus its number, also if one
// before it found no connection, or was made good at once.
TEST(RetryCallTest, AttemptsHaveSpansOfTheirOwn) {
  struct Row {
    std::string_view name;
    std::vector<std::string> script;
    std::vector<int> spans;
  };
  const Row rows[] = {{"the first", {"200"}, {1}},
                      {"retries", {"503", "reset", "200"}, {1, 2, 3}},
                      {"no connection to one of two", {"refuse", "200"}, {2}},
                      {"and then a retry", {"refuse", "503", "200"}, {2, 3}},
                      {"no connection to either", {"refuse", "refuse", "200"}, {3}}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001, 9002}, row.script);
    play.plan.attempts = 2;
    Caller caller;
    call::Spans spans(0x10);
    char* const digits =
        call::SetTraceparent(caller.head.fields, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000010-01");
    caller.span = {&spans, digits};
    play.Start(caller);
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, 200);
    ASSERT_EQ(play.sent.size(), row.spans.size());
    for (size_t i = 0; i < play.sent.size(); ++i) {
      const std::string field =
          base::Concat("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000001", row.spans[i], "-01");
      EXPECT_NE(play.sent[i].find(field), std::string::npos) << play.sent[i];
    }
    EXPECT_EQ(caller.call->facts().attempts, row.spans.back());
  }
}

// Each at least as long as the plan says, doubled, and at most half as long again (and a tick of the timer each).
TEST(RetryCallTest, PausesAreDoubled) {
  Play play({9001, 9002}, {"503", "503", "503", "503", "200"});
  play.plan.attempts = 4;
  play.plan.backoff = milliseconds(100);
  Caller caller;
  play.Start(caller);
  play.RunUntilOver(caller);
  ASSERT_EQ(play.times.size(), 5u);
  for (size_t i = 0; i < 4; ++i) {
    const base::Duration least = milliseconds(100) * (1 << i);
    EXPECT_GE(play.times[i + 1] - play.times[i], least) << i;
    EXPECT_LE(play.times[i + 1] - play.times[i], least * 3 / 2 + milliseconds(11)) << i;
  }
}

TEST(RetryCallTest, NoPauseIsOverAMinute) {
  Play play({9001, 9002}, {"503", "503", "200"});
  play.plan.attempts = 2;
  play.plan.backoff = seconds(59);
  Caller caller;
  play.Start(caller);
  play.RunUntilOver(caller, milliseconds(500));
  ASSERT_EQ(play.times.size(), 3u);
  EXPECT_GE(play.times[2] - play.times[1], seconds(60));
  EXPECT_LE(play.times[2] - play.times[1], seconds(91));
}

// What ends before an attempt would begin is not begun; and an attempt has its own time.
TEST(RetryCallTest, Timeouts) {
  struct Row {
    std::string_view name, method;
    std::vector<std::string> script;
    base::Duration deadline;
    int status;
    std::optional<ErrorKind> error;
    std::string_view words;
  };
  const ErrorKind late = ErrorKind::kHttpResponseTimeout;
  const Row rows[] = {
      {"an attempt that takes too long", "GET", {"silent", "200"}, seconds(60), 200, {}, "http_response_timeout"},
      {"both of them", "GET", {"silent", "silent"}, seconds(60), 0, late, "http_response_timeout"},
      {"not idempotent", "POST", {"silent"}, seconds(60), 0, late, ""},
      {"the answer of the first is passed on", "GET", {"503"}, milliseconds(20), 503, {}, "deadline"},
      {"so is its failure", "GET", {"silent"}, milliseconds(510), 0, late, "deadline"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001, 9002}, row.script);
    play.deadline = play.world.loop.Now() + row.deadline;
    Caller caller(row.method);
    play.Start(caller, milliseconds(500));
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, row.status);
    EXPECT_EQ(caller.error, row.error);
    EXPECT_EQ(caller.call->facts().retries, row.words);
  }
}

TEST(RetryCallTest, EndpointsThatFailedAreAskedLast) {
  struct Row {
    std::string_view name;
    Ports all;
    std::vector<std::string> script;
    Ports ports;
    bool ejects = false;  // at the first failure, while another one serves
  };
  const Row rows[] = {
      {"in turn", {9001, 9002, 9003}, {"503", "503", "503", "200"}, {9001, 9002, 9003, 9001}},
      {"there is one alone", {9001}, {"503", "503", "503", "200"}, {9001, 9001, 9001, 9001}},
      {"once is better than one that could not be reached", {9001, 9002}, {"503", "refuse", "200"}, {9001, 9001}},
      {"twice is not", {9001, 9002}, {"503", "refuse", "503", "200"}, {9001, 9001, 9002}},
      {"nobody else can be reached yet", {9001, 9002}, {"503", "refuse", "503", "refuse", "200"}, {9001, 9001, 9001}},
      {"once is better than one that is ejected, and twice is not",
       {9001, 9002},
       {"503", "503", "503", "200"},
       {9001, 9002, 9002, 9001},
       true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play(row.all, row.script);
    play.plan.attempts = 3;
    if (row.ejects) {
      play.world.config->ejection = outlier::EjectionRules{.consecutive_failures = 1};
      play.world.cluster->Update(play.world.config);
    }
    Caller caller;
    play.Start(caller);
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, 200);
    EXPECT_EQ(play.ports, row.ports);
  }
}

// The content of a request that is sent again is the same to the byte; one that is not kept is sent once.
TEST(RetryCallTest, Content) {
  struct Row {
    std::string_view name;
    size_t bytes;
    bool declared;  // content-length; else chunks
    bool trailers;
    size_t kept_max, worker_max;
    int status;
  };
  constexpr size_t kAll = 1 << 20;
  const Row rows[] = {
      {"within the limit", 1000, true, false, 1000, kAll, 200},
      {"one byte more, declared", 1001, true, false, 1000, kAll, 503},
      {"one byte more, in chunks", 1001, false, false, 1000, kAll, 503},
      {"in chunks", 1000, false, false, 1000, kAll, 200},
      {"with trailers", 1000, false, true, 1000, kAll, 200},
      {"trailers alone", 0, false, true, 1000, kAll, 200},
      {"nothing after all", 0, false, false, 1000, kAll, 200},
      {"nothing is to be kept", 1, false, false, 0, kAll, 503},
      {"the worker's memory", 1000, true, false, 1000, 900, 503},
      {"a megabyte", kAll, true, false, kAll, 2 * kAll, 200},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001, 9002}, {"503", "200"});
    call::ReplayBudget worker(row.worker_max);
    play.plan.content_bytes_max = row.kept_max;
    Caller caller("PUT", true);
    if (row.declared) caller.head.framing.length = row.bytes;
    caller.retry = {Plan(play.plan), &play.random, &worker, std::nullopt};
    caller.Start(*play.world.cluster);
    std::string content;
    while (content.size() < row.bytes)
      content += static_cast<char>('a' + content.size() % 23);
    const size_t half = row.bytes / 2;
    caller.Send(content.substr(0, half), false);
    http::Fields trailers(caller.arena);
    trailers.Add("x-sum", "1");
    caller.Send(content.substr(half), !row.trailers);
    if (row.trailers) caller.call->SendTrailers(trailers);
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, row.status);
    ASSERT_EQ(play.sent.size(), row.status == 200 ? 2u : 1u);
    EXPECT_EQ(play.sent[0], play.sent.back());
    if (row.declared) EXPECT_TRUE(play.sent.back().ends_with(content));
    if (row.trailers) EXPECT_TRUE(play.sent.back().ends_with("0\r\nx-sum: 1\r\n\r\n"));
    EXPECT_EQ(play.Retries(), row.status == 200 ? "success 1" : "over_content 1");
    caller.call.reset();
    EXPECT_EQ(worker.bytes(), 0u);
  }
}

// An answer before the request is whole: what was sent is sent again, what comes meanwhile waits, and the rest follows.
TEST(RetryCallTest, AnUploadGoesOn) {
  Play play({9001, 9002}, {"503", "200"});
  Caller caller("PUT", true);
  caller.head.framing.length = 6;
  play.Start(caller);
  caller.Send("ab", false);
  play.Run();
  EXPECT_TRUE(play.sent.at(0).ends_with("\r\n\r\nab"));
  EXPECT_EQ(caller.call->Unsent(), 2u);
  EXPECT_TRUE(play.world.far(0).destroyed);  // half a request: that connection is of no more use
  caller.Send("cd", false);
  EXPECT_EQ(caller.call->Unsent(), 4u);
  play.world.loop.Turn(milliseconds(40));
  play.world.far(1).Open(true);
  play.world.loop.Turn();
  EXPECT_TRUE(play.world.far(1).TakeWritten().ends_with("\r\n\r\nabcd"));
  caller.Send("ef", true);
  play.world.loop.Turn();
  EXPECT_EQ(play.world.far(1).TakeWritten(), "ef");
  play.world.Say(1, kOk);
  EXPECT_EQ(caller.status, 200);
}

// More comes during the pause than may be kept: the attempt is made all the same, and is the last.
TEST(RetryCallTest, WhatComesDuringThePauseMayEndTheKeeping) {
  Play play({9001, 9002}, {"503", "503"});
  play.plan.attempts = 5;
  play.plan.content_bytes_max = 4;
  Caller caller("PUT", true);
  play.Start(caller);
  caller.Send("ab", false);
  play.Run();
  caller.Send("cdefg", true);
  play.RunUntilOver(caller);
  EXPECT_EQ(caller.status, 503);
  EXPECT_TRUE(play.sent.at(1).ends_with("7\r\nabcdefg\r\n0\r\n\r\n") ||
              play.sent.at(1).ends_with("2\r\nab\r\n5\r\ncdefg\r\n0\r\n\r\n"))
      << play.sent[1];
  EXPECT_EQ(caller.call->facts().retries, "503, over_content");
}

TEST(RetryCallTest, BackPressureGoesOnThroughARetry) {
  Play play({9001}, {"503"});
  play.plan.content_bytes_max = 1 << 20;
  Caller caller("PUT", true);
  play.Start(caller);
  play.world.far(0).Open(true);
  play.world.far(0).write_room = 0;
  const std::string content(2 * http::kSendHighMarkBytes, 'x');
  caller.Send(content, false);
  play.world.loop.Turn();
  EXPECT_GT(caller.call->Unsent(), 0u);
  play.world.far(0).Fail();
  play.world.loop.Turn();
  EXPECT_EQ(caller.call->Unsent(), content.size());  // while it rests
  play.world.loop.Turn(milliseconds(40));
  play.world.far(1).Open(true);
  play.world.far(1).write_room = 0;
  play.world.loop.Turn();
  EXPECT_EQ(caller.ready, 0);
  play.world.far(1).write_room = SIZE_MAX;
  play.world.far(1).handler->OnWritable();
  play.world.loop.Turn();
  EXPECT_EQ(caller.ready, 1);
  EXPECT_EQ(caller.call->Unsent(), 0u);
}

// What is left of an answer that is not wanted is read if it is little, so that its connection serves another request.
TEST(RetryCallTest, ADiscardedAnswer) {
  struct Row {
    std::string_view name, method, word, next;
    bool connection_stays;
  };
  const Row rows[] = {{"little", "GET", "503", "200", true},
                      {"none", "GET", "503 empty", "200", true},
                      {"much", "GET", "503 large", "200", false},
                      {"little that does not come", "GET", "503 half", "200", false},
                      {"much that HEAD is spared", "HEAD", "503 head", "200 head", true}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001}, {std::string(row.word), std::string(row.next)});
    Caller caller(row.method);
    play.Start(caller);
    play.RunUntilOver(caller);
    EXPECT_EQ(caller.status, 200);
    EXPECT_EQ(play.world.network.connects.size(), row.connection_stays ? 1u : 2u);
    EXPECT_EQ(play.world.observer.Text(), "server_error 1; success 1");
  }
}

// Content of undeclared length, and an answer that does not end: at the latest with the call.
TEST(RetryCallTest, ADiscardedAnswerIsBounded) {
  Play play({9001});
  Caller caller;
  play.Start(caller);
  play.world.Open(0);
  play.world.Say(0, "HTTP/1.1 503 X\r\ntransfer-encoding: chunked\r\n\r\n");
  const std::string chunk = base::Concat("8000\r\n", std::string(0x8000, 'x'), "\r\n");
  play.world.Say(0, chunk);
  play.world.Say(0, chunk);
  EXPECT_FALSE(play.world.far(0).destroyed);
  play.world.Say(0, chunk);
  EXPECT_TRUE(play.world.far(0).destroyed);
  play.world.loop.Turn(milliseconds(40));
  play.world.Open(1);
  play.world.Say(1, kOk);
  EXPECT_EQ(caller.status, 200);
}

TEST(RetryCallTest, TheCallerLeaves) {
  struct Row {
    std::string_view name;
    std::vector<std::string> script;
    base::Duration later;
    std::string_view outcomes;
  };
  const Row rows[] = {
      {"during the first attempt", {"silent"}, base::Duration(0), ""},
      {"during the pause", {"503"}, base::Duration(0), "cancelled 1"},
      {"during the pause, with an answer that is being dropped", {"503 half"}, base::Duration(0), "cancelled 1"},
      {"during the second attempt", {"503", "silent"}, milliseconds(40), "cancelled 1"},
      {"before the second attempt has its connection", {"103 reset"}, milliseconds(40), "cancelled 1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Play play({9001}, row.script);
    Caller caller("PUT", true);
    play.Start(caller);
    caller.Send("abc", true);
    play.Run();
    play.world.loop.Turn(row.later);
    if (row.name != rows[4].name) play.Run();
    EXPECT_FALSE(caller.over());
    caller.call.reset();
    play.world.loop.Turn(seconds(1));
    EXPECT_EQ(play.next, row.script.size());
    EXPECT_EQ(play.Retries(), row.outcomes);
    EXPECT_EQ(play.budget.bytes(), 0u);
  }
}

// The caller may destroy the call in every callback, also in one of a later attempt.
TEST(RetryCallTest, TheCallerLeavesInACallback) {
  for (const At leaves : {At::kInformational, At::kResponse, At::kContent, At::kEnd, At::kError}) {
    SCOPED_TRACE(static_cast<int>(leaves));
    std::vector<std::string> script = {"503", "200"};
    if (leaves == At::kError) script = {"503", "200 half"};
    if (leaves == At::kInformational) script = {"503", "103 reset"};
    Play play({9001, 9002}, script);
    Caller caller;
    bool left = false;
    caller.hook = [&](At at) {
      if (at != leaves) return;
      left = true;
      caller.call.reset();
    };
    play.Start(caller);
    play.Run();
    play.world.loop.Turn(milliseconds(40));
    play.Run();
    EXPECT_TRUE(left);
  }
}

// HTTP/2: an answer before the upload is whole costs its stream alone.
TEST(RetryCallTest, Http2KeepsItsConnection) {
  auto config = Config({9001});
  config->protocol = ClusterConfig::Protocol::kHttp2;
  World world(config);
  route::RetryPlan plan;
  plan.codes = {503};
  base::Random random(1);
  Caller caller("PUT", true);
  caller.retry = {Plan(plan), &random, nullptr, std::nullopt};
  caller.Start(*world.cluster);
  caller.Send("ab", false);
  world.far(0).Open(true);
  http::h2::ServerRecorder heard;
  http::h2::ServerCodec codec(heard, http::Limits{});
  const auto talk = [&] {
    world.loop.Turn();
    EXPECT_TRUE(codec.Feed(base::Slice::Copy(world.far(0).TakeWritten())));
    base::Buffer out;
    codec.Produce(out);
    world.far(0).Say(out.ToString());
    world.loop.Turn();
  };
  const auto answer = [&](http::StreamId id, int status) {
    http::ResponseHead head(caller.arena);
    head.status = status;
    codec.SendResponse(id, head, true);
    talk();
  };
  talk();
  talk();
  EXPECT_EQ(heard.Take(), "request 1 PUT http://orders/ []; content 1 ab");
  answer(1, 503);
  EXPECT_FALSE(caller.over());
  caller.Send("cd", true);
  world.loop.Turn(milliseconds(40));
  talk();
  EXPECT_EQ(heard.Take(), "reset 1 no-error; request 3 PUT http://orders/ []; content 3 abcd; end 3");
  answer(3, 200);
  EXPECT_EQ(caller.status, 200);
  EXPECT_EQ(world.network.connects.size(), 1u);
}

}  // namespace
}  // namespace portico::upstream
