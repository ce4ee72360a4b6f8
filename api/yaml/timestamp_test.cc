#include "api/yaml/timestamp.h"

#include <string>

#include "api/portico/v1/resource.pb.h"
#include "api/yaml/limits.h"
#include "api/yaml/print.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace portico::yaml {
namespace {

TEST(Timestamp, IsRfc3339) {
  const struct {
    const char* text;
    const char* printed;  // nullptr: refused
  } kRows[] = {
      {"2027-01-31T00:00:00Z", "2027-01-31T00:00:00Z"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"},
      {"2028-02-29T23:59:59Z", "2028-02-29T23:59:59Z"},
      {"2027-01-31T00:00:00.000001Z", "2027-01-31T00:00:00.000001Z"},
      {"2027-01-31T00:00:00.123456789Z", "2027-01-31T00:00:00.123456789Z"},
      {"2027-01-31T00:00:00.100Z", "2027-01-31T00:00:00.100Z"},
      {"2027-01-31T00:30:00+01:00", "2027-01-30T23:30:00Z"},
      {"2027-01-31T00:30:00-23:59", "2027-02-01T00:29:00Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"},
      {"", nullptr},
      {"2027-01-31", nullptr},
      {"2027-01-31T00:00:00", nullptr},
      {"2027-01-31T00:00Z", nullptr},
      {"2027-01-31 00:00:00Z", nullptr},
      {"2027-01-31t00:00:00z", nullptr},
      {"2027-1-31T00:00:00Z", nullptr},
      {"2027-02-29T00:00:00Z", nullptr},
      {"2027-13-01T00:00:00Z", nullptr},
      {"2027-00-01T00:00:00Z", nullptr},
      {"2027-01-00T00:00:00Z", nullptr},
      {"2027-01-31T24:00:00Z", nullptr},
      {"2027-01-31T00:60:00Z", nullptr},
      {"2027-01-31T23:59:60Z", nullptr},
      {"2027-01-31T00:00:00.Z", nullptr},
      {"2027-01-31T00:00:00.1234567890Z", nullptr},
      {"2027-01-31T00:00:00,5Z", nullptr},
      {"2027-01-31T00:00:00+0100", nullptr},
      {"2027-01-31T00:00:00+24:00", nullptr},
      {"2027-01-31T00:00:00-00:00", nullptr},
      {"2027-01-31T00:00:00ZZ", nullptr},
      {" 2027-01-31T00:00:00Z", nullptr},
      {"2027-01-31T00:00:00Z ", nullptr},
      {"-027-01-31T00:00:00Z", nullptr},
      {"+2027-01-31T00:00:00Z", nullptr},
      {"0000-12-31T23:59:59Z", nullptr},
      {"0001-01-01T00:00:00+00:01", nullptr},
      {"9999-12-31T23:59:59-00:01", nullptr},
      {"1801353600", nullptr},
  };
  for (const auto& row : kRows) {
    const auto time = ParseTimestamp(row.text);
    ASSERT_EQ(time.has_value(), row.printed != nullptr) << row.text;
    if (!time.has_value()) continue;
    ASSERT_EQ(*FormatTimestamp(*time), row.printed);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*ParseTimestamp(row.printed), *time)) << row.text;
  }
}

TEST(Timestamp, EveryTruncationIsRefused) {
  const std::string whole = "2027-01-31T00:00:00.123456789+01:00";
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(ParseTimestamp(whole.substr(0, size)).has_value()) << size;
}

TEST(Timestamp, IsCountedFrom1970) {
  EXPECT_EQ(ParseTimestamp("2026-11-26T18:00:00Z")->seconds(), 1'795'716'000);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.5Z")->seconds(), -1);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.5Z")->nanos(), 500'000'000);
}

TEST(Timestamp, WhatNoTextSaysIsNotWritten) {
  const struct {
    const char* name;
    int64_t seconds;
    int32_t nanos;
  } kRows[] = {{"before the first year", -62'135'596'801, 0},
               {"after the last year", 253'402'300'800, 0},
               {"far after", INT64_MAX, 0},
               {"far before", INT64_MIN, 0},
               {"negative nanoseconds", 0, -1},
               {"a whole second of nanoseconds", 0, 1'000'000'000}};
  for (const auto& row : kRows) {
    google::protobuf::Timestamp time;
    time.set_seconds(row.seconds);
    time.set_nanos(row.nanos);
    EXPECT_FALSE(FormatTimestamp(time).ok()) << row.name;
    portico::v1::Resource resource;
    *resource.mutable_consumer()->mutable_spec()->add_credentials()->mutable_api_key()->mutable_expires() = time;
    EXPECT_FALSE(Print(resource).ok()) << row.name;
  }
}

std::vector<Document> Read(std::string_view text, std::string& problems) {
  const Limits limits;
  Problems found(limits.problems_max);
  auto documents = ReadText(text, "f.yaml", limits, found);
  problems = found.ToString();
  return documents;
}

TEST(Timestamp, StandsInAResourceAndReadsBack) {
  std::string problems;
  for (const char* spelling : {"2027-01-31T00:00:00Z", "'2027-01-31T00:00:00Z'"}) {
    const std::string text =
        "kind: Consumer\nmetadata: {name: acme}\nspec:\n  credentials: [{apiKey: {expires: " + std::string(spelling) +
        "}}]\n";
    const auto documents = Read(text, problems);
    ASSERT_EQ(problems, "");
    ASSERT_EQ(documents.size(), 1u);
    EXPECT_EQ(documents[0].resource.consumer().spec().credentials(0).api_key().expires().seconds(), 1'801'353'600);
    const std::string printed = *Print(documents[0].resource);
    EXPECT_NE(printed.find("expires: 2027-01-31T00:00:00Z\n"), std::string::npos) << printed;
    const auto again = Read(printed, problems);
    ASSERT_EQ(problems, "") << printed;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(again.at(0).resource, documents[0].resource));
  }
}

TEST(Timestamp, AnythingElseIsRefusedWithItsLine) {
  const struct {
    const char* name;
    const char* value;
    const char* problem;
  } kRows[] = {
      {"a day", "2027-01-31", "`2027-01-31` is not a time such as 2027-01-31T00:00:00Z"},
      {"a number", "1801353600", "`1801353600` is not a time such as 2027-01-31T00:00:00Z"},
      {"a map", "{seconds: 1}", "a map is not a time such as 2027-01-31T00:00:00Z"},
      {"null", "null", "has no value"},
  };
  for (const auto& row : kRows) {
    std::string problems;
    Read(std::string("kind: Consumer\nspec:\n  credentials:\n  - apiKey:\n      expires: ") + row.value + "\n",
         problems);
    EXPECT_TRUE(problems.starts_with("f.yaml:5:")) << row.name << ": " << problems;
    EXPECT_NE(problems.find(std::string("spec.credentials[0].apiKey.expires: ") + row.problem), std::string::npos)
        << row.name << ": " << problems;
  }
}

}  // namespace
}  // namespace portico::yaml
