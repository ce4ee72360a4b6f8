#ifndef PORTICO_API_BASE_JSON_H_
#define PORTICO_API_BASE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/base/arena.h"

namespace portico::base {

// JSON (RFC 8259) as immutable values of 24 bytes that live in an arena and are never freed one by one.
//
//   Arena arena;
//   absl::StatusOr<Json> value = ParseJson(text, arena);      // `text` may go, `arena` must stay
//   const Json* subject = value->Find("sub");
//   if (subject != nullptr && subject->type() == JsonType::kString) Use(subject->string());
//
// A Json is copied freely; what it points to lives as long as the arena (or the text that was handed to String()).
// Reading the same value from several threads is safe.

// In jq's order of types; true and false are one type there and two here.
enum class JsonType : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

struct JsonMember;

// No value is nested deeper, so code that walks a value by recursion needs no limit of its own.
inline constexpr size_t kJsonDepthMax = 1000;

class Json {
 public:
  constexpr Json() = default;  // null
  static Json Bool(bool value);
  static Json Number(double value);
  // `text`, the number as it was written (RFC 8259 section 6), is what is printed.
  static Json Number(double value, std::string_view text);
  static Json String(std::string_view text);  // valid UTF-8
  // `items` are copied into the arena. Their depth must be below kJsonDepthMax.
  static Json Array(Arena& arena, std::span<const Json> items);
  // As Array(); of equal names the last value counts, at the place of the first, as in jq. Names are not copied.
  static Json Object(Arena& arena, std::span<const JsonMember> members);

  JsonType type() const { return type_; }
  bool is_null() const { return type_ == JsonType::kNull; }
  bool is_bool() const { return type_ == JsonType::kTrue || type_ == JsonType::kFalse; }
  bool is_number() const { return type_ == JsonType::kNumber; }
  bool is_string() const { return type_ == JsonType::kString; }
  bool is_array() const { return type_ == JsonType::kArray; }
  bool is_object() const { return type_ == JsonType::kObject; }

  // Each only for its type.
  bool boolean() const { return type_ == JsonType::kTrue; }
  double number() const { return number_; }
  std::string_view number_text() const { return {static_cast<const char*>(extra_), count_}; }  // "": computed
  std::string_view string() const { return {static_cast<const char*>(data_), count_}; }
  std::span<const Json> items() const { return {static_cast<const Json*>(data_), count_}; }
  inline std::span<const JsonMember> members() const;  // in the order of the text

  // The member's value, nullptr if there is none or this is no object.
  const Json* Find(std::string_view name) const;
  // Positions of the members in the order of their names (bytewise). `scratch` must live as long as the result.
  std::span<const uint32_t> NameOrder(std::span<uint32_t, 8> scratch) const;
  // 0 for scalars, one more than the deepest element for arrays and objects.
  size_t depth() const { return depth_; }

 private:
  JsonType type_ = JsonType::kNull;
  uint16_t depth_ = 0;
  uint32_t count_ = 0;  // bytes or elements
  union {
    double number_;
    const void* data_ = nullptr;
  };
  const void* extra_ = nullptr;  // a number's text, a large object's order of names
};

struct JsonMember {
  std::string_view name;
  Json value;
};

inline std::span<const JsonMember> Json::members() const {
  return {static_cast<const JsonMember*>(data_), count_};
}

struct JsonParseOptions {
  size_t bytes_max = 16 << 20;           // the text
  size_t depth_max = 128;                // real documents stay below 20; at most kJsonDepthMax
  size_t values_max = 2'000'000;         // "0," is 2 bytes of text and 24 of memory
  bool refuse_duplicate_names = false;   // on for what is signed: RFC 7519 section 4
  bool replace_lone_surrogates = false;  // "\ud800" becomes U+FFFD instead of an error: RFC 8259 section 8.2
};

// Strict: one value and white space, valid UTF-8, no comment, no NaN, no trailing comma. Errors: kInvalidArgument with
// the byte's offset, kResourceExhausted with the limit's name.
absl::StatusOr<Json> ParseJson(std::string_view text, Arena& arena, const JsonParseOptions& options = {});

// Compact. kResourceExhausted: more than `bytes_max` (values share parts, so a small one can print large).
absl::StatusOr<std::string> PrintJson(const Json& value, size_t bytes_max);
// The same at the end of `out`, up to `out.size() <= bytes_max`; false: cut short there.
bool AppendJson(std::string& out, const Json& value, size_t bytes_max);
// A number's text as written, else the shortest that reads back as the same double; NaN is null, infinity the largest.
void AppendJsonNumber(std::string& out, const Json& number);
// The value of digits with point and exponent, which the caller has checked. Too large is infinity, too small zero.
double JsonNumberValue(std::string_view text);
// With quotes. For text from anywhere: control characters are escaped, what is not UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace portico::base

#endif  // PORTICO_API_BASE_JSON_H_
