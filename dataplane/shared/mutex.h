#ifndef PORTICO_DATAPLANE_SHARED_MUTEX_H_
#define PORTICO_DATAPLANE_SHARED_MUTEX_H_

#include <mutex>

// A lock that clang's -Wthread-safety understands: libstdc++'s own carries no annotations, so the flag checks nothing
// on a bare std::mutex. It is std::mutex and not absl::Mutex because TSan does not see inside the prebuilt Abseil.
//
//   Mutex mutex_;
//   int count_ PORTICO_GUARDED_BY(mutex_) = 0;
//   void Add() PORTICO_EXCLUDES(mutex_) { MutexLock lock(mutex_); ++count_; }

#define PORTICO_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#define PORTICO_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define PORTICO_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))

namespace portico::shared {

class __attribute__((capability("mutex"))) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() __attribute__((acquire_capability())) { mutex_.lock(); }
  void Unlock() __attribute__((release_capability())) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class __attribute__((scoped_lockable)) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) __attribute__((acquire_capability(mutex))) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() __attribute__((release_capability())) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_MUTEX_H_
