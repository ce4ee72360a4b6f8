#include "api/resolve/hostname.h"

#include <tuple>

namespace portico::resolve {
namespace {

bool IsWildcard(std::string_view hostname) {
  return hostname.starts_with("*.");
}

// Whether every host of `narrow` is one of `wide`.
bool Covers(std::string_view wide, std::string_view narrow) {
  if (wide.empty() || wide == narrow) return true;
  // ".example.com" ends both "a.example.com" and "*.b.example.com".
  return IsWildcard(wide) && narrow.size() >= wide.size() && narrow.ends_with(wide.substr(1));
}

}  // namespace

std::optional<std::string> IntersectHostnames(std::string_view a, std::string_view b) {
  if (Covers(a, b)) return std::string(b);
  if (Covers(b, a)) return std::string(a);
  return std::nullopt;
}

bool MoreSpecificHostname(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view hostname) {
    const int kind = hostname.empty() ? 2 : IsWildcard(hostname) ? 1 : 0;
    const size_t length = kind == 1 ? hostname.size() : 0;
    return std::tuple(kind, -static_cast<int64_t>(length), hostname);
  };
  return rank(a) < rank(b);
}

}  // namespace portico::resolve
