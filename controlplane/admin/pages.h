#ifndef PORTICO_CONTROLPLANE_ADMIN_PAGES_H_
#define PORTICO_CONTROLPLANE_ADMIN_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controlplane/fleet/fleet.h"
#include "controlplane/model/model.h"
#include "controlplane/xds/counters.h"

namespace portico::admin {

// How long something took, in classes: how many took up to each bound and longer than the one before it, the last
// without one.
struct Durations {
  std::vector<int64_t> bounds_micros = {};
  std::vector<uint64_t> counts = {};  // one more
  uint64_t sum_micros = 0;
};

// What the pages tell, as of now.
struct State {
  bool ready = false;
  std::string_view why_not = "it starts";  // if it is not ready
  model::SharedModel model = nullptr;      // nullptr: the store is not open yet, and nothing below is known
  uint64_t changes = 0;                    // revisions made since the start
  // By what became of them: "stored", 7.
  std::vector<std::pair<std::string_view, uint64_t>> change_calls = {};
  Durations change_durations = {};
  fleet::Counts proxies = {};
  xds::Counts discovery = {};
};

struct Answer {
  int status = 200;
  std::string content = {};
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view allow = {};  // of 405
};

// `path` without query. HEAD is answered as GET; whoever sends it leaves out the content.
Answer AnswerTo(std::string_view method, std::string_view path, const State& state);

}  // namespace portico::admin

#endif  // PORTICO_CONTROLPLANE_ADMIN_PAGES_H_
