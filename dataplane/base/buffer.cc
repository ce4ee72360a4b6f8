#include "dataplane/base/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "api/base/check.h"

namespace portico::base {
namespace {

// Pieces at least this long travel by reference; shorter ones are copied together, so that a vector of many tiny
// pieces does not cost more than the copy.
constexpr size_t kShareFromBytes = 4096;

}  // namespace

BlockPool::~BlockPool() {
  PORTICO_CHECK(in_use_ == 0, "a block outlives its pool");
  for (Block* block : free_)
    std::free(block);
}

Block* BlockPool::Get() {
  ++in_use_;
  if (!free_.empty()) {
    Block* block = free_.back();
    free_.pop_back();
    block->references_ = 1;
    return block;
  }
  void* memory = std::malloc(sizeof(Block) + kBlockBytes);
  PORTICO_CHECK(memory != nullptr, "out of memory");
  Block* block = new (memory) Block(this, kBlockBytes);
  block->references_ = 1;
  return block;
}

void BlockPool::Release(Block* block) {
  --in_use_;
  if (free_.size() < kFreeBlocksMax) {
    free_.push_back(block);
  } else {
    std::free(block);
  }
}

Slice& Slice::operator=(Slice&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  block_ = other.block_;
  data_ = other.data_;
  other.Forget();
  return *this;
}

Slice Slice::Adopt(Block* block, size_t size) {
  PORTICO_CHECK(size <= block->capacity());
  return Slice(block, {block->bytes(), size});
}

Slice Slice::Copy(std::string_view text) {
  void* memory = std::malloc(sizeof(Block) + text.size());
  PORTICO_CHECK(memory != nullptr, "out of memory");
  PORTICO_CHECK(text.size() < Block::kOthers);
  Block* block = new (memory) Block(nullptr, static_cast<uint32_t>(text.size()));
  block->references_ = 1;
  if (!text.empty()) std::memcpy(block->bytes(), text.data(), text.size());
  return Slice(block, {block->bytes(), text.size()});
}

Slice Slice::Borrow(std::shared_ptr<const void> owner, std::string_view bytes) {
  void* memory = std::malloc(sizeof(Block) + sizeof owner);
  PORTICO_CHECK(memory != nullptr, "out of memory");
  Block* block = new (memory) Block(nullptr, Block::kOthers);
  new (block->bytes()) std::shared_ptr<const void>(std::move(owner));
  block->references_ = 1;
  return Slice(block, bytes);
}

Slice Slice::Static(std::string_view text) {
  return Slice(nullptr, text);
}

Slice Slice::Sub(size_t offset, size_t size) const {
  PORTICO_CHECK(offset <= data_.size() && size <= data_.size() - offset);
  if (block_ != nullptr) ++block_->references_;
  return Slice(block_, data_.substr(offset, size));
}

void Slice::Drop() {
  if (block_ != nullptr && --block_->references_ == 0) {
    if (block_->capacity_ == Block::kOthers) std::destroy_at(block_->owner());
    if (block_->pool_ != nullptr) {
      block_->pool_->Release(block_);
    } else {
      std::free(block_);
    }
  }
  Forget();
}

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(other.pool_),
      slices_(std::move(other.slices_)),
      first_(std::exchange(other.first_, 0)),
      size_(std::exchange(other.size_, 0)) {
  other.slices_.clear();
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  pool_ = other.pool_;
  slices_ = std::move(other.slices_);
  other.slices_.clear();
  first_ = std::exchange(other.first_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void Buffer::Append(std::string_view text) {
  size_ += text.size();
  while (!text.empty()) {
    // The last block can be filled up if this buffer alone refers to it and its bytes end where the text would go on.
    Slice* last = slices_.size() > first_ ? &slices_.back() : nullptr;
    Block* block = last != nullptr ? last->block_ : nullptr;
    size_t room = 0;
    if (block != nullptr && block->references_ == 1 && block->capacity_ != Block::kOthers) {
      room = static_cast<size_t>(block->bytes() + block->capacity() - (last->data_.data() + last->data_.size()));
    }
    if (room == 0) {
      if (pool_ == nullptr) {
        slices_.push_back(Slice::Copy(text));
        return;
      }
      slices_.push_back(Slice::Adopt(pool_->Get(), 0));
      continue;
    }
    const size_t count = std::min(room, text.size());
    char* end = block->bytes() + (last->data_.data() - block->bytes()) + last->data_.size();
    std::memcpy(end, text.data(), count);
    last->data_ = {last->data_.data(), last->data_.size() + count};
    text.remove_prefix(count);
  }
}

void Buffer::Append(Slice slice) {
  if (slice.empty()) return;
  if (pool_ != nullptr && slice.size() < kShareFromBytes && slices_.size() > first_) {
    Append(slice.view());
    return;
  }
  size_ += slice.size();
  slices_.push_back(std::move(slice));
}

void Buffer::MoveFrom(Buffer& other, size_t count) {
  if (count >= other.size_ && empty() && pool_ == other.pool_) {
    std::swap(slices_, other.slices_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
    other.slices_.clear();
    other.first_ = 0;
    return;
  }
  while (count > 0 && !other.empty()) {
    Slice& front = other.slices_[other.first_];
    if (front.size() <= count) {
      count -= front.size();
      Append(other.PopFront());
    } else {
      Append(front.Sub(0, count));
      other.Consume(count);
      return;
    }
  }
}

void Buffer::Consume(size_t count) {
  PORTICO_CHECK(count <= size_);
  size_ -= count;
  while (count > 0) {
    Slice& front = slices_[first_];
    if (front.size() > count) {
      front.RemovePrefix(count);
      return;
    }
    count -= front.size();
    front = Slice();
    ++first_;
  }
  if (size_ == 0) {
    slices_.clear();
    first_ = 0;
  } else if (first_ > 64 && first_ * 2 > slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

Slice Buffer::PopFront() {
  PORTICO_CHECK(!empty());
  while (slices_[first_].empty())
    ++first_;
  Slice front = slices_[first_].Share();
  Consume(front.size());
  return front;
}

int Buffer::Gather(struct iovec* vectors, int count_max) const {
  int count = 0;
  for (size_t i = first_; i < slices_.size() && count < count_max; ++i) {
    if (slices_[i].empty()) continue;
    vectors[count].iov_base = const_cast<char*>(slices_[i].view().data());
    vectors[count].iov_len = slices_[i].size();
    ++count;
  }
  return count;
}

std::string Buffer::ToString() const {
  std::string out;
  out.reserve(size_);
  for (size_t i = first_; i < slices_.size(); ++i)
    out.append(slices_[i].view());
  return out;
}

void Buffer::ReleaseMemory() {
  PORTICO_CHECK(empty());
  std::vector<Slice>().swap(slices_);
  first_ = 0;
}

}  // namespace portico::base
