#include "tools/ctl/unified_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/base/text.h"

namespace portico::ctl {
namespace {

using Lines = std::vector<std::string_view>;

constexpr size_t kContext = 3;
constexpr size_t kCellsMax = 16 << 20;  // of the table below, 4 bytes each

struct Step {
  char mark;  // ' ', '-' or '+'
  std::string_view line;
};

Lines LinesOf(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text.empty() ? Lines() : base::Split(text, '\n');
}

// The middle, where first and last lines differ: the longest common subsequence.
void AppendMiddle(const Lines& before, const Lines& after, std::vector<Step>& steps) {
  const size_t columns = after.size() + 1;
  const bool whole = (before.size() + 1) * columns > kCellsMax;
  std::vector<uint32_t> common(whole ? 0 : (before.size() + 1) * columns);  // of what is left from (i, j) on
  for (size_t i = before.size(); !whole && i-- > 0;) {
    for (size_t j = after.size(); j-- > 0;) {
      common[i * columns + j] = before[i] == after[j]
                                    ? common[(i + 1) * columns + j + 1] + 1
                                    : std::max(common[(i + 1) * columns + j], common[i * columns + j + 1]);
    }
  }
  size_t i = 0, j = 0;
  while (!whole && i < before.size() && j < after.size()) {
    if (before[i] == after[j]) {
      steps.push_back({' ', before[i++]});
      ++j;
    } else if (common[(i + 1) * columns + j] >= common[i * columns + j + 1]) {
      steps.push_back({'-', before[i++]});
    } else {
      steps.push_back({'+', after[j++]});
    }
  }
  for (; i < before.size(); ++i)
    steps.push_back({'-', before[i]});
  for (; j < after.size(); ++j)
    steps.push_back({'+', after[j]});
}

std::vector<Step> StepsOf(const Lines& before, const Lines& after) {
  const size_t shorter = std::min(before.size(), after.size());
  size_t first = 0, last = 0;
  while (first < shorter && before[first] == after[first])
    ++first;
  while (last < shorter - first && before[before.size() - 1 - last] == after[after.size() - 1 - last])
    ++last;
  std::vector<Step> steps;
  for (size_t i = 0; i < first; ++i)
    steps.push_back({' ', before[i]});
  const auto middle = [&](const Lines& all) {
    return Lines(all.begin() + static_cast<ptrdiff_t>(first), all.end() - static_cast<ptrdiff_t>(last));
  };
  AppendMiddle(middle(before), middle(after), steps);
  for (size_t i = before.size() - last; i < before.size(); ++i)
    steps.push_back({' ', before[i]});
  return steps;
}

// "3,7" or, of one line, "3"; an empty range is named by the line before it.
std::string Range(size_t begin, size_t count) {
  const size_t first = count == 0 ? begin : begin + 1;
  return count == 1 ? base::Concat(first) : base::Concat(first, ",", count);
}

}  // namespace

std::string UnifiedDiff(std::string_view before, std::string_view after) {
  const Lines old_lines = LinesOf(before), new_lines = LinesOf(after);
  const std::vector<Step> steps = StepsOf(old_lines, new_lines);
  std::vector<bool> shown(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].mark == ' ') continue;
    const size_t end = std::min(steps.size(), i + kContext + 1);
    for (size_t j = i > kContext ? i - kContext : 0; j < end; ++j)
      shown[j] = true;
  }
  std::string out;
  size_t old_line = 0, new_line = 0;
  for (size_t i = 0; i < steps.size();) {
    if (!shown[i]) {  // only what is equal is not
      ++i, ++old_line, ++new_line;
      continue;
    }
    const size_t old_begin = old_line, new_begin = new_line;
    std::string hunk;
    for (; i < steps.size() && shown[i]; ++i) {
      hunk += base::Concat(steps[i].mark, steps[i].line, "\n");
      old_line += steps[i].mark != '+';
      new_line += steps[i].mark != '-';
    }
    out += base::Concat("@@ -", Range(old_begin, old_line - old_begin), " +", Range(new_begin, new_line - new_begin),
                        " @@\n", hunk);
  }
  return out;
}

}  // namespace portico::ctl
