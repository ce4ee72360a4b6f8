#ifndef PORTICO_DATAPLANE_CACHE_WORKER_CACHE_H_
#define PORTICO_DATAPLANE_CACHE_WORKER_CACHE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "dataplane/base/time.h"
#include "dataplane/cache/fill.h"
#include "dataplane/cache/identity.h"
#include "dataplane/cache/store.h"
#include "dataplane/crypto/keyed_hash.h"
#include "dataplane/event/loop.h"

namespace portico::cache {

// One worker's view of the store: what is being fetched on its loop, so that who asks the same waits for it. On the
// loop's thread. Both outlive it, and it all fills.
class WorkerCache {
 public:
  // Of requests whose last response could not be stored: who asks the same does not wait for each other, for a while.
  // They are known by hashes that nobody can foresee: of two that are the same the other costs a request more. When
  // there are too many all are forgotten; then each costs one wait more.
  static constexpr size_t kUnstorableMax = 4096;
  static constexpr base::Duration kUnstorableAge = std::chrono::seconds(10);

  WorkerCache(event::Loop& loop, Store& store) : loop_(loop), store_(store) {}
  WorkerCache(const WorkerCache&) = delete;
  WorkerCache& operator=(const WorkerCache&) = delete;

  event::Loop& loop() { return loop_; }
  Store& store() { return store_; }

  // What is being fetched for that URI and identity, since the last invalidation; nullptr: nothing.
  std::shared_ptr<Fill> FindFill(const std::string& key, const Identity& identity);
  bool IsUnstorable(const std::string& key, const Identity& identity) const;

  // Of fills.
  void List(const std::shared_ptr<Fill>& fill);
  void Unlist(const Fill& fill);
  void NoteUnstorable(const std::string& key, const Identity& identity);
  void ForgetUnstorable(const std::string& key, const Identity& identity);

  size_t fills() const { return fills_.size(); }
  size_t unstorable() const { return unstorable_.size(); }

 private:
  uint64_t HashOf(const std::string& key, const Identity& identity) const;

  event::Loop& loop_;
  Store& store_;
  std::map<std::pair<std::string, Identity>, std::weak_ptr<Fill>> fills_;  // by key and identity
  const crypto::KeyedHash hash_ = crypto::KeyedHash::Generate();
  std::unordered_map<uint64_t, base::MonotonicTime> unstorable_;  // until then
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_WORKER_CACHE_H_
