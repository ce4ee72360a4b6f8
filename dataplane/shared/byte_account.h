#ifndef PORTICO_DATAPLANE_SHARED_BYTE_ACCOUNT_H_
#define PORTICO_DATAPLANE_SHARED_BYTE_ACCOUNT_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace portico::shared {

// Bytes that many objects on several threads hold together, never more than a limit. Any thread.
class ByteAccount {
 public:
  explicit ByteAccount(size_t bytes_max) : bytes_max_(bytes_max) {}
  ByteAccount(const ByteAccount&) = delete;
  ByteAccount& operator=(const ByteAccount&) = delete;

  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  size_t bytes_max() const { return bytes_max_.load(std::memory_order_relaxed); }
  // What is held above a lower limit stays held.
  void set_bytes_max(size_t bytes_max) { bytes_max_.store(bytes_max, std::memory_order_relaxed); }

 private:
  friend class ByteHold;

  bool Take(size_t bytes) {
    size_t held = bytes_.load(std::memory_order_relaxed);
    do {
      const size_t most = bytes_max();
      if (held > most || bytes > most - held) return false;
    } while (!bytes_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
    return true;
  }
  void GiveBack(size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::atomic<size_t> bytes_ = 0;
  std::atomic<size_t> bytes_max_;
};

// What one object holds of an account, given back when it goes. One thread at a time.
class ByteHold {
 public:
  explicit ByteHold(std::shared_ptr<ByteAccount> account) : account_(std::move(account)) {}
  ByteHold(ByteHold&& other) noexcept : account_(std::move(other.account_)), bytes_(std::exchange(other.bytes_, 0)) {}
  ~ByteHold() {
    if (bytes_ > 0) account_->GiveBack(bytes_);
  }

  // False: the account does not have so much; nothing has changed.
  bool Grow(size_t bytes) {
    if (!account_->Take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<ByteAccount> account_;
  size_t bytes_ = 0;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_BYTE_ACCOUNT_H_
