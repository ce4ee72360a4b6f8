#include "dataplane/observe/access_log.h"

#include <gtest/gtest.h>

#include <string>

#include "api/base/arena.h"
#include "api/base/json.h"

namespace portico::observe {
namespace {

std::string LineOf(const ExchangeRecord& record) {
  std::string line;
  AppendAccessLogLine(record, line);
  return line;
}

// The target as it stands in the line, unescaped.
std::string TargetOf(std::string_view target) {
  static const std::vector<std::string> kNames = {"a+b", "shop key"};
  ExchangeRecord record;
  record.target = target;
  record.secret_parameters = kNames;
  const std::string line = LineOf(record);
  base::Arena arena;
  const auto json = base::ParseJson(line, arena, {});
  EXPECT_TRUE(json.ok()) << line;
  if (!json.ok()) return "";
  const base::Json* value = json->Find("target");
  return value == nullptr ? "" : std::string(value->string());
}

TEST(AccessLogTest, AWholeLine) {
  ExchangeRecord record;
  record.start = base::WallTime(std::chrono::milliseconds(1795555200123));
  record.duration = std::chrono::microseconds(12045);
  record.client = "192.0.2.1";
  record.protocol = "HTTP/2";
  record.method = "GET";
  record.target = "/a?b=c";
  record.status = 200;
  record.sent_bytes = 17;
  record.route = "default/shop";
  record.attempts = 2;
  EXPECT_EQ(LineOf(record),
            "{\"time\":\"2026-11-24T21:20:00.123Z\",\"durationMs\":12.045,\"client\":\"192.0.2.1\","
            "\"protocol\":\"HTTP/2\",\"method\":\"GET\",\"target\":\"/a?b=c\",\"status\":200,\"receivedBytes\":0,"
            "\"sentBytes\":17,\"route\":\"default/shop\",\"attempts\":2}\n");
}

TEST(AccessLogTest, StepsOfACompositionAreOneText) {
  const StepRecord steps[] = {
      {.name = "orders", .outcome = "ok"},
      {.name = "products", .outcome = "ok", .for_each = true, .items = 3},
      {.name = "stock", .outcome = "fallback", .for_each = true, .items = 3, .failed = 1},
      {.name = "prices", .outcome = "null", .for_each = true, .failed = 1},
  };
  ExchangeRecord record;
  record.composition = "default/history";
  record.steps = steps;
  record.trace_id = "t";
  record.span_id = "s";
  record.parent_span = "p";
  record.retries = "503";
  const std::string line = LineOf(record);
  EXPECT_NE(line.find("\"composition\":\"default/history\",\"steps\":\"orders=ok products=ok(3) stock=fallback(1/3) "
                      "prices=null\",\"retries\":\"503\",\"traceId\":\"t\",\"spanId\":\"s\",\"parentSpanId\":\"p\""),
            std::string::npos)
      << line;
}

TEST(AccessLogTest, AnAbortedExchangeHasALineToo) {
  ExchangeRecord record;
  record.aborted = true;
  EXPECT_EQ(LineOf(record),
            "{\"durationMs\":0.000,\"status\":0,\"receivedBytes\":0,\"sentBytes\":0,\"aborted\":true}\n");
}

TEST(AccessLogTest, SecretsInTheQueryAreLeftOut) {
  struct Row {
    std::string_view target, shown;
  };
  const Row rows[] = {
      {"/a", "/a"},
      {"/a?", "/a?"},
      {"/a?token=s3cret", "/a?token=***"},
      {"/a?x=1&access_token=s3cret&y=2", "/a?x=1&access_token=***&y=2"},
      {"/a?TOKEN=s3cret", "/a?TOKEN=***"},
      {"/a?%74oken=s3cret", "/a?%74oken=***"},
      {"/a?tok%65n=s3cret", "/a?tok%65n=***"},
      {"/a?token=s3=cret", "/a?token=***"},
      {"/a?tokens=1", "/a?tokens=1"},
      {"/a?token", "/a?token"},
      {"/a?shop+key=s3cret&x=1", "/a?shop+key=***&x=1"},
      {"/a?Shop%20Key=s3cret", "/a?Shop%20Key=***"},
      {"/a?a%2Bb=s3cret&a+b=1", "/a?a%2Bb=***&a+b=1"},
      {"/a?shop_key=1", "/a?shop_key=1"},
      {"/a?refresh_token=s3cret", "/a?refresh_token=***"},
      {"/token=x", "/token=x"},
      {"/a?b?token=x", "/a?b?token=x"},
      {"/a?&&key=s3cret&", "/a?&&key=***&"},
      {"/a?%zztoken=x", "/a?%zztoken=x"},
      {"/a?x=1;token=s3cret", "/a?x=1;token=***"},
      {"/a?x=1;token=s3cret;y=2&z=3", "/a?x=1;token=***&z=3"},
      {"/a?token=s3;cret&z=3", "/a?token=***&z=3"},
      {"/a?x;Shop%20Key=s3cret", "/a?x;Shop%20Key=***"},
      {"/a?x=1;y=2;", "/a?x=1;y=2;"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(TargetOf(row.target), row.shown) << row.target;
}

TEST(AccessLogTest, NoByteIsUnescaped) {
  std::string every;
  for (int c = 0; c < 256; ++c)
    every += static_cast<char>(c);
  ExchangeRecord record;
  record.client = record.protocol = record.tls = record.method = record.scheme = record.authority = record.route =
      record.rule = record.cluster = record.endpoint = record.request_id = record.trace_id = record.subject =
          record.consumer = record.limit = record.limit_outcome = record.error = record.reason = record.target = every;
  const std::string line = LineOf(record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  for (const char c : line.substr(0, line.size() - 1)) {
    EXPECT_TRUE(static_cast<uint8_t>(c) >= 0x20 && c != 0x7f) << static_cast<int>(c);
  }
  base::Arena arena;
  EXPECT_TRUE(base::ParseJson(line, arena, {}).ok());
}

TEST(AccessLogTest, EveryTextIsBoundedAndSaysSo) {
  for (const std::string& unit : {std::string("a"), std::string("\x01"), std::string("ä"), std::string("\xff")}) {
    std::string text;
    while (text.size() < 10 * kLogFieldBytesMax)
      text += unit;
    ExchangeRecord record;
    record.client = record.protocol = record.tls = record.method = record.scheme = record.authority = record.route =
        record.rule = record.cluster = record.endpoint = record.request_id = record.trace_id = record.subject =
            record.consumer = record.limit = record.limit_outcome = record.error = record.reason = record.target = text;
    const std::string line = LineOf(record);
    EXPECT_LE(line.size(), kLogLineBytesMax);
    base::Arena arena;
    const auto json = base::ParseJson(line, arena, {});
    ASSERT_TRUE(json.ok()) << json.status();
    EXPECT_TRUE(json->Find("subject")->string().ends_with("…"));
    EXPECT_TRUE(json->Find("target")->string().ends_with("…"));
  }
}

TEST(AccessLogTest, ALineNeedsNoMoreRoomThanItSays) {
  std::string line;
  line.reserve(kLogLineBytesMax);
  const char* before = line.data();
  ExchangeRecord record;
  const std::string text(5000, '\x01');
  record.subject = record.reason = record.target = text;
  AppendAccessLogLine(record, line);
  EXPECT_EQ(line.data(), before);
}

}  // namespace
}  // namespace portico::observe
