#ifndef PORTICO_DATAPLANE_SHARED_COUNTER_H_
#define PORTICO_DATAPLANE_SHARED_COUNTER_H_

#include <atomic>
#include <cstdint>

// The cells that metrics are made of. Relaxed order is enough: a reader wants a number that was true a moment ago, and
// nothing is published through one.

namespace portico::shared {

// Only grows. One thread adds (hence a load and a store, no locked instruction), any thread reads.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void Add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// Goes up and down. One thread writes, any thread reads.
class Gauge {
 public:
  Gauge() = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t amount) { Set(value() + amount); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// Only grows; any thread adds. For what is rare or already slow.
class SharedCounter {
 public:
  SharedCounter() = default;
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;

  void Add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_COUNTER_H_
