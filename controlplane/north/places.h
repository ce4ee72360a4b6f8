#ifndef PORTICO_CONTROLPLANE_NORTH_PLACES_H_
#define PORTICO_CONTROLPLANE_NORTH_PLACES_H_

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace portico::north {

// How many calls of one kind there may be at a time: each holds memory for as long as its caller likes to read. One
// caller may have a quarter of them, so that one that has gone mad leaves some to the others. Outlives the places that
// it gives. Any thread.
//
//   const std::shared_ptr<const Places::Place> place = places.Take(HolderOf(context));
//   if (place == nullptr) … places.Refusal() …; else keep it as long as the call lives
class Places {
 public:
  class Place {
   public:
    ~Place() { places_.Leave(holder_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class Places;
    Place(Places& places, std::string holder) : places_(places), holder_(std::move(holder)) {}

    Places& places_;
    const std::string holder_;
  };

  // `what`: "lists", for the refusal.
  Places(size_t max, std::string_view what) : max_(max), holder_max_(std::max<size_t>(1, max / 4)), what_(what) {}

  // nullptr: all are taken, or all that this holder may have.
  std::shared_ptr<const Place> Take(std::string holder);
  // kResourceExhausted, in words.
  absl::Status Refusal() const;

 private:
  void Leave(const std::string& holder);

  const size_t max_, holder_max_;
  const std::string_view what_;
  absl::Mutex mutex_;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, size_t> holders_ ABSL_GUARDED_BY(mutex_);  // how many each has
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_PLACES_H_
