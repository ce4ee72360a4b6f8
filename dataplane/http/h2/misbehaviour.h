#ifndef PORTICO_DATAPLANE_HTTP_H2_MISBEHAVIOUR_H_
#define PORTICO_DATAPLANE_HTTP_H2_MISBEHAVIOUR_H_

#include <cstdint>

namespace portico::http::h2 {

// Counts what a peer does that costs us more than it costs the peer: streams reset early (CVE-2023-44487), frames that
// make us reset a stream (CVE-2025-8671), empty DATA, floods of PING, SETTINGS and PRIORITY (CVE-2019-9511 to 9518).
// There is no clock here; time is measured in work: every stream that ended well pays for one offence. So a browser
// that cancels a lot stays welcome, and a peer that does nothing else does not.
class Misbehaviour {
 public:
  explicit Misbehaviour(uint32_t max) : max_(max) {}

  void Count() { ++count_; }
  // A frame that is right now and then and an attack in bulk: the first between two writes of ours is free, so that a
  // long-lived idle connection may be pinged for ever.
  void CountRepeated() {
    if (repeated_) Count();
    repeated_ = true;
  }
  void StreamEndedWell() {
    if (count_ > 0) --count_;
  }
  void Written() { repeated_ = false; }

  uint32_t count() const { return count_; }
  bool exceeded() const { return count_ > max_; }

 private:
  const uint32_t max_;
  uint32_t count_ = 0;
  bool repeated_ = false;
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_MISBEHAVIOUR_H_
