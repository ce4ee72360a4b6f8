#include "dataplane/route/rewrite.h"

#include "api/base/text.h"

namespace portico::route {
namespace {

uint16_t WellKnownPort(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

}  // namespace

std::string RewritePath(const PathRewrite& rewrite, std::string_view path, size_t prefix_bytes) {
  if (rewrite.kind == PathRewrite::Kind::kFull) return rewrite.value.empty() ? "/" : rewrite.value;
  std::string_view value = rewrite.value;
  while (value.ends_with('/'))
    value.remove_suffix(1);
  std::string out = base::Concat(value, path.substr(prefix_bytes));
  return out.empty() ? "/" : out;
}

std::string Location(const Redirect& redirect, const RedirectContext& context) {
  std::string path = redirect.path ? RewritePath(*redirect.path, context.target.path, context.prefix_bytes)
                                   : std::string(context.target.path);
  if (context.target.has_query) path += base::Concat('?', context.target.query);
  const std::string_view host = redirect.hostname.empty() ? HostOf(context.authority) : redirect.hostname;
  if (host.empty()) return path;
  const std::string_view scheme = redirect.scheme.empty() ? context.scheme : redirect.scheme;
  const uint16_t port = redirect.port              ? *redirect.port
                        : !redirect.scheme.empty() ? WellKnownPort(scheme)
                                                   : context.listener_port;
  if (port == WellKnownPort(scheme)) return base::Concat(scheme, "://", host, path);
  return base::Concat(scheme, "://", host, ":", port, path);
}

}  // namespace portico::route
