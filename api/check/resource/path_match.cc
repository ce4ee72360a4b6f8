#include "api/check/resource/path_match.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "re2/re2.h"

namespace portico::check {
namespace {

constexpr size_t kPathBytesMax = 1024;        // Gateway API
constexpr int64_t kRegexMemoryMax = 1 << 20;  // RE2's program and caches for one expression

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
  if (value.size() > kPathBytesMax) {
    return report.Add(field, base::Concat("must be at most ", kPathBytesMax, " bytes"));
  }
  if (match.type() == portico::v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION) return CheckRegex(value, field, report);
  if (!value.starts_with('/')) return report.Add(field, "must begin with /");
  if (value.find("//") != std::string::npos) report.Add(field, "must not hold //");
  if (base::LowerAscii(value).find("%2f") != std::string::npos) report.Add(field, "must not hold an encoded slash");
  for (const std::string_view segment : base::Split(value, '/')) {
    if (segment == "." || segment == "..") report.Add(field, "must not hold the segments . and ..");
  }
}

}  // namespace portico::check
