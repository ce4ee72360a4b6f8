#ifndef PORTICO_CONTROLPLANE_FLEET_FLEET_H_
#define PORTICO_CONTROLPLANE_FLEET_FLEET_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/fleet_service.pb.h"
#include "api/portico/v1/revision.pb.h"

namespace portico::fleet {

// One process of one proxy. Two of one node_id are there at once while one takes over from the other.
struct Key {
  std::string gateway;  // "NAMESPACE/NAME"
  std::string node_id;
  std::string instance;
  auto operator<=>(const Key&) const = default;
};

using SharedProxy = std::shared_ptr<const portico::v1::Proxy>;

// What a proxy says of what it was sent. Revision 0: it has said nothing yet, and what it ran is taken to run on. Of
// the refusals is kept what fits into RefusalBounds, and less once the proxy has left.
struct Report {
  uint64_t revision = 0;
  std::vector<portico::v1::Refusal> refusals = {};
  uint64_t refused_revision = 0;
  std::string refused_reason = {};
};

// What a follower is told: the newest state of what changed.
struct Notice {
  uint64_t revision = 0;  // that every wanted_revision accounts for
  std::vector<SharedProxy> changed = {};
  std::vector<Key> gone = {};  // that are not remembered any more
};

// How many proxies are how.
struct Counts {
  size_t current = 0;   // connected, and running what is wanted of it
  size_t behind = 0;    // connected, and not running it yet
  size_t refusing = 0;  // connected, and has refused it or a part of it
  size_t gone = 0;      // remembered
};

// Who is connected, and what runs there. Any thread.
//
//   const uint64_t stream = fleet.Join(proxy); fleet.OnReport(stream, report); fleet.Leave(stream);
//   auto following = fleet.Follow([](const Notice& notice) { … });
class Fleet {
 public:
  static constexpr int64_t kRememberedMicros = 3'600'000'000;  // what left: an hour, for who asks what became of it
  static constexpr size_t kGoneMax = 10'000;                   // what left: 4 kB each; the oldest goes first

  using Clock = std::function<int64_t()>;  // microseconds since 1970 (UTC)
  // Called on the thread that changed something; must be quick, and may not call the fleet.
  using Follower = std::function<void(const Notice& notice)>;

  explicit Fleet(Clock clock) : clock_(std::move(clock)) {}

  // A stream begins. Of `proxy` counts what it is (fields 1 to 6, 13, 16); the rest the fleet says itself. What runs is
  // remembered of an earlier stream of the same process. The newest stream of a process speaks for it.
  uint64_t Join(portico::v1::Proxy proxy);
  void OnReport(uint64_t stream, const Report& report);
  // A stream that is unknown, or whose process has a newer one, is nothing.
  void Leave(uint64_t stream);

  // The configuration is now of `revision`, made at `made` (microseconds since 1970). `gateways`: whose set changed
  // with it, with the revision that their proxies are to run; 0: the gateway is gone, and nothing is wanted of them.
  void OnRevision(uint64_t revision, int64_t made, const std::map<std::string, uint64_t>& gateways);
  int64_t Now() const { return clock_(); }

  struct Listing {
    uint64_t revision = 0;
    std::vector<SharedProxy> proxies;  // in the order of the keys
  };
  Listing List();
  Counts Count() const;

  // Ends when it is deleted: the follower is not called any more when that returns.
  class Following {
   public:
    ~Following();
    Following(const Following&) = delete;
    Following& operator=(const Following&) = delete;

   private:
    friend class Fleet;
    Following(Fleet& fleet, uint64_t id) : fleet_(fleet), id_(id) {}

    Fleet& fleet_;
    const uint64_t id_;
  };
  // `follower` is told at once what there is, then what changes. The fleet outlives the handle.
  std::unique_ptr<Following> Follow(Follower follower);

 private:
  struct Entry {
    SharedProxy proxy;
    uint64_t stream = 0;  // 0: it has left
    int64_t left = 0;
  };

  struct Wanted {
    uint64_t revision = 0;
    int64_t made = 0;
  };

  static void SetWanted(const Wanted& wanted, portico::v1::Proxy& proxy);
  // nullptr: the stream speaks for nobody (any more).
  Entry* Find(uint64_t stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOld(Notice& notice) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(Notice notice) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock clock_;
  mutable absl::Mutex mutex_;
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Wanted> wanted_ ABSL_GUARDED_BY(mutex_);  // of each gateway that there is
  std::map<Key, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Key> streams_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<int64_t, Key>> gone_ ABSL_GUARDED_BY(mutex_);  // by when they left
  std::map<uint64_t, Follower> followers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace portico::fleet

#endif  // PORTICO_CONTROLPLANE_FLEET_FLEET_H_
