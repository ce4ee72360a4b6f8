#ifndef PORTICO_DATAPLANE_SHARED_KEYED_H_
#define PORTICO_DATAPLANE_SHARED_KEYED_H_

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

  // Made, as Value(), if nobody holds it. Rare: forgets on the way which keys are held no more.
  std::shared_ptr<Value> Of(std::string_view key) PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    std::erase_if(values_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Value>& known = values_[std::string(key)];
    std::shared_ptr<Value> value = known.lock();
    if (value == nullptr) known = value = std::make_shared<Value>();
    return value;
  }

  size_t size() const PORTICO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return values_.size();
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::weak_ptr<Value>> values_ PORTICO_GUARDED_BY(mutex_);
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_KEYED_H_
