#ifndef PORTICO_TEST_SIMULATION_JUDGE_H_
#define PORTICO_TEST_SIMULATION_JUDGE_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/http/message.h"
#include "test/simulation/script.h"
#include "test/support/sim/sim_world.h"

namespace portico::simulation {

// Who knows every exchange by its token, what has become of it, and what must never be: clients, filters and origins
// report to it, and what they could not have seen from a proxy that keeps its promises is a violation.
class Judge {
 public:
  // What happened how often, over a run: a run in which something never happens proves nothing of it.
  struct Tally {
    uint64_t responses = 0;  // whole ones
    uint64_t as_scripted = 0;
    uint64_t cut = 0;  // ended by a reset
    uint64_t left = 0;
    uint64_t at_origins = 0;
    uint64_t waits = 0;  // filters that waited
    uint64_t swaps = 0;
    std::map<int, uint64_t> statuses;
    uint64_t retried = 0;  // answered well after an origin had failed
    uint64_t shared = 0;   // got what an origin had answered to another
    std::array<uint64_t, kRules> rules{};
  };

  Judge(sim::SimWorld& world, const Mood& mood) : world_(world), mood_(mood), begun_(world.Now()) {}

  // A configuration is in use from now on.
  void SetRevision(uint64_t revision);
  uint64_t revision() const { return revision_; }
  // From now on exchanges may be cut, whatever their script says: the proxy closes.
  void ExpectCuts() { cuts_ = true; }
  // Every exchange has to end as its script says.
  bool strict() const { return mood_.calm && !cuts_; }
  const Mood& mood() const { return mood_; }

  // A client begins. The script lives as long as the judge.
  const Script& Begin(Script script);
  // nullptr: there is none with that token, which is a violation.
  const Script* Find(std::string_view token);
  uint64_t RevisionAtBegin(std::string_view token) const;
  // How often an origin has got it.
  int TimesAtOrigin(std::string_view token) const;
  // A limit has refused it.
  void Limited(std::string_view token);
  // Its origin begins to answer it.
  void OriginAnswers(std::string_view token);
  // A client has seen that its DELETE of a page was done.
  void PageChanged(const Script& script);
  // `asked` gets what an origin has answered to `token`. nullptr: it should not have.
  const Script* FindShared(const Script& asked, std::string_view token);
  // The filter of kWaiting lets it pass.
  void FilterPassed(std::string_view token);
  // A request has arrived at an origin of `cluster` ("one" or "two"). nullptr: it should not have.
  const Script* AtOrigin(const http::RequestHead& head, std::string_view cluster);

  void Violation(std::string_view token, std::string_view what);
  const std::vector<std::string>& violations() const { return violations_; }
  void Trace(std::string_view line) { world_.Trace(line); }
  sim::SimWorld& world() { return world_; }

  Tally tally;
  int64_t filters = 0;           // alive
  int64_t origin_exchanges = 0;  // alive
  int64_t client_exchanges = 0;  // not over

 private:
  static constexpr size_t kViolationsMax = 20;  // one is enough; a run that breaks does so over and over
  struct Entry {
    Script script;
    uint64_t revision_at_begin;
    bool filter_passed = false;
    int at_origin = 0;  // how often, a composition apart
    base::MonotonicTime begun{};
    base::MonotonicTime arrived{}, answered{};  // at its origin, the last time
  };
  struct Change {
    int page;
    base::MonotonicTime arrived, seen;
  };

  void CountArrival(const Script& script, int times);

  sim::SimWorld& world_;
  const Mood mood_;
  const base::MonotonicTime begun_;
  uint64_t limited_begun_ = 0;   // exchanges of kLimited
  uint64_t limited_passed_ = 0;  // of them at an origin
  uint64_t revision_ = 0;
  bool cuts_ = false;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<Change> changes_;
  std::vector<std::string> violations_;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_JUDGE_H_
