#ifndef PORTICO_API_RESOLVE_HOSTNAME_H_
#define PORTICO_API_RESOLVE_HOSTNAME_H_

#include <optional>
#include <string>
#include <string_view>

namespace portico::resolve {

// Hostnames as Gateway API has them: "" is any host, "*.example.com" every name below example.com at any depth (not
// example.com itself), anything else that one name. All in lower case.

// The hosts that both stand for, nullopt if there are none.
std::optional<std::string> IntersectHostnames(std::string_view a, std::string_view b);

// Exact names first, then the longest wildcard, "" last; equal kinds by name, so that the order is total.
bool MoreSpecificHostname(std::string_view a, std::string_view b);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_HOSTNAME_H_
