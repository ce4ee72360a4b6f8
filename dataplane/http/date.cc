#include "dataplane/http/date.h"

#include <chrono>
#include <cstring>

namespace portico::http {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void PutDigits(char* into, unsigned number, int count) {
  for (int i = count - 1; i >= 0; --i, number /= 10)
    into[i] = static_cast<char>('0' + number % 10);
}

}  // namespace

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
