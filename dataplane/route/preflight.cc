#include "dataplane/route/preflight.h"

#include <cstddef>
#include <optional>

#include "dataplane/http/fields.h"
#include "dataplane/http/syntax.h"

namespace portico::route {
namespace {

// The one value of that name.
std::optional<std::string_view> Only(const http::Fields& fields, std::string_view name) {
  std::optional<std::string_view> value;
  size_t count = 0;
  for (const http::Field& field : fields) {
    if (field.name != name) continue;
    value = field.value;
    ++count;
  }
  return count == 1 ? value : std::nullopt;
}

}  // namespace

std::string_view PreflightMethod(std::string_view method, const http::Fields& fields) {
  if (method != "OPTIONS" || !Only(fields, "origin")) return {};
  const std::optional<std::string_view> asked = Only(fields, "access-control-request-method");
  return asked && http::IsToken(*asked) ? *asked : std::string_view();
}

AskedRule FindAsked(const RouteTable& table, const RequestView& request, const RuleMatch* match,
                    bool (*answers)(const RuleMatch&)) {
  const AskedRule as_it_is{match, request.method, false};
  const std::string_view method = PreflightMethod(request.method, request.fields);
  if (method.empty() || (match != nullptr && !match->method.empty())) return as_it_is;
  const RuleMatch* asked = table.Match({method, request.host, request.path, request.query, request.fields});
  if (asked != nullptr && answers(*asked)) return {asked, method, false};
  const bool another = match != nullptr && asked != nullptr && asked->rule != match->rule;
  if (another && answers(*match)) return {match, request.method, true};
  return as_it_is;
}

}  // namespace portico::route
