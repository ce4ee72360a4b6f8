#include "api/check/resource/path_match.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "re2/re2.h"

namespace portico::check {
namespace {

constexpr size_t kPathBytesMax = 1024;        // Gateway API
constexpr int64_t kRegexMemoryMax = 1 << 20;  // RE2's program and caches for one expression

bool HasWholeEscapes(std::string_view path) {
  const auto is_digit = [path](size_t place) {
    return place < path.size() && std::isxdigit(static_cast<unsigned char>(path[place])) != 0;
  };
  for (size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1))
    if (!is_digit(at + 1) || !is_digit(at + 2)) return false;
  return true;
}

// However it is spelt, and whatever else than a slash some would take for its end: no request with such a path gets as
// far as a rule.
bool IsDotSegment(std::string_view segment) {
  std::string text = base::LowerAscii(segment);
  for (size_t at = text.find("%2e"); at != std::string::npos; at = text.find("%2e"))
    text.replace(at, 3, ".");
  const std::string_view front =
      std::string_view(text).substr(0, std::min({text.find(';'), text.find('\\'), text.find("%5c"), text.find("%3b")}));
  return front == "." || front == "..";
}

}  // namespace

void CheckRegex(const std::string& text, std::string path, Report& report) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  const re2::RE2 regex(text, options);
  if (!regex.ok()) report.Add(std::move(path), base::Concat("is no RE2 expression: ", regex.error()));
}

void CheckPathMatch(const portico::v1::PathMatch& match, const std::string& path, Report& report) {
  if (!match.has_value()) return;
  const std::string& value = match.value();
  const std::string field = path + ".value";
  const bool is_regex = match.type() == portico::v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION;
  if (is_regex && value.size() <= kPathBytesMax) return CheckRegex(value, field, report);
  CheckPath(value, field, report);
}

void CheckPath(const std::string& value, const std::string& field, Report& report) {
  if (value.size() > kPathBytesMax) {
    return report.Add(field, base::Concat("must be at most ", kPathBytesMax, " bytes"));
  }
  if (!value.starts_with('/')) return report.Add(field, "must begin with /");
  if (value.find("//") != std::string::npos) report.Add(field, "must not hold //");
  if (base::LowerAscii(value).find("%2f") != std::string::npos) report.Add(field, "must not hold an encoded slash");
  if (!HasWholeEscapes(value)) report.Add(field, "must have two hexadecimal digits after each %");
  if (value.find("%00") != std::string::npos) report.Add(field, "must not hold an encoded NUL");
  for (const std::string_view segment : base::Split(value, '/')) {
    if (IsDotSegment(segment)) report.Add(field, "must not hold the segments . and ..");
  }
}

}  // namespace portico::check
