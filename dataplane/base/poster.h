#ifndef PORTICO_DATAPLANE_BASE_POSTER_H_
#define PORTICO_DATAPLANE_BASE_POSTER_H_

#include <functional>

namespace portico::base {

// "Run this on that loop": the one way to reach another thread's objects. Implemented by event::Loop.
// Post may be called from any thread; the task runs on the loop's thread in one of its next turns, in the order in
// which one thread posted. Tasks that were posted but never ran are destroyed with the loop.
class Poster {
 public:
  virtual ~Poster() = default;
  virtual void Post(std::function<void()> task) = 0;
};

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_POSTER_H_
