#include "dataplane/downstream/server_timing.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/base/arena.h"

namespace portico::downstream {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(ServerTimingTest, WhoMayAskAndHow) {
  struct Row {
    std::string_view client;
    std::vector<std::string> values;
    bool told;
  };
  const Row rows[] = {
      {"10.1.2.3", {"1"}, true},    {"10.1.2.3", {}, false},        {"10.1.2.3", {"0"}, false},
      {"10.1.2.3", {"11"}, false},  {"10.1.2.3", {"1", "0"}, true}, {"11.1.2.3", {"1"}, false},
      {"2001:db8::7", {"1"}, true}, {"2001:db9::7", {"1"}, false},
  };
  const std::vector<net::Network4Or6> networks = {*net::Network4Or6::Parse("10.0.0.0/8"),
                                                  *net::Network4Or6::Parse("2001:db8::/32")};
  for (const Row& row : rows) {
    base::Arena arena;
    http::Fields fields(arena);
    for (const std::string& value : row.values)
      fields.Add("portico-timing", value);
    EXPECT_EQ(TakeTimingRequest(fields, *net::Address::Parse(row.client, 1), networks), row.told) << row.client;
    EXPECT_TRUE(fields.empty());
    for (const std::string& value : row.values)
      fields.Add("portico-timing", value);
    EXPECT_FALSE(TakeTimingRequest(fields, *net::Address::Parse(row.client, 1), {})) << "nobody may";
    EXPECT_TRUE(fields.empty()) << "it is not for whoever is behind";
  }
}

TEST(ServerTimingTest, WhatIsTold) {
  call::CallFacts asked;
  asked.attempts = 1;
  asked.connect = microseconds(449);
  asked.origin = microseconds(12'399);
  call::CallFacts again = asked;
  again.before = milliseconds(28);
  const observe::StepRecord orders{
      .name = "orders", .outcome = "ok", .begin = microseconds(300), .duration = microseconds(12'100)};
  const observe::StepRecord stock{.name = "stock",
                                  .outcome = "fallback",
                                  .for_each = true,
                                  .items = 3,
                                  .failed = 1,
                                  .begin = microseconds(12'500),
                                  .duration = microseconds(30'260)};
  const observe::StepRecord never{.name = "never", .outcome = "unfinished"};
  const observe::StepRecord steps[] = {orders, stock, never};
  struct Row {
    Timing timing;
    std::string_view text;
  };
  const Row rows[] = {
      {{}, ""},
      {{microseconds(160), {}, {}}, "filters;dur=0.1"},
      {{{}, asked, {}}, "connect;dur=0.4, origin;dur=12.3"},
      {{microseconds(0), again, {}}, "filters;dur=0.0, retries;dur=28.0, connect;dur=0.4, origin;dur=12.3"},
      {{{}, {}, steps}, "step-orders;dur=12.1;desc=\"ok start=0.3\", step-stock;dur=30.2;desc=\"fallback start=12.5\""},
  };
  for (const Row& row : rows)
    EXPECT_EQ(ServerTiming(row.timing), row.text);
}

}  // namespace
}  // namespace portico::downstream
