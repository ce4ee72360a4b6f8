#include "dataplane/cache/cache_control.h"

#include <algorithm>

#include "api/base/text.h"
#include "dataplane/http/syntax.h"

namespace portico::cache {
namespace {

struct Directive {
  std::string_view name;
  std::optional<std::string_view> value;  // without its quotes, escapes as they came
};

// Takes a quoted string off `rest`, which begins with its quote (RFC 9110 section 5.6.4). nullopt: it has no end.
std::optional<std::string_view> TakeQuoted(std::string_view& rest) {
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      const std::string_view inside = rest.substr(1, i - 1);
      rest.remove_prefix(i + 1);
      return inside;
    }
  }
  return std::nullopt;
}

// Takes one directive off a list that does not begin with a comma or space. nullopt: there is none to be read.
std::optional<Directive> TakeDirective(std::string_view& rest) {
  const size_t name_end = std::min(rest.find_first_of("=, \t"), rest.size());
  Directive directive{rest.substr(0, name_end), std::nullopt};
  rest.remove_prefix(name_end);
  if (!http::IsToken(directive.name)) return std::nullopt;
  if (!rest.starts_with('=')) return directive;
  rest.remove_prefix(1);
  if (rest.starts_with('"')) {
    directive.value = TakeQuoted(rest);
  } else {
    const size_t value_end = std::min(rest.find_first_of(", \t"), rest.size());
    if (http::IsToken(rest.substr(0, value_end))) directive.value = rest.substr(0, value_end);
    rest.remove_prefix(value_end);
  }
  if (!directive.value) return std::nullopt;
  return directive;
}

class Reader {
 public:
  void Line(std::string_view line) {
    out_.present = true;
    bool separated = true;
    while (!out_.malformed) {
      while (!line.empty() && (line.front() == ',' || line.front() == ' ' || line.front() == '\t')) {
        separated = separated || line.front() == ',';
        line.remove_prefix(1);
      }
      if (line.empty()) return;
      const std::optional<Directive> directive = separated ? TakeDirective(line) : std::nullopt;
      out_.malformed = !directive || ++count_ > kDirectivesMax;
      if (!out_.malformed) Take(*directive);
      separated = false;
    }
  }
  const CacheControl& out() const { return out_; }

 private:
  void Take(const Directive& directive) {
    const auto is = [&](std::string_view name) { return base::EqualsIgnoreCase(directive.name, name); };
    if (is("no-store")) out_.no_store = true;
    if (is("no-cache")) out_.no_cache = true;
    if (is("private")) out_.is_private = true;
    if (is("public")) out_.is_public = true;
    if (is("must-revalidate") || is("proxy-revalidate")) out_.must_revalidate = true;
    if (is("must-understand")) out_.must_understand = true;
    if (is("only-if-cached")) out_.only_if_cached = true;
    if (is("max-age")) Number(directive, out_.max_age);
    if (is("s-maxage")) Number(directive, out_.s_maxage);
    if (is("min-fresh")) Number(directive, out_.min_fresh);
  }

  // Section 4.2.1: of two values neither is believed.
  void Number(const Directive& directive, std::optional<std::chrono::seconds>& number) {
    const std::optional<std::chrono::seconds> value = ParseDelta(directive.value.value_or(""));
    if (!value || (number && *number != *value)) out_.malformed = true;
    number = value;
  }

  CacheControl out_;
  size_t count_ = 0;
};

}  // namespace

std::optional<std::chrono::seconds> ParseDelta(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::chrono::seconds value{0};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(kDeltaMax, value * 10 + std::chrono::seconds(c - '0'));
  }
  return value;
}

CacheControl ReadCacheControl(const http::Fields& fields) {
  Reader reader;
  for (const http::Field& field : fields)
    if (field.id == http::FieldId::kCacheControl) reader.Line(field.value);
  return reader.out();
}

}  // namespace portico::cache
