#include "dataplane/observe/timestamp.h"

#include <chrono>

namespace portico::observe {

void AppendDigits(std::string& out, uint64_t number, int places) {
  uint64_t unit = 1;
  for (int i = 1; i < places; ++i)
    unit *= 10;
  for (; unit > 0; unit /= 10)
    out += static_cast<char>('0' + number / unit % 10);
}

void AppendTimestamp(std::string& out, base::WallTime time) {
  const std::chrono::sys_time<base::Duration> since_epoch(time.time_since_epoch());
  const auto day = std::chrono::floor<std::chrono::days>(since_epoch);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<base::Duration> clock(since_epoch - day);
  AppendDigits(out, static_cast<uint64_t>(static_cast<int>(date.year())), 4);
  out += '-';
  AppendDigits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  AppendDigits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  AppendDigits(out, static_cast<uint64_t>(clock.hours().count()), 2);
  out += ':';
  AppendDigits(out, static_cast<uint64_t>(clock.minutes().count()), 2);
  out += ':';
  AppendDigits(out, static_cast<uint64_t>(clock.seconds().count()), 2);
  out += '.';
  AppendDigits(out, static_cast<uint64_t>(clock.subseconds().count()) / 1000, 3);
  out += 'Z';
}

}  // namespace portico::observe
