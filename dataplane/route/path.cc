#include "dataplane/route/path.h"

#include <array>
#include <cstdint>

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

// In a path that is otherwise normal. Every separator that some origin knows ends a segment here.
bool HasDotSegment(std::string_view path) {
  size_t begin = 0;
  for (size_t i = 0; i <= path.size();) {
    size_t separator = 0;
    if (i == path.size() || path[i] == '/' || path[i] == '\\') {
      separator = 1;
    } else if (path[i] == '%') {
      const int byte = EscapedByte(path, i);
      if (byte == '/' || byte == '\\') separator = 3;
    }
    if (separator == 0) {
      ++i;
      continue;
    }
    // What follows `;` is a parameter of the segment to some origins, which then see the dots alone.
    const std::string_view whole = path.substr(begin, i - begin);
    const std::string_view segment = whole.substr(0, whole.find(';'));
    if (segment == "." || segment == "..") return true;
    i += separator;
    begin = i;
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

std::string LoosestReading(std::string_view path) {
  std::string out;
  bool in_parameter = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const int byte = path[i] == '%' ? EscapedByte(path, i) : -1;
    const bool separator = path[i] == '/' || path[i] == '\\' || byte == '/' || byte == '\\';
    if (separator) {
      in_parameter = false;
      if (!out.ends_with('/')) out.push_back('/');
    } else if (path[i] == ';' || byte == ';') {
      in_parameter = true;
    } else if (!in_parameter) {
      out.append(path.substr(i, byte >= 0 ? 3 : 1));
    }
    if (byte >= 0) i += 2;
  }
  return out;
}

bool HasSeveralReadings(std::string_view path) {
  for (size_t i = path.find_first_of(";\\%"); i != std::string_view::npos; i = path.find_first_of(";\\%", i + 1)) {
    const int byte = path[i] == '%' ? EscapedByte(path, i) : path[i];
    if (byte == ';' || byte == '\\' || byte == '/') return true;
  }
  return false;
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
