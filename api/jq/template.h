#ifndef PORTICO_API_JQ_TEMPLATE_H_
#define PORTICO_API_JQ_TEMPLATE_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/jq/evaluate.h"

namespace portico::jq {

// What the text around an expansion is, and so how a value gets into it.
enum class TemplatePlace {
  kPath,  // percent-encoded but for RFC 3986's unreserved; empty is an error, so is a segment that becomes . or ..
  kQueryValue,   // percent-encoded alike; empty is an error
  kHeaderValue,  // as it is; control characters are an error (RFC 9110 section 5.5)
};

inline constexpr size_t kTemplateBytesMax = 8 << 10;  // of text; a request target is rarely longer
inline constexpr size_t kTemplateExpansionsMax = 32;  // in one template

// "/customers/${identity.subject}/orders": text with `${name}`, `${name.key.key}`, `${name.list[0]}` in it. Keys are
// letters, digits, `_` and (not in the variable's name) `-`. `$${` stands for `${` as text; any other `$` is itself.
// Immutable.
//
//   auto path = Template::Parse("/products/${each}");
//   path->variables()                                             // {"each"}
//   path->Expand(bindings, TemplatePlace::kPath, 4096)            // "/products/a%2Fb"
//
// Strings, numbers and booleans expand. A variable or member that is missing, null, an array or an object is an error
// that names the expansion: a URL with a hole is a call to somewhere else.
class Template {
 public:
  // kInvalidArgument: "column 12: ...".
  static absl::StatusOr<Template> Parse(std::string_view text);

  // Names used, each once, in order of appearance.
  const std::vector<std::string>& variables() const { return variables_; }

  // kInvalidArgument names the expansion; kResourceExhausted: longer than `bytes_max`.
  absl::StatusOr<std::string> Expand(std::span<const Binding> bindings, TemplatePlace place, size_t bytes_max) const;

 private:
  struct Step {
    std::string key;
    size_t index = 0;  // used if `key` is empty
  };
  struct Piece {
    std::string text;         // literal, or the expansion as written for messages
    std::vector<Step> steps;  // empty: literal; the first is the variable
  };

  static absl::StatusOr<Piece> ParseExpansion(std::string_view text, size_t column);
  static absl::StatusOr<std::string> Value(const Piece& piece, std::span<const Binding> bindings, TemplatePlace place);

  std::vector<Piece> pieces_;
  std::vector<std::string> variables_;
};

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_TEMPLATE_H_
