#include "dataplane/downstream/trace.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace portico::downstream {
namespace {

using http::FieldId;

constexpr std::string_view kId = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kParent = "00f067aa0ba902b7";

struct Request {
  std::string Value(std::string_view name) { return std::string(fields.Combined(name).value_or("(none)")); }
  std::string Trace() { return Value("traceparent").substr(3, 32); }
  std::string Span() { return Value("traceparent").substr(36, 16); }
  std::string Flags() { return Value("traceparent").substr(53); }
  base::Arena arena;
  http::Fields fields{arena};
};

TEST(TraceTest, IsJoinedOrBegun) {
  struct Row {
    std::string_view name, sent;
    bool joined;
    std::string_view flags;
  };
  const Row rows[] = {
      {"good", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true, "01"},
      {"not sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true, "00"},
      {"flags that nobody knows yet", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true, "03"},
      {"a later version with more", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", true, "01"},
      {"more in version 00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false, "01"},
      {"version ff", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false, "01"},
      {"upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01", false, "01"},
      {"zero trace", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false, "01"},
      {"zero span", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false, "01"},
      {"short", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false, "01"},
      {"other dashes", "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false, "01"},
      {"empty", "", false, "01"},
  };
  base::Random random(1);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Request request;
    request.fields.Add("traceparent", row.sent);
    request.fields.Add("tracestate", "v=1");
    request.fields.Add("tracestate", "w=2");
    Trace trace = JoinTrace(request.fields, true, random);
    EXPECT_TRUE(IsTraceparent(request.Value("traceparent"))) << request.Value("traceparent");
    EXPECT_EQ(request.Value("traceparent").substr(0, 3), "00-");
    EXPECT_EQ(request.Trace() == kId, row.joined);
    EXPECT_EQ(trace.id, request.Trace());
    EXPECT_EQ(trace.parent_span, row.joined ? kParent : "");
    EXPECT_EQ(trace.span_id, request.Span()) << "before an attempt it is the exchange's own";
    EXPECT_NE(trace.span_id, kParent);
    EXPECT_EQ(request.Flags(), row.flags);
    EXPECT_EQ(request.Value("tracestate"), row.joined ? "v=1, w=2" : "(none)");
  }
}

TEST(TraceTest, TwoParentsAreNone) {
  base::Random random(1);
  Request request;
  for (int i = 0; i < 2; ++i)
    request.fields.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  EXPECT_EQ(JoinTrace(request.fields, true, random).parent_span, "");
  EXPECT_EQ(request.fields.Count(FieldId::kTraceparent), 1u);
  EXPECT_NE(request.Trace(), kId);
}

TEST(TraceTest, NoneIsBegunIfThatIsSwitchedOff) {
  base::Random random(1);
  for (const std::string_view sent : {"", "nonsense", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    const bool good = sent.size() == 55;
    Request request;
    if (!sent.empty()) request.fields.Add("traceparent", sent);
    request.fields.Add("tracestate", "v=1");
    Trace trace = JoinTrace(request.fields, false, random);
    EXPECT_EQ(request.fields.Has(FieldId::kTraceparent), good) << sent;
    EXPECT_EQ(request.fields.Has(FieldId::kTracestate), good) << sent;
    EXPECT_EQ(trace.id, good ? kId : "");
    trace.place().WriteNext();  // harmless without a trace
  }
}

// The n-th attempt's span is the exchange's own plus n.
TEST(TraceTest, AttemptsHaveSpansOfTheirOwn) {
  base::Random random(1);
  Request request;
  Trace trace = JoinTrace(request.fields, true, random);
  const uint64_t own = std::stoull(std::string(trace.span_id), nullptr, 16);
  for (uint64_t attempt = 1; attempt < 4; ++attempt) {
    trace.place().WriteNext();
    EXPECT_EQ(std::stoull(request.Span(), nullptr, 16), own + attempt);
    EXPECT_TRUE(IsTraceparent(request.Value("traceparent")));
  }
  EXPECT_EQ(std::stoull(std::string(trace.span_id), nullptr, 16), own);
  call::Spans last(UINT64_MAX);
  char digits[call::kSpanDigits];
  last.WriteNext(digits);
  EXPECT_EQ(std::string_view(digits, sizeof digits), "0000000000000001") << "0 is no span";
}

}  // namespace
}  // namespace portico::downstream
