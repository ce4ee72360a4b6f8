#ifndef PORTICO_DATAPLANE_HTTP_H1_INPUT_QUEUE_H_
#define PORTICO_DATAPLANE_HTTP_H1_INPUT_QUEUE_H_

#include <utility>

#include "dataplane/base/buffer.h"

namespace portico::http::h1 {

// Bytes that came and are not parsed yet: the slice under way and, only while the codec is held up, those behind it.
// Its size is bounded by the driver, which does not read while WantsInput() is false: one read.
class InputQueue {
 public:
  void Append(base::Slice slice) {
    if (front_.empty() && rest_.empty()) {
      front_ = std::move(slice);
    } else {
      rest_.Append(std::move(slice));
    }
  }
  bool empty() const { return front_.empty() && rest_.empty(); }
  // The first slice; only when not empty.
  const base::Slice& Front() {
    if (front_.empty()) front_ = rest_.PopFront();
    return front_;
  }
  void Consume(size_t count) {
    front_.RemovePrefix(count);
    if (front_.empty()) front_ = base::Slice();
  }
  void Clear() {
    front_ = base::Slice();
    rest_.Clear();
  }

 private:
  base::Slice front_;
  base::Buffer rest_;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_INPUT_QUEUE_H_
