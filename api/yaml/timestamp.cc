#include "api/yaml/timestamp.h"

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "api/base/text.h"

namespace portico::yaml {
namespace {

constexpr int64_t kSecondsMin = -62'135'596'800;  // 0001-01-01T00:00:00Z, as timestamp.proto has it
constexpr int64_t kSecondsMax = 253'402'300'799;  // 9999-12-31T23:59:59Z
constexpr size_t kDecimalsMax = 9;

// Takes exactly `places` digits off the front of `text`.
std::optional<int> TakeDigits(std::string_view& text, size_t places) {
  if (text.size() < places) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, places)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(places);
  return number;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "2027-01-31" as seconds since 1970.
std::optional<int64_t> TakeDate(std::string_view& text) {
  const auto year = TakeDigits(text, 4);
  const bool first = Take(text, '-');
  const auto month = TakeDigits(text, 2);
  const bool second = Take(text, '-');
  const auto day = TakeDigits(text, 2);
  if (!first || !second || !year.has_value() || !month.has_value() || !day.has_value() || *year == 0) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::seconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

// "23:59" as seconds.
std::optional<int64_t> TakeHoursAndMinutes(std::string_view& text) {
  const auto hours = TakeDigits(text, 2);
  const bool colon = Take(text, ':');
  const auto minutes = TakeDigits(text, 2);
  if (!colon || !hours.has_value() || !minutes.has_value() || *hours > 23 || *minutes > 59) return std::nullopt;
  return *hours * 3600 + *minutes * 60;
}

// ".5" as nanoseconds; without a point none.
std::optional<int32_t> TakeDecimals(std::string_view& text) {
  if (!Take(text, '.')) return 0;
  int32_t nanos = 0;
  size_t decimals = 0;
  for (; decimals <= kDecimalsMax && !text.empty() && text[0] >= '0' && text[0] <= '9'; ++decimals) {
    if (decimals < kDecimalsMax) nanos = nanos * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  if (decimals == 0 || decimals > kDecimalsMax) return std::nullopt;
  for (; decimals < kDecimalsMax; ++decimals)
    nanos *= 10;
  return nanos;
}

// "Z" or "+01:00": the seconds that local time is ahead of UTC.
std::optional<int64_t> TakeOffset(std::string_view& text) {
  if (Take(text, 'Z')) return 0;
  const bool behind = text.starts_with('-');
  if (!behind && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto offset = TakeHoursAndMinutes(text);
  if (!offset.has_value() || (behind && *offset == 0)) return std::nullopt;
  return behind ? -*offset : *offset;
}

std::string Digits(int64_t number, size_t places) {
  std::string out = base::Concat(number);
  return out.size() < places ? std::string(places - out.size(), '0') + out : out;
}

// ".5" of half a second is written ".500".
std::string Decimals(int32_t nanos) {
  if (nanos == 0) return "";
  if (nanos % 1'000'000 == 0) return base::Concat(".", Digits(nanos / 1'000'000, 3));
  if (nanos % 1'000 == 0) return base::Concat(".", Digits(nanos / 1'000, 6));
  return base::Concat(".", Digits(nanos, 9));
}

}  // namespace

std::optional<google::protobuf::Timestamp> ParseTimestamp(std::string_view text) {
  const auto date = TakeDate(text);
  const bool letter = Take(text, 'T');
  const auto clock = TakeHoursAndMinutes(text);
  const bool colon = Take(text, ':');
  const auto seconds = TakeDigits(text, 2);
  const auto nanos = TakeDecimals(text);
  const auto offset = TakeOffset(text);
  if (!letter || !colon || !text.empty()) return std::nullopt;
  if (!date.has_value() || !clock.has_value() || !seconds.has_value() || !nanos.has_value() || !offset.has_value()) {
    return std::nullopt;
  }
  if (*seconds > 59) return std::nullopt;
  google::protobuf::Timestamp time;
  time.set_seconds(*date + *clock + *seconds - *offset);
  time.set_nanos(*nanos);
  if (time.seconds() < kSecondsMin || time.seconds() > kSecondsMax) return std::nullopt;
  return time;
}

absl::StatusOr<std::string> FormatTimestamp(const google::protobuf::Timestamp& time) {
  if (time.seconds() < kSecondsMin || time.seconds() > kSecondsMax || time.nanos() < 0 || time.nanos() > 999'999'999) {
    return absl::InvalidArgumentError("a time outside of the years 0001 to 9999");
  }
  const std::chrono::sys_seconds since(std::chrono::seconds(time.seconds()));
  const auto day = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<std::chrono::seconds> clock(since - day);
  return base::Concat(Digits(static_cast<int>(date.year()), 4), "-", Digits(static_cast<unsigned>(date.month()), 2),
                      "-", Digits(static_cast<unsigned>(date.day()), 2), "T", Digits(clock.hours().count(), 2), ":",
                      Digits(clock.minutes().count(), 2), ":", Digits(clock.seconds().count(), 2),
                      Decimals(time.nanos()), "Z");
}

}  // namespace portico::yaml
