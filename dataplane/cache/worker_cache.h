#ifndef PORTICO_DATAPLANE_CACHE_WORKER_CACHE_H_
#define PORTICO_DATAPLANE_CACHE_WORKER_CACHE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "dataplane/base/time.h"
#include "dataplane/cache/fill.h"
#include "dataplane/cache/store.h"
#include "dataplane/event/loop.h"

namespace portico::cache {

// One worker's view of the store: what is being fetched on its loop, so that who asks the same waits for it. On the
// loop's thread. Both outlive it, and it all fills.
class WorkerCache {
 public:
  // Of URIs whose last response could not be stored: who asks for them does not wait for each other, for a while. When
  // there are too many all are forgotten; then each costs one wait more.
  static constexpr size_t kUnstorableMax = 4096;
  static constexpr base::Duration kUnstorableAge = std::chrono::seconds(10);

  WorkerCache(event::Loop& loop, Store& store) : loop_(loop), store_(store) {}
  WorkerCache(const WorkerCache&) = delete;
  WorkerCache& operator=(const WorkerCache&) = delete;

  event::Loop& loop() { return loop_; }
  Store& store() { return store_; }

  // What is being fetched for that URI and identity, since the last invalidation; nullptr: nothing.
  std::shared_ptr<Fill> FindFill(const std::string& key, const std::string& identity);
  bool IsUnstorable(const std::string& key) const;

  // Of fills.
  void List(const std::shared_ptr<Fill>& fill);
  void Unlist(const Fill& fill);
  void NoteUnstorable(const std::string& key);
  void ForgetUnstorable(const std::string& key) { unstorable_.erase(key); }

  size_t fills() const { return fills_.size(); }

 private:
  event::Loop& loop_;
  Store& store_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<Fill>> fills_;  // by key and identity
  std::unordered_map<std::string, base::MonotonicTime> unstorable_;           // until then
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_WORKER_CACHE_H_
