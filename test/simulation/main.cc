#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "test/simulation/simulation.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#endif

// usage: simulation [--first_seed=N] [--seeds=N] [--failures_max=N] [--hashes] [--trace]

namespace portico::simulation {
namespace {

constexpr unsigned kSecondsPerSeedMax = 120;  // real ones: a turn that never ends is a failure too

struct Flags {
  uint64_t first_seed = 1;
  uint64_t seeds = 200;
  uint64_t failures_max = 3;
  bool hashes = false;
  bool trace = false;
};

uint64_t seed_under_way = 0;

// "seed N …" and how to run it again; from a signal handler too, so without the library.
void Say(int file, uint64_t seed, std::string_view what) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + seed % 10);
  } while ((seed /= 10) > 0);
  const std::string_view number(digits + at, sizeof digits - at);
  for (const std::string_view part :
       {std::string_view("seed "), number, std::string_view(" "), what,
        std::string_view("\n  again: bazel run //test/simulation -- --trace --seeds=1 --first_seed="), number,
        std::string_view("\n")}) {
    if (write(file, part.data(), part.size()) < 0) return;
  }
}

extern "C" void OnCrash(int signal) {
  Say(STDERR_FILENO, seed_under_way, signal == SIGALRM ? "hangs" : "crashed");
  _exit(1);
}

// What is freed is overwritten, so that whoever uses it still is found out.
void Prepare() {
#if __has_feature(address_sanitizer)
  __sanitizer_set_death_callback([] { Say(STDERR_FILENO, seed_under_way, "crashed"); });
  for (int signal : {SIGABRT, SIGALRM})
    std::signal(signal, OnCrash);
  return;
#endif
  mallopt(M_PERTURB, 0xa5);
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM})
    std::signal(signal, OnCrash);
}

bool ParseFlags(int count, char** texts, Flags& flags) {
  for (int i = 1; i < count; ++i) {
    const std::string_view text = texts[i];
    const size_t equals = text.find('=');
    const auto number = equals == std::string_view::npos ? std::nullopt : base::ParseDecimal(text.substr(equals + 1));
    if (text == "--hashes") {
      flags.hashes = true;
    } else if (text == "--trace") {
      flags.trace = true;
    } else if (text.starts_with("--first_seed=") && number) {
      flags.first_seed = *number;
    } else if (text.starts_with("--seeds=") && number) {
      flags.seeds = *number;
    } else if (text.starts_with("--failures_max=") && number) {
      flags.failures_max = *number;
    } else {
      return false;
    }
  }
  return true;
}

void Add(Judge::Tally& total, const Judge::Tally& one) {
  total.responses += one.responses;
  total.as_scripted += one.as_scripted;
  total.cut += one.cut;
  total.left += one.left;
  total.at_origins += one.at_origins;
  total.waits += one.waits;
  total.swaps += one.swaps;
  total.retried += one.retried;
  total.shared += one.shared;
  for (const auto& [status, count] : one.statuses)
    total.statuses[status] += count;
  for (size_t i = 0; i < one.rules.size(); ++i)
    total.rules[i] += one.rules[i];
}

// What a run of many seeds has to have seen, lest it say nothing.
bool SawEnough(const Judge::Tally& total) {
  for (int status : {200, 201, 204, 404, 418, 401, 403, 429, 502, 503, 504})
    if (!total.statuses.contains(status)) return false;
  return total.cut > 0 && total.left > 0 && total.waits > 0 && total.as_scripted > 0 && total.retried > 0 &&
         total.shared > 0;
}

std::string Summary(const Judge::Tally& total) {
  std::string text =
      base::Concat("responses ", total.responses, ", as scripted ", total.as_scripted, ", cut ", total.cut, ", left ",
                   total.left, ", at origins ", total.at_origins, ", waits ", total.waits, ", configurations ",
                   total.swaps, ", tried again ", total.retried, ", shared ", total.shared, "; statuses");
  for (const auto& [status, count] : total.statuses)
    text += base::Concat(" ", status, ":", count);
  text += "; rules";
  for (size_t i = 0; i < total.rules.size(); ++i)
    text += base::Concat(" ", RuleName(static_cast<Rule>(i)), ":", total.rules[i]);
  return text;
}

int Main(const Flags& flags) {
  Judge::Tally total;
  uint64_t failures = 0;
  for (uint64_t seed = flags.first_seed; seed < flags.first_seed + flags.seeds; ++seed) {
    seed_under_way = seed;
    alarm(kSecondsPerSeedMax);
    const RunResult result = RunSeed(seed, flags.trace);
    alarm(0);
    if (flags.trace) std::fputs(result.trace.c_str(), stdout);
    if (flags.hashes) std::printf("seed %lu trace %016lx\n", seed, result.trace_hash);
    std::fflush(stdout);
    Add(total, result.tally);
    if (result.violations.empty()) continue;
    Say(STDERR_FILENO, seed, "failed");
    for (const std::string& violation : result.violations)
      std::fprintf(stderr, "  %s\n", violation.c_str());
    if (++failures == flags.failures_max) return 1;
  }
  std::printf("%s\n", Summary(total).c_str());
  if (failures > 0) return 1;
  if (flags.seeds < 100 || SawEnough(total)) return 0;
  std::fputs("something that should happen did not happen once\n", stderr);
  return 1;
}

}  // namespace
}  // namespace portico::simulation

int main(int count, char** texts) {
  portico::simulation::Flags flags;
  if (!portico::simulation::ParseFlags(count, texts, flags)) {
    std::fputs("usage: simulation [--first_seed=N] [--seeds=N] [--failures_max=N] [--hashes] [--trace]\n", stderr);
    return 2;
  }
  portico::simulation::Prepare();
  return portico::simulation::Main(flags);
}
