#include "dataplane/filters/auth/api_key.h"

#include <algorithm>
#include <optional>

#include "api/base/text.h"
#include "dataplane/route/path.h"

namespace portico::auth {
namespace {

// A piece of a cookie field or a query.
struct Pair {
  std::string_view name;
  std::string_view value;
};

// RFC 6265 section 5.4, from the receiving side: "name=value" with spaces around. A piece without '=' has no name.
Pair CookieOf(std::string_view piece) {
  const size_t equals = piece.find('=');
  if (equals == std::string_view::npos) return {{}, base::TrimSpace(piece)};
  return {base::TrimSpace(piece.substr(0, equals)), base::TrimSpace(piece.substr(equals + 1))};
}

Pair ParameterOf(std::string_view piece) {
  const size_t equals = std::min(piece.find('='), piece.size());
  return {piece.substr(0, equals), piece.substr(std::min(piece.size(), equals + 1))};
}

// Calls `visit` with each piece of `text`, which is never empty itself.
template <typename Visit>
void ForEachPiece(std::string_view text, char separator, const Visit& visit) {
  while (true) {
    const size_t end = text.find(separator);
    visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void Count(std::string_view value, PresentedKey& out) {
  if (out.count++ == 0) out.key = value;
}

PresentedKey InHeader(std::string_view name, const http::Fields& fields) {
  PresentedKey out;
  for (const http::Field& field : fields) {
    if (field.name == name) Count(field.value, out);
  }
  return out;
}

PresentedKey InCookie(std::string_view name, const http::Fields& fields) {
  PresentedKey out;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kCookie) continue;
    ForEachPiece(field.value, ';', [&](std::string_view piece) {
      const Pair cookie = CookieOf(piece);
      if (cookie.name == name) Count(cookie.value, out);
    });
  }
  return out;
}

PresentedKey InQuery(std::string_view name, std::string_view query) {
  PresentedKey out;
  ForEachPiece(query, '&', [&](std::string_view piece) {
    const Pair parameter = ParameterOf(piece);
    if (route::DecodeForm(parameter.name) == name) Count(route::DecodeForm(parameter.value), out);
  });
  return out;
}

// The text without the pieces that `is_removed`; nullopt: none is.
template <typename Predicate>
std::optional<std::string> Without(std::string_view text, char separator, const Predicate& is_removed) {
  std::string out;
  size_t kept = 0, removed = 0;
  ForEachPiece(text, separator, [&](std::string_view piece) {
    if (is_removed(piece)) {
      ++removed;
      return;
    }
    if (kept++ > 0) out += separator;
    // What was behind a separator begins with a space (RFC 6265 section 4.2.1); the first does not.
    out += kept == 1 && removed > 0 && separator == ';' ? base::TrimSpace(piece) : piece;
  });
  return removed > 0 ? std::optional(std::move(out)) : std::nullopt;
}

// Whether one of `names`, but the one that is kept, is what `is_name` says.
template <typename Predicate>
bool AnyBut(const std::vector<std::string>& names, std::optional<size_t> kept, const Predicate& is_name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != kept && is_name(names[i])) return true;
  }
  return false;
}

std::optional<size_t> KeptOf(KeyPlace kept, KeyPlace::Kind kind) {
  return kept.kind == kind ? std::optional(kept.index) : std::nullopt;
}

void RemoveCookies(const std::vector<std::string>& names, std::optional<size_t> kept, http::Fields& fields) {
  if (names.empty() || !fields.Has(http::FieldId::kCookie)) return;
  const auto is_key = [&](std::string_view piece) {
    return AnyBut(names, kept, [&](std::string_view name) { return CookieOf(piece).name == name; });
  };
  std::vector<std::string> changed;
  bool any = false;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kCookie) continue;
    std::optional<std::string> rest = Without(field.value, ';', is_key);
    any = any || rest.has_value();
    changed.push_back(rest ? *std::move(rest) : std::string(field.value));
  }
  if (!any) return;
  fields.Remove(http::FieldId::kCookie);
  for (const std::string& value : changed) {
    if (!value.empty()) fields.Add(http::FieldId::kCookie, value);
  }
}

void RemoveParameters(const std::vector<std::string>& names, std::optional<size_t> kept, http::RequestHead& head) {
  const route::Target target = route::SplitTarget(head.path);
  if (names.empty() || !target.has_query) return;
  const std::optional<std::string> rest = Without(target.query, '&', [&](std::string_view piece) {
    const std::string decoded = route::DecodeForm(ParameterOf(piece).name);
    return AnyBut(names, kept, [&](std::string_view name) { return decoded == name; });
  });
  if (!rest) return;
  head.path =
      head.fields.arena().Copy(rest->empty() ? std::string(target.path) : base::Concat(target.path, "?", *rest));
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

PresentedKey FindKey(const ApiKeyMethod& method, const http::RequestHead& head) {
  const auto look = [](const std::vector<std::string>& names, KeyPlace::Kind kind, const auto& find) {
    for (size_t i = 0; i < names.size(); ++i) {
      PresentedKey found = find(names[i]);
      if (found.count == 0) continue;
      found.place = {kind, i};
      return found;
    }
    return PresentedKey();
  };
  PresentedKey found =
      look(method.headers, KeyPlace::Kind::kHeader, [&](std::string_view name) { return InHeader(name, head.fields); });
  if (found.count > 0) return found;
  found =
      look(method.cookies, KeyPlace::Kind::kCookie, [&](std::string_view name) { return InCookie(name, head.fields); });
  if (found.count > 0) return found;
  const route::Target target = route::SplitTarget(head.path);
  return look(method.parameters, KeyPlace::Kind::kParameter,
              [&](std::string_view name) { return InQuery(name, target.query); });
}

void RemoveKeys(const ApiKeyMethod& method, KeyPlace kept, http::RequestHead& head) {
  RemoveKeyFields(method, kept, head.fields);
  RemoveCookies(method.cookies, KeptOf(kept, KeyPlace::Kind::kCookie), head.fields);
  RemoveParameters(method.parameters, KeptOf(kept, KeyPlace::Kind::kParameter), head);
}

void RemoveKeyFields(const ApiKeyMethod& method, KeyPlace kept, http::Fields& fields) {
  if (method.headers.empty()) return;
  const std::optional<size_t> index = KeptOf(kept, KeyPlace::Kind::kHeader);
  fields.RemoveIf([&](const http::Field& field) {
    if (index && field.name == method.headers[*index]) return false;
    return AnyBut(method.headers, std::nullopt, [&](std::string_view name) { return LooksTheSame(field.name, name); });
  });
}

bool LooksTheSame(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return x == y || (!IsLetterOrDigit(x) && !IsLetterOrDigit(y)); });
}

}  // namespace portico::auth
