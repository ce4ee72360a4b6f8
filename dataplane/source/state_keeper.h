#ifndef PORTICO_DATAPLANE_SOURCE_STATE_KEEPER_H_
#define PORTICO_DATAPLANE_SOURCE_STATE_KEEPER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/offload/job_thread.h"
#include "dataplane/source/state_file.h"

namespace portico::source {

// Keeps in a state file what is in force, on a thread of its own.
//
//   StateKeeper keeper(loop, file, log);
//   keeper.Start();        // takes the file's lock, which blocks
//   keeper.Keep(state);    // on the disk after kSavePause: a burst of changes is written once
//   keeper.Finish();       // what waits is written at once, if it can be, and the lock given to whoever comes next
//   destroy it:            // does what Finish does, unless that is over, and blocks for it
//
// What takes long to write is written less often, so that of a thread it takes a twentieth at most: ten thousand Routes
// that change all day do not cost their bytes each second. What can't be written is tried again after pauses that grow
// from kRetryMin to kRetryMax. Without the lock, which another process has (the one whose place this one takes),
// nothing is written: it is asked for every kLockPause, and what is kept meanwhile is written once it is ours. The same
// trouble over and over is one line of the log.
//
// One thread, the loop's. Everything that it is given outlives it.
class StateKeeper final : private event::Timer::Handler {
 public:
  static constexpr base::Duration kSavePause = std::chrono::seconds(1);
  static constexpr int kRest = 20;  // times what the last write took, at most kRestMax
  static constexpr base::Duration kRestMax = std::chrono::seconds(30);
  static constexpr base::Duration kLockPause = std::chrono::seconds(1);
  static constexpr base::Duration kRetryMin = std::chrono::seconds(1);
  static constexpr base::Duration kRetryMax = std::chrono::minutes(1);

  StateKeeper(event::Loop& loop, const StateFile& file, observe::ProcessLog& log);
  ~StateKeeper() override;

  void Start();
  // In the place of whatever waits. After Finish nothing is kept.
  void Keep(SavedState state);
  void Finish();

 private:
  // One try: the lock, then the file. Done on the other thread, and read when that is over.
  struct Attempt {
    bool begun = false;
    base::FileDescriptor lock;  // taken by this try
    absl::Status locked;
    std::shared_ptr<const SavedState> state;  // nullptr: only the lock is wanted
    absl::Status written;
  };
  enum class Step : uint8_t { kKeeping, kFinishing, kFinished };

  // event::Timer::Handler: it is time to try.
  void OnTimer(event::Timer&) override { Try(); }
  static void Run(const StateFile& file, bool has_lock, Attempt& attempt);
  void Try();
  void OnTried();
  // Both return the pause before the next try; nullopt: it is on the disk.
  base::Duration OnNotLocked(const absl::Status& status);
  std::optional<base::Duration> OnWritten(const absl::Status& status);
  void TryIn(base::Duration pause);
  void TrySoon();
  void Finished();
  void Tell(observe::Severity severity, std::string_view trouble, std::string_view then);

  event::Loop& loop_;
  const StateFile& file_;
  observe::ProcessLog& log_;
  Step step_ = Step::kKeeping;
  base::FileDescriptor lock_;
  std::shared_ptr<const SavedState> unsaved_;  // the newest that is not on the disk nor being written
  std::shared_ptr<Attempt> attempt_;           // under way
  base::MonotonicTime begun_;                  // when it began
  base::MonotonicTime rested_;                 // when the next write may begin
  std::string trouble_;                        // as it was told last; "": there is none
  base::Duration retry_ = kRetryMin;
  event::Timer timer_;
  std::optional<offload::JobThread> jobs_;  // the last, so that it ends before what it reads
};

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_STATE_KEEPER_H_
