#include "dataplane/cache/worker_cache.h"

#include "api/base/text.h"

namespace portico::cache {

std::shared_ptr<Fill> WorkerCache::FindFill(const std::string& key, const Identity& identity) {
  const auto found = fills_.find({key, identity});
  if (found == fills_.end()) return nullptr;
  std::shared_ptr<Fill> fill = found->second.lock();
  return fill != nullptr && fill->IsCurrent() ? fill : nullptr;
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

uint64_t WorkerCache::HashOf(const std::string& key, const Identity& identity) const {
  return hash_.Of(base::Concat(identity.bytes(), key));
}

bool WorkerCache::IsUnstorable(const std::string& key, const Identity& identity) const {
  if (unstorable_.empty()) return false;
  const auto found = unstorable_.find(HashOf(key, identity));
  return found != unstorable_.end() && loop_.Now() < found->second;
}

void WorkerCache::NoteUnstorable(const std::string& key, const Identity& identity) {
  if (unstorable_.size() >= kUnstorableMax) unstorable_.clear();
  unstorable_[HashOf(key, identity)] = loop_.Now() + kUnstorableAge;
}

void WorkerCache::ForgetUnstorable(const std::string& key, const Identity& identity) {
  if (!unstorable_.empty()) unstorable_.erase(HashOf(key, identity));
}

}  // namespace portico::cache
