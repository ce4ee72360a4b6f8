#include "dataplane/net/name_watch.h"

#include <algorithm>
#include <utility>

namespace portico::net {

NameWatch::NameWatch(event::Loop& loop, Resolver& resolver, base::Random& random, std::string name, Handler& handler,
                     const NameLimits& limits)
    : loop_(loop),
      resolver_(resolver),
      random_(random),
      name_(std::move(name)),
      handler_(handler),
      limits_(limits),
      v4_(*this, Family::kV4),
      v6_(*this, Family::kV6) {
  v4_.Ask();
  v6_.Ask();
}

NameWatch::Half::Half(NameWatch& its_watch, Family its_family)
    : watch(its_watch), family(its_family), timer(its_watch.loop_.timers(), *this) {}

void NameWatch::Half::Ask() {
  Resolver::Handler& self = *this;
  lookup = watch.resolver_.Resolve(watch.name_, family, self);
}

void NameWatch::Half::OnResolved(Resolution resolution) {
  lookup.reset();
  watch.OnResolved(*this, resolution);
}

void NameWatch::OnResolved(Half& half, const Resolution& resolution) {
  half.asked = true;
  const bool answered = resolution.outcome == LookupOutcome::kAnswered;
  if (answered || resolution.outcome == LookupOutcome::kNoAddress) {
    half.addresses = resolution.addresses;
    half.failures = 0;
  } else {
    ++half.failures;
  }
  half.timer.Set(loop_.Now() + PauseAfter(half, resolution));
  handler_.OnLookup(half.family, resolution);
  Tell();
}

base::Duration NameWatch::PauseAfter(const Half& half, const Resolution& resolution) {
  if (resolution.outcome == LookupOutcome::kAnswered) {
    return std::clamp(resolution.ttl, limits_.ttl_min, limits_.ttl_max);
  }
  if (resolution.outcome == LookupOutcome::kNoAddress) return limits_.no_address_pause;
  base::Duration pause = limits_.retry_pause_min;
  for (int i = 1; i < half.failures && pause < limits_.retry_pause_max; ++i)
    pause *= 2;
  const base::Duration half_of_it = std::min(pause, limits_.retry_pause_max) / 2;
  return half_of_it +
         base::Duration(static_cast<int64_t>(random_.Below(static_cast<uint64_t>(half_of_it.count()) + 1)));
}

void NameWatch::Tell() {
  std::vector<Address> addresses = v4_.addresses;
  addresses.insert(addresses.end(), v6_.addresses.begin(), v6_.addresses.end());
  std::ranges::sort(addresses);
  const auto same = std::ranges::unique(addresses);
  addresses.erase(same.begin(), same.end());
  if (addresses.size() > limits_.addresses_max) addresses.resize(limits_.addresses_max);
  const bool unknown = addresses.empty() && (told_ || !v4_.asked || !v6_.asked);
  if (unknown || (told_ && addresses == addresses_)) return;
  told_ = true;
  addresses_ = std::move(addresses);
  handler_.OnAddresses(addresses_);
}

}  // namespace portico::net
