#include "dataplane/http/date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>

namespace portico::http {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void PutDigits(char* into, unsigned number, int count) {
  for (int i = count - 1; i >= 0; --i, number /= 10)
    into[i] = static_cast<char>('0' + number % 10);
}

constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

// Where in a date its parts are, as its form has them; one letter for each byte: Y, o (month), d, h, m and s are parts,
// D is the day's name, an underscore is a space or a digit, and the rest is what it is.
constexpr std::string_view kFixed = "DDD, dd ooo YYYY hh:mm:ss GMT";
constexpr std::string_view kAsctime = "DDD ooo _d hh:mm:ss YYYY";
constexpr std::string_view kRfc850 = ", dd-ooo-YY hh:mm:ss GMT";  // after the day's name

struct Parts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// The index of a three-letter name, from 0; -1: none.
int FindName(std::string_view names, std::string_view name) {
  for (size_t i = 0; i < names.size(); i += 3)
    if (names.substr(i, 3) == name) return static_cast<int>(i / 3);
  return -1;
}

bool TakeDigit(char c, int& number) {
  if (c < '0' || c > '9') return false;
  number = number * 10 + (c - '0');
  return true;
}

bool Take(char kind, char c, Parts& parts) {
  switch (kind) {
    case 'Y':
      return TakeDigit(c, parts.year);
    case 'd':
      return TakeDigit(c, parts.day);
    case '_':
      return c == ' ' || TakeDigit(c, parts.day);
    case 'h':
      return TakeDigit(c, parts.hour);
    case 'm':
      return TakeDigit(c, parts.minute);
    case 's':
      return TakeDigit(c, parts.second);
    case 'o':
    case 'D':
      return true;  // whole, in ReadParts
    default:
      return c == kind;
  }
}

std::optional<Parts> ReadParts(std::string_view form, std::string_view text) {
  if (text.size() != form.size()) return std::nullopt;
  Parts parts;
  for (size_t i = 0; i < form.size(); ++i)
    if (!Take(form[i], text[i], parts)) return std::nullopt;
  if (form.front() == 'D' && FindName(kDays, text.substr(0, 3)) < 0) return std::nullopt;
  parts.month = FindName(kMonths, text.substr(form.find('o'), 3)) + 1;
  return parts;
}

std::optional<base::WallTime> TimeOf(const Parts& parts) {
  using std::chrono::days;
  const std::chrono::year_month_day date(std::chrono::year(parts.year), std::chrono::month(unsigned(parts.month)),
                                         std::chrono::day(unsigned(parts.day)));
  // 60 is a leap second.
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const base::Duration since_epoch = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(parts.hour) +
                                     std::chrono::minutes(parts.minute) + std::chrono::seconds(parts.second);
  return base::WallTime(since_epoch);
}

int YearOf(base::WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time.time_since_epoch());
  return static_cast<int>(std::chrono::year_month_day(std::chrono::sys_days(day)).year());
}

}  // namespace

std::optional<base::WallTime> ParseDate(std::string_view text, base::WallTime now) {
  std::optional<Parts> parts = ReadParts(kFixed, text);
  if (!parts) parts = ReadParts(kAsctime, text);
  if (parts) return TimeOf(*parts);
  const size_t comma = text.find(',');
  if (std::find(kLongDays.begin(), kLongDays.end(), text.substr(0, comma)) == kLongDays.end()) return std::nullopt;
  parts = comma == std::string_view::npos ? std::nullopt : ReadParts(kRfc850, text.substr(comma));
  if (!parts) return std::nullopt;
  const int year = YearOf(now);
  parts->year += year - year % 100;
  if (parts->year > year + 50) parts->year -= 100;
  return TimeOf(*parts);
}

std::string_view FormatDate(base::WallTime time, base::Arena& arena) {
  constexpr std::string_view kShape = "Sun, 06 Nov 1994 08:49:37 GMT";
  const std::chrono::sys_time<base::Duration> since_epoch(time.time_since_epoch());
  const auto day = std::chrono::floor<std::chrono::days>(since_epoch);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<base::Duration> clock(since_epoch - day);
  char* text = static_cast<char*>(arena.Allocate(kShape.size(), 1));
  std::memcpy(text, kShape.data(), kShape.size());
  std::memcpy(text, kDays + 3 * std::chrono::weekday(day).c_encoding(), 3);
  PutDigits(text + 5, static_cast<unsigned>(date.day()), 2);
  std::memcpy(text + 8, kMonths + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
  PutDigits(text + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  PutDigits(text + 17, static_cast<unsigned>(clock.hours().count()), 2);
  PutDigits(text + 20, static_cast<unsigned>(clock.minutes().count()), 2);
  PutDigits(text + 23, static_cast<unsigned>(clock.seconds().count()), 2);
  return {text, kShape.size()};
}

}  // namespace portico::http
