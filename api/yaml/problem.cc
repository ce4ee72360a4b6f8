#include "api/yaml/problem.h"

#include <algorithm>
#include <utility>

#include "api/base/text.h"

namespace portico::yaml {
namespace {

bool IsWord(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// The path around `path`, "" at the top. A quoted key may hold any character, so its end is sought from the quote.
std::string_view Parent(std::string_view path) {
  size_t end = path.size();
  if (path.ends_with("\"]")) {
    const size_t quote = path.rfind("[\"");
    return quote == std::string_view::npos ? std::string_view() : path.substr(0, quote);
  }
  while (end > 0 && path[end - 1] != '.' && path[end - 1] != '[')
    --end;
  return end == 0 ? std::string_view() : path.substr(0, end - 1);
}

}  // namespace

std::string Problem::ToString() const {
  std::string out = file;
  if (position.line != 0) out += base::Concat(":", position.line, ":", position.column);
  if (!out.empty()) out += ": ";
  if (!path.empty()) out += base::Concat(path, ": ");
  return out + message;
}

void Problems::Add(Problem problem) {
  if (list_.size() < count_max_) {
    list_.push_back(std::move(problem));
  } else {
    ++dropped_;
  }
}

std::string Problems::ToString() const {
  std::string out;
  for (const Problem& problem : list_)
    out += problem.ToString() + "\n";
  if (dropped_ > 0) out += base::Concat("and ", dropped_, " more\n");
  return out;
}

Position SourceMap::Locate(std::string_view path) const {
  while (true) {
    const auto found = positions_.find(path);
    if (found != positions_.end()) return found->second;
    if (path.empty()) return {};
    path = Parent(path);
  }
}

std::string FieldPath(std::string_view parent, std::string_view name) {
  if (!IsWord(name)) return base::Concat(parent, "[\"", name, "\"]");
  return parent.empty() ? std::string(name) : base::Concat(parent, ".", name);
}

std::string ItemPath(std::string_view parent, size_t index) {
  return base::Concat(parent, "[", index, "]");
}

}  // namespace portico::yaml
