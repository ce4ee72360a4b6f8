#include "dataplane/route/path.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/base/hex.h"

namespace portico::route {
namespace {

// The byte that "%XX" at `at` stands for, -1 if it is no escape.
int EscapedByte(std::string_view text, size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = base::HexDigit(text[at + 1]);
  const int low = base::HexDigit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// RFC 3986 section 2.3.
bool IsUnreserved(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// A byte of a normal path, decoded, and the characters that it takes there.
struct Unit {
  int byte;
  size_t size;
};

Unit UnitAt(std::string_view path, size_t at) {
  const int escaped = path[at] == '%' ? EscapedByte(path, at) : -1;
  return escaped >= 0 ? Unit{escaped, 3} : Unit{static_cast<unsigned char>(path[at]), 1};
}

// To some origin at least.
bool IsSeparator(int byte) {
  return byte == '/' || byte == '\\';
}

// In a path that is otherwise normal. Whatever ends a segment or its name for some origin does so here: what follows
// `;` is a parameter to some, which then see the dots alone.
bool HasDotSegment(std::string_view path) {
  size_t begin = 0;
  bool in_parameter = false;
  for (size_t i = 0; i <= path.size();) {
    const Unit unit = i == path.size() ? Unit{'/', 1} : UnitAt(path, i);
    const bool separates = IsSeparator(unit.byte);
    const bool begins_parameter = unit.byte == ';';
    if (!in_parameter && (separates || begins_parameter)) {
      const std::string_view name = path.substr(begin, i - begin);
      if (name == "." || name == "..") return true;
    }
    i += unit.size;
    if (separates) begin = i;
    in_parameter = !separates && (in_parameter || begins_parameter);
  }
  return false;
}

// What becomes of `;` and what follows it in a segment.
enum class Parameters : uint8_t { kKept, kDroppedToSlash, kDroppedToSeparator };

// `separators`: also a backslash and what is encoded separates segments.
std::string ReadAs(std::string_view path, bool separators, Parameters parameters) {
  std::string out;
  bool in_parameter = false;
  for (size_t i = 0; i < path.size();) {
    const Unit unit = UnitAt(path, i);
    const bool counts = in_parameter ? parameters == Parameters::kDroppedToSeparator : separators;
    if (path[i] == '/' || (counts && IsSeparator(unit.byte))) {
      in_parameter = false;
      if (!out.ends_with('/')) out.push_back('/');
    } else if (unit.byte == ';' && parameters != Parameters::kKept) {
      in_parameter = true;
    } else if (!in_parameter) {
      out.append(path.substr(i, unit.size));
    }
    i += unit.size;
  }
  return out;
}

bool HasOtherReadings(std::string_view path) {
  constexpr std::string_view kSigns = ";\\%";
  for (size_t i = path.find_first_of(kSigns); i != std::string_view::npos; i = path.find_first_of(kSigns, i + 1)) {
    const int byte = UnitAt(path, i).byte;
    if (byte == ';' || IsSeparator(byte)) return true;
  }
  return false;
}

absl::Status Decode(std::string_view path, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out.reserve(path.size());
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      if (path[i] != '/' || !out.ends_with('/')) out.push_back(path[i]);
      continue;
    }
    const int byte = EscapedByte(path, i);
    if (byte < 0) return absl::InvalidArgumentError("the path has a `%` without two hexadecimal digits");
    if (byte == 0) return absl::InvalidArgumentError("the path has an encoded NUL");
    if (IsUnreserved(byte)) {
      out.push_back(static_cast<char>(byte));
    } else {
      out.push_back('%');
      out.push_back(kDigits[static_cast<size_t>(byte) >> 4]);
      out.push_back(kDigits[static_cast<size_t>(byte) & 15]);
    }
    i += 2;
  }
  return absl::OkStatus();
}

bool IsPlainForm(std::string_view text) {
  return text.find_first_of("%+") == std::string_view::npos;
}

}  // namespace

bool NeedsNormalising(std::string_view path) {
  if (!path.starts_with('/')) return path != "*";
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%') return true;
    // Dots and slashes matter only right after a separator.
    if ((c == '/' || c == '\\') && i + 1 < path.size() && (path[i + 1] == '/' || path[i + 1] == '.')) return true;
  }
  return false;
}

NormalisedPath NormalisePath(std::string_view path) {
  if (path == "*") return {absl::OkStatus(), "*"};
  if (!path.starts_with('/')) return {absl::InvalidArgumentError("the path does not begin with `/`"), ""};
  NormalisedPath out;
  out.status = Decode(path, out.path);
  if (!out.status.ok()) return out;
  if (HasDotSegment(out.path)) out.status = absl::InvalidArgumentError("the path has a dot segment");
  return out;
}

std::vector<std::string> OtherReadings(std::string_view path) {
  constexpr struct {
    bool separators;
    Parameters parameters;
  } kReadings[] = {{true, Parameters::kKept},
                   {false, Parameters::kDroppedToSlash},
                   {true, Parameters::kDroppedToSlash},
                   {true, Parameters::kDroppedToSeparator}};
  std::vector<std::string> out;
  if (!HasOtherReadings(path)) return out;
  for (const auto& [separators, parameters] : kReadings) {
    std::string reading = ReadAs(path, separators, parameters);
    if (reading != path && std::find(out.begin(), out.end(), reading) == out.end()) out.push_back(std::move(reading));
  }
  return out;
}

std::string DecodeForm(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? EscapedByte(text, i) : -1;
    if (byte >= 0) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

Target SplitTarget(std::string_view target) {
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}, false};
  return {target.substr(0, mark), target.substr(mark + 1), true};
}

std::string_view HostOf(std::string_view authority) {
  // In brackets colons belong to the address (RFC 3986 section 3.2.2).
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string_view host = authority.substr(0, colon);
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  return host;
}

std::optional<std::string> FindQueryParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    if (IsPlainForm(key) ? key != name : DecodeForm(key) != name) continue;
    return equals == std::string_view::npos ? std::string() : DecodeForm(pair.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace portico::route
