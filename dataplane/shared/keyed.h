#ifndef PORTICO_DATAPLANE_SHARED_KEYED_H_
#define PORTICO_DATAPLANE_SHARED_KEYED_H_

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/shared/mutex.h"

namespace portico::shared {

// One Value per key for whoever asks, on any thread, for as long as anybody holds it: so what workers share under a
// name outlives configurations, and goes with the last worker that needs it.
template <typename Value>
class Keyed {
 public:
  Keyed() = default;
  Keyed(const Keyed&) = delete;
  Keyed& operator=(const Keyed&) = delete;

  // Made, as Value(), if nobody holds it. Keys that are held no more are forgotten whenever there are twice as many
  // as the last time, so that a call costs a look at a key or two on average.
  std::shared_ptr<Value> Of(std::string_view key) PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (values_.size() >= sweep_at_) {
      std::erase_if(values_, [](const auto& entry) { return entry.second.expired(); });
      sweep_at_ = std::max(kKeptMin, 2 * values_.size());
    }
    std::weak_ptr<Value>& known = values_[std::string(key)];
    std::shared_ptr<Value> value = known.lock();
    if (value == nullptr) known = value = std::make_shared<Value>();
    return value;
  }

  // How many of those that are held agree. `predicate` waits for nobody.
  template <typename Predicate>
  size_t Count(Predicate predicate) const PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    size_t count = 0;
    for (const auto& [key, value] : values_)
      if (const std::shared_ptr<const Value> held = value.lock()) count += predicate(*held) ? 1 : 0;
    return count;
  }

  size_t size() const PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return values_.size();
  }

 private:
  static constexpr size_t kKeptMin = 16;

  mutable Mutex mutex_;
  std::map<std::string, std::weak_ptr<Value>> values_ PORTICO_GUARDED_BY(mutex_);
  size_t sweep_at_ PORTICO_GUARDED_BY(mutex_) = kKeptMin;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_KEYED_H_
