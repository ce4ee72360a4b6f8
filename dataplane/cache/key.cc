#include "dataplane/cache/key.h"

#include <algorithm>

#include "api/base/text.h"
#include "dataplane/http/syntax.h"
#include "dataplane/route/path.h"

namespace portico::cache {
namespace {

// Without the port that the scheme has anyway.
std::string_view PlainAuthority(std::string_view scheme, std::string_view authority) {
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

std::string Key(std::string_view scheme, std::string_view authority, std::string_view target) {
  return base::Concat(scheme, "://", PlainAuthority(scheme, authority), target);
}

// The directory of a path, with its last slash.
std::string_view DirectoryOf(std::string_view path) {
  return path.substr(0, path.rfind('/') + 1);
}

// RFC 3986 section 5.2.2 as far as it stays with this authority: the path and query of a reference, "" where it leads
// elsewhere or can't be read. A dot segment is refused by NormalisePath, so "../x" names nothing. The scheme may be
// either: who unwraps TLS before us has its origin's references in https, and its requests here in http.
std::string TargetOf(const TargetUri& uri, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const size_t colon = reference.find(':');
  std::string scheme(uri.scheme);
  if (colon != std::string_view::npos && reference.substr(0, colon).find_first_of("/?") == std::string_view::npos) {
    scheme = base::LowerAscii(reference.substr(0, colon));
    if (scheme != "http" && scheme != "https") return "";
    reference.remove_prefix(colon + 1);
    if (!reference.starts_with("//")) return "";
  }
  if (reference.starts_with("//")) {
    reference.remove_prefix(2);
    const size_t end = std::min(reference.find_first_of("/?"), reference.size());
    const std::string authority = base::LowerAscii(reference.substr(0, end));
    if (PlainAuthority(scheme, authority) != PlainAuthority(uri.scheme, uri.authority)) return "";
    reference.remove_prefix(end);
    if (!reference.starts_with('/')) return base::Concat("/", reference);
  }
  if (reference.starts_with('/')) return std::string(reference);
  if (reference.starts_with('?')) return base::Concat(uri.path, reference);
  if (reference.empty()) return uri.has_query ? base::Concat(uri.path, "?", uri.query) : std::string(uri.path);
  return base::Concat(DirectoryOf(uri.path), reference);
}

}  // namespace

std::string KeyOf(const TargetUri& uri) {
  const std::string_view mark = uri.has_query ? "?" : "";
  return Key(uri.scheme, uri.authority, base::Concat(uri.path, mark, uri.query));
}

std::vector<std::string> OtherKeys(const TargetUri& uri, const http::Fields& response) {
  std::vector<std::string> keys;
  for (const std::string_view name : {"location", "content-location"}) {
    const std::optional<std::string_view> reference = response.Find(name);
    if (!reference || !http::IsFieldValue(*reference)) continue;
    const std::string target = TargetOf(uri, *reference);
    if (!target.starts_with('/')) continue;
    const route::Target split = route::SplitTarget(target);
    route::NormalisedPath normal = route::NormalisePath(split.path);
    if (!normal.status.ok()) continue;
    const std::string_view mark = split.has_query ? "?" : "";
    keys.push_back(Key(uri.scheme, uri.authority, base::Concat(normal.path, mark, split.query)));
  }
  return keys;
}

bool Covers(const PurgeScope& scope, std::string_view key) {
  std::string_view rest = key.substr(key.find("://") + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  rest.remove_prefix(authority.size());
  if (!scope.host.empty() && route::HostOf(authority) != scope.host) return false;
  const std::string_view path = rest.substr(0, rest.find('?'));
  std::string_view prefix = scope.path_prefix;
  while (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace portico::cache
