#include "dataplane/worker/default_workers.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "api/base/text.h"

namespace portico::worker {
namespace {

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A mask for more processors than cpu_set_t has room for can't be read this way; then the quota alone counts.
size_t ProcessorsOfThisThread() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return CPU_SETSIZE;
  return static_cast<size_t>(CPU_COUNT(&set));
}

}  // namespace

size_t WorkersFor(std::string_view cpu_max, size_t processors) {
  size_t workers = processors;
  const std::vector<std::string_view> parts = base::Split(cpu_max.substr(0, cpu_max.find('\n')), ' ');
  if (parts.size() == 2) {
    const std::optional<uint64_t> quota = ParseNumber(parts[0]);
    const std::optional<uint64_t> period = ParseNumber(parts[1]);
    if (quota && period && *period > 0) {
      const uint64_t whole = *quota / *period + (*quota % *period != 0 ? 1 : 0);
      workers = static_cast<size_t>(std::min<uint64_t>(workers, whole));
    }
  }
  return std::max<size_t>(1, workers);
}

size_t ConnectionsFor(uint64_t open_files_max) {
  constexpr uint64_t kOwnFiles = 64;  // listeners, logs, configuration, the admin's
  return open_files_max < kOwnFiles + 2 ? 1 : static_cast<size_t>((open_files_max - kOwnFiles) / 2);
}

size_t DefaultConnectionsMax() {
  struct rlimit limit{};
  return ConnectionsFor(::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0);
}

size_t DefaultWorkers() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string cpu_max;
  std::getline(file, cpu_max);
  return WorkersFor(cpu_max, ProcessorsOfThisThread());
}

}  // namespace portico::worker
