#ifndef PORTICO_TEST_SIMULATION_SIMULATION_H_
#define PORTICO_TEST_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "test/simulation/judge.h"

namespace portico::simulation {

struct RunResult {
  uint64_t trace_hash = 0;
  std::string trace;                    // if it was asked for
  std::vector<std::string> violations;  // empty: all that must always be true was
  Judge::Tally tally;
};

// A whole proxy, its clients and its origins in virtual time; everything that happens to them is decided by the seed.
//
//   even seeds are calm (connections work), odd ones break connections anywhere
//   traffic, with new configurations in between → the end: everybody is done, or it is drained, or it is closed
RunResult RunSeed(uint64_t seed, bool keep_trace);

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_SIMULATION_H_
