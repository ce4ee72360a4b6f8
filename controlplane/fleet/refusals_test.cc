#include "controlplane/fleet/refusals.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::fleet {
namespace {

using base::Concat;

// "Route d/r0=no".
std::vector<portico::v1::Refusal> Refusals(int count, const std::string& reason) {
  std::vector<portico::v1::Refusal> refusals;
  for (int i = 0; i < count; ++i) {
    refusals.emplace_back().set_resource(Concat("Route d/r", i));
    refusals.back().set_version("e.1");
    refusals.back().set_reason(reason);
  }
  return refusals;
}

std::string Text(const std::vector<portico::v1::Refusal>& refusals) {
  std::string text;
  for (const portico::v1::Refusal& refusal : refusals)
    text += Concat(refusal.resource(), refusal.reason().empty() ? "" : "=", refusal.reason(), "; ");
  return text;
}

TEST(RefusalsTest, KeepsWhatFitsAndSaysHowManyMore) {
  const struct {
    const char* name;
    std::vector<portico::v1::Refusal> refusals;
    RefusalBounds bounds;
    const char* kept;
  } kRows[] = {
      {"nothing", {}, {}, ""},
      {"all", Refusals(2, "no"), {.count_max = 2}, "Route d/r0=no; Route d/r1=no; "},
      {"too many", Refusals(5, "no"), {.count_max = 2}, "Route d/r0=no; Route d/r1=no; and 3 more; "},
      {"long texts", Refusals(1, "no \xc3\xa9t\xc3\xa9"), {.text_bytes_max = 9}, "Route d/r=no \xc3\xa9t\xc3\xa9; "},
      {"cut between characters", Refusals(1, "caf\xc3\xa9 au lait"), {.text_bytes_max = 4}, "Rout=caf; "},
      {"too much text", Refusals(9, "no"), {.bytes_max = 30}, "Route d/r0=no; Route d/r1=no; and 7 more; "},
      {"none fits", Refusals(9, "no"), {.bytes_max = 10}, "and 9 more; "},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(Text(Shorten(row.refusals, row.bounds)), row.kept) << row.name;
}

TEST(RefusalsTest, WhatWasShortenedIsShortenedAgain) {
  const std::vector<portico::v1::Refusal> once = Shorten(Refusals(9, "no"), {.count_max = 4});
  EXPECT_EQ(Text(Shorten(once, {.count_max = 4})), Text(once));
  EXPECT_EQ(Text(Shorten(once, {.count_max = 2})), "Route d/r0=no; Route d/r1=no; and 7 more; ");
}

TEST(RefusalsTest, WorstIsWithinBounds) {
  for (const RefusalBounds& bounds : {RefusalBounds(), kGoneRefusalBounds}) {
    size_t bytes = 0;
    const std::vector<portico::v1::Refusal> kept = Shorten(Refusals(10'000, std::string(5000, 'x')), bounds);
    for (const portico::v1::Refusal& refusal : kept)
      bytes += refusal.ByteSizeLong();
    EXPECT_LE(kept.size(), bounds.count_max + 1);
    EXPECT_LE(bytes, bounds.bytes_max + 1024);
    EXPECT_GT(kept.size(), 1u);
  }
}

}  // namespace
}  // namespace portico::fleet
