#include "controlplane/north/places.h"

#include "api/base/text.h"

namespace portico::north {

std::shared_ptr<const Places::Place> Places::Take(std::string holder) {
  absl::MutexLock lock(&mutex_);
  const auto held = holders_.find(holder);
  if (taken_ == max_ || (held != holders_.end() && held->second == holder_max_)) return nullptr;
  ++taken_;
  ++holders_[holder];
  return std::shared_ptr<const Place>(new Place(*this, std::move(holder)));
}

absl::Status Places::Refusal() const {
  return absl::ResourceExhaustedError(base::ToAbsl(
      base::Concat("at most ", max_, " ", what_, " at a time, ", holder_max_, " of one caller; try again later")));
}

void Places::Leave(const std::string& holder) {
  absl::MutexLock lock(&mutex_);
  --taken_;
  const auto held = holders_.find(holder);
  if (--held->second == 0) holders_.erase(held);
}

}  // namespace portico::north
