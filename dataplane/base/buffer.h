#ifndef PORTICO_DATAPLANE_BASE_BUFFER_H_
#define PORTICO_DATAPLANE_BASE_BUFFER_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace portico::base {

// Bytes on their way through the proxy. A Block is a piece of memory that is read into once; Slices are counted
// references to a part of a Block, so that content crosses from one connection to another without a copy; a Buffer is a
// queue of Slices. All of it belongs to one thread: the counts are not atomic.
//
//   Block* block = pool.Get();                       // from the worker's pool
//   size_t n = read(fd, block->bytes(), block->capacity());
//   Slice input = Slice::Adopt(block, n);            // frees the block to its pool with the last Slice
//   buffer.Append(input.Sub(10, 20));                // shares
//   buffer.Append("HTTP/1.1 200 OK\r\n");            // copies into the buffer's last block
//   count = buffer.Gather(vectors, 16); writev(…); buffer.Consume(written);

class BlockPool;

class Block {
 public:
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  size_t capacity() const { return capacity_; }

 private:
  friend class BlockPool;
  friend class Slice;
  friend class Buffer;
  static constexpr uint32_t kOthers = UINT32_MAX;  // in the place of a capacity: the bytes are an owner's, held here
  Block(BlockPool* pool, uint32_t capacity) : pool_(pool), capacity_(capacity) {}
  std::shared_ptr<const void>* owner() { return reinterpret_cast<std::shared_ptr<const void>*>(bytes()); }

  BlockPool* pool_;  // nullptr: freed to the heap
  uint32_t references_ = 0;
  uint32_t capacity_;
};

// A free list of blocks of one size, for one worker. Must outlive its blocks.
class BlockPool {
 public:
  static constexpr size_t kBlockBytes = 16 * 1024 - sizeof(Block);  // a page-aligned class of every allocator
  static constexpr size_t kFreeBlocksMax = 256;                     // 4 MiB kept for reuse; more goes back to the heap

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  Block* Get();
  size_t blocks_in_use() const { return in_use_; }

 private:
  friend class Slice;
  friend class Buffer;
  void Release(Block* block);

  std::vector<Block*> free_;
  size_t in_use_ = 0;
};

class Slice {
 public:
  Slice() = default;
  Slice(Slice&& other) noexcept : block_(other.block_), data_(other.data_) { other.Forget(); }
  Slice& operator=(Slice&& other) noexcept;
  ~Slice() {
    if (block_ != nullptr) Drop();  // most have been moved from
  }

  // Takes over a block fresh from its pool, with `size` bytes filled in.
  static Slice Adopt(Block* block, size_t size);
  // Bytes in a block of their own, off any pool. For tests and rare large texts.
  static Slice Copy(std::string_view text);
  // Bytes that live as long as `owner`, which other threads may hold too: nothing is copied. Nobody changes them.
  static Slice Borrow(std::shared_ptr<const void> owner, std::string_view bytes);
  // Bytes that live for ever (string literals); counts nothing.
  static Slice Static(std::string_view text);

  Slice Share() const { return Sub(0, data_.size()); }
  Slice Sub(size_t offset, size_t size) const;
  // A part of this slice, given as a view of its bytes.
  Slice Sub(std::string_view part) const { return Sub(static_cast<size_t>(part.data() - data_.data()), part.size()); }

  // A part of this slice to be kept: a small one is copied, so that one byte does not hold a whole block.
  Slice Keep(std::string_view part) const { return part.size() < kSharedBytesMin ? Copy(part) : Sub(part); }
  static constexpr size_t kSharedBytesMin = 1024;

  std::string_view view() const { return data_; }
  size_t size() const { return data_.size(); }
  bool empty() const { return data_.empty(); }
  void RemovePrefix(size_t count) { data_.remove_prefix(count); }

 private:
  friend class Buffer;
  Slice(Block* block, std::string_view data) : block_(block), data_(data) {}
  void Forget() { block_ = nullptr, data_ = {}; }
  void Drop();

  Block* block_ = nullptr;
  std::string_view data_;
};

// A queue of slices. With a pool, copied text goes into pooled blocks; without, into blocks of its own.
class Buffer {
 public:
  explicit Buffer(BlockPool* pool = nullptr) : pool_(pool) {}
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Append(std::string_view text);
  void Append(Slice slice);
  // Moves the first `count` bytes (or all) of `other` to this buffer's end, without copying.
  void MoveFrom(Buffer& other, size_t count = SIZE_MAX);
  // Drops the first `count` bytes.
  void Consume(size_t count);
  void Clear() { Consume(size_); }
  // Takes out the first slice; only when not empty.
  Slice PopFront();
  // The first bytes as vectors for writev; returns how many were filled in.
  int Gather(struct iovec* vectors, int count_max) const;
  // All bytes in one string. For tests and small contents.
  std::string ToString() const;
  // Gives the queue's own memory back; only when empty.
  void ReleaseMemory();

 private:
  BlockPool* pool_;
  std::vector<Slice> slices_;
  size_t first_ = 0;  // slices_ before it are empty; saves shifting
  size_t size_ = 0;
};

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_BUFFER_H_
