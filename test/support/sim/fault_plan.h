#ifndef PORTICO_TEST_SUPPORT_SIM_FAULT_PLAN_H_
#define PORTICO_TEST_SUPPORT_SIM_FAULT_PLAN_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/random.h"
#include "dataplane/base/time.h"

namespace portico::sim {

// What one connection does to those who use it. As it stands: nothing is lost, but bytes come in pieces of any size.
struct FaultPlan {
  enum class Connect { kOk, kRefused, kNeverAnswers };

  Connect connect = Connect::kOk;
  // Of each piece, each way.
  base::Duration latency_min = std::chrono::microseconds(10);
  base::Duration latency_max = std::chrono::milliseconds(2);
  size_t piece_bytes_max = 4096;        // 1: every byte comes alone
  size_t send_buffer_bytes = 16384;     // what Write takes before it would block
  size_t receive_buffer_bytes = 16384;  // what is delivered before the reader has read
  uint64_t short_read_one_in = 4;       // reads that give less than there is; 0: none
  uint64_t short_write_one_in = 4;      // writes that take less than there is room for; 0: none
  // Counted over both directions, at the delivery.
  std::optional<uint64_t> reset_after_bytes = std::nullopt;  // both ends see a reset; 0: as soon as it stands
  std::optional<uint64_t> stall_after_bytes =
      std::nullopt;  // from then on nothing arrives, and nobody is told (a pulled cable)

  // Any connection that works: pieces, buffers and latencies of any size.
  static FaultPlan RandomButWorking(base::Random& random) {
    FaultPlan plan;
    plan.piece_bytes_max = size_t{1} << random.Below(15);
    plan.send_buffer_bytes = (size_t{1} << random.Below(17)) + random.Below(7);
    plan.receive_buffer_bytes = (size_t{1} << random.Below(17)) + random.Below(7);
    plan.latency_max = plan.latency_min + base::Duration(random.Below(uint64_t{1} << random.Below(17)));
    plan.short_read_one_in = random.Below(4);
    plan.short_write_one_in = random.Below(4);
    return plan;
  }

  // The same, and one in `one_in` fails in one of the ways there are.
  static FaultPlan Random(base::Random& random, uint64_t one_in) {
    FaultPlan plan = RandomButWorking(random);
    if (random.Below(one_in) != 0) return plan;
    const uint64_t some_bytes = random.Below(uint64_t{1} << random.Below(17));
    switch (random.Below(4)) {
      case 0:
        plan.connect = Connect::kRefused;
        break;
      case 1:
        plan.connect = Connect::kNeverAnswers;
        break;
      case 2:
        plan.reset_after_bytes = some_bytes;
        break;
      default:
        plan.stall_after_bytes = some_bytes;
    }
    return plan;
  }
};

}  // namespace portico::sim

#endif  // PORTICO_TEST_SUPPORT_SIM_FAULT_PLAN_H_
