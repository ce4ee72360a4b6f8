#include "api/jq/template.h"

#include <algorithm>

#include "api/base/json.h"
#include "api/base/text.h"

namespace portico::jq {

using base::Concat;
using base::Json;
using base::ToAbsl;

namespace {

constexpr size_t kIndexMax = 1'000'000;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
// RFC 3986 section 2.3
bool IsUnreserved(char c) {
  return IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

size_t KeyBytes(std::string_view text, bool variable) {
  size_t length = 0;
  while (length < text.size() && (IsLetter(text[length]) || IsDigit(text[length]) || text[length] == '_' ||
                                  (!variable && text[length] == '-'))) {
    ++length;
  }
  return variable && length > 0 && IsDigit(text[0]) ? 0 : length;
}

std::string PercentEncoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
  }
  return out;
}

bool IsControl(char c) {
  return static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
}

bool IsDotSegment(std::string_view segment) {
  return segment == "." || segment == "..";
}

absl::Status Refuse(size_t column, std::string_view what) {
  return absl::InvalidArgumentError(ToAbsl(Concat("column ", column, ": ", what)));
}

absl::Status RefuseValue(std::string_view expansion, std::string_view what) {
  return absl::InvalidArgumentError(ToAbsl(Concat("${", expansion, "} ", what)));
}

}  // namespace

// `text` is what stands between the brackets.
absl::StatusOr<Template::Piece> Template::ParseExpansion(std::string_view text, size_t column) {
  Piece piece{std::string(text), {}};
  const size_t name = KeyBytes(text, true);
  if (name == 0) return Refuse(column, "expected a variable's name after `${`");
  piece.steps.push_back({std::string(text.substr(0, name))});
  size_t at = name;
  while (at < text.size()) {
    if (text[at] == '.') {
      const size_t length = KeyBytes(text.substr(at + 1), false);
      if (length == 0) return Refuse(column + at, "expected a key after `.`");
      piece.steps.push_back({std::string(text.substr(at + 1, length))});
      at += 1 + length;
      continue;
    }
    const size_t end = text[at] == '[' ? text.find(']', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      return Refuse(column + at,
                    "only `.key` and `[number]` may follow; an expression belongs in a step or the answer");
    }
    const auto index = base::ParseDecimal(text.substr(at + 1, end - at - 1));
    if (!index || *index > kIndexMax) return Refuse(column + at, "expected a number in `[]`");
    piece.steps.push_back({"", static_cast<size_t>(*index)});
    at = end + 1;
  }
  return piece;
}

absl::StatusOr<Template> Template::Parse(std::string_view text) {
  if (text.size() > kTemplateBytesMax) {
    return absl::InvalidArgumentError(ToAbsl(Concat("the template is longer than ", kTemplateBytesMax, " bytes")));
  }
  Template result;
  std::string literal;
  size_t expansions = 0;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at, 3) == "$${") {
      literal += "${";
      at += 3;
      continue;
    }
    if (text.substr(at, 2) != "${") {
      literal += text[at++];
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return Refuse(at + 1, "`${` without its `}`");
    if (++expansions > kTemplateExpansionsMax) {
      return Refuse(at + 1, Concat("more than ", kTemplateExpansionsMax, " expansions"));
    }
    absl::StatusOr<Piece> piece = ParseExpansion(text.substr(at + 2, end - at - 2), at + 3);
    if (!piece.ok()) return piece.status();
    const std::string& name = piece->steps[0].key;
    if (std::find(result.variables_.begin(), result.variables_.end(), name) == result.variables_.end()) {
      result.variables_.push_back(name);
    }
    result.pieces_.push_back({std::move(literal), {}});
    result.pieces_.push_back(*std::move(piece));
    literal.clear();
    at = end + 1;
  }
  result.pieces_.push_back({std::move(literal), {}});
  return result;
}

absl::StatusOr<std::string> Template::Value(const Piece& piece, std::span<const Binding> bindings,
                                            TemplatePlace place) {
  const auto found = std::find_if(bindings.begin(), bindings.end(),
                                  [&](const Binding& binding) { return binding.name == piece.steps[0].key; });
  const Json* value = found == bindings.end() ? nullptr : &found->value;
  for (size_t i = 1; i < piece.steps.size() && value != nullptr; ++i) {
    const Step& step = piece.steps[i];
    if (!step.key.empty()) {
      value = value->Find(step.key);
    } else {
      const bool inside = value->is_array() && step.index < value->items().size();
      value = inside ? &value->items()[step.index] : nullptr;
    }
  }
  if (value == nullptr) return RefuseValue(piece.text, "is missing");
  if (value->is_null()) return RefuseValue(piece.text, "is null");
  if (value->is_array() || value->is_object()) return RefuseValue(piece.text, "is no string, number or boolean");
  std::string text;
  if (value->is_string()) {
    text = value->string();
  } else {
    base::AppendJson(text, *value, SIZE_MAX);
  }
  if (place == TemplatePlace::kHeaderValue) {
    if (std::any_of(text.begin(), text.end(), IsControl)) return RefuseValue(piece.text, "holds a control character");
    return text;
  }
  if (text.empty()) return RefuseValue(piece.text, "is empty");
  return PercentEncoded(text);
}

absl::StatusOr<std::string> Template::Expand(std::span<const Binding> bindings, TemplatePlace place,
                                             size_t bytes_max) const {
  std::string out;
  size_t segment = 0;                    // where the last path segment begins
  const Piece* expanded_last = nullptr;  // what was expanded in that segment
  const auto is_dot = [&] { return expanded_last != nullptr && IsDotSegment(std::string_view(out).substr(segment)); };
  const auto refuse_dot = [&] { return RefuseValue(expanded_last->text, "makes a path segment `.` or `..`"); };
  for (const Piece& piece : pieces_) {
    if (!piece.steps.empty()) {
      absl::StatusOr<std::string> value = Value(piece, bindings, place);
      if (!value.ok()) return value.status();
      out += *value;
      expanded_last = &piece;
    } else {
      for (const char c : piece.text) {
        if (place == TemplatePlace::kPath && (c == '/' || c == '?')) {
          if (is_dot()) return refuse_dot();
          segment = out.size() + 1;
          expanded_last = nullptr;
        }
        out.push_back(c);
      }
    }
    if (out.size() > bytes_max) {
      return absl::ResourceExhaustedError(ToAbsl(Concat("the expanded text is longer than ", bytes_max, " bytes")));
    }
  }
  if (place == TemplatePlace::kPath && is_dot()) return refuse_dot();
  return out;
}

}  // namespace portico::jq
