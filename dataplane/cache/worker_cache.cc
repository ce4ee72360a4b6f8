#include "dataplane/cache/worker_cache.h"

namespace portico::cache {

std::shared_ptr<Fill> WorkerCache::FindFill(const std::string& key, const std::string& identity) {
  const auto found = fills_.find({key, identity});
  if (found == fills_.end()) return nullptr;
  std::shared_ptr<Fill> fill = found->second.lock();
  return fill != nullptr && fill->generation() == store_.Generation(key) ? fill : nullptr;
}

void WorkerCache::List(const std::shared_ptr<Fill>& fill) {
  fills_[{fill->key(), fill->identity()}] = fill;
}

// Another may stand in its place: that of after an invalidation.
void WorkerCache::Unlist(const Fill& fill) {
  const auto found = fills_.find({fill.key(), fill.identity()});
  if (found == fills_.end()) return;
  const std::shared_ptr<Fill> listed = found->second.lock();
  if (listed == nullptr || listed.get() == &fill) fills_.erase(found);
}

bool WorkerCache::IsUnstorable(const std::string& key) const {
  const auto found = unstorable_.find(key);
  return found != unstorable_.end() && loop_.Now() < found->second;
}

void WorkerCache::NoteUnstorable(const std::string& key) {
  if (unstorable_.size() >= kUnstorableMax) unstorable_.clear();
  unstorable_[key] = loop_.Now() + kUnstorableAge;
}

}  // namespace portico::cache
