#ifndef PORTICO_API_CHECK_QUALIFIED_NAME_H_
#define PORTICO_API_CHECK_QUALIFIED_NAME_H_

#include <string>
#include <string_view>

#include "api/check/resource_key.h"

namespace portico::check {

// "NAME" or "NAMESPACE/NAME", as fields and flags name a resource: without a namespace it is of `own_namespace`. What
// is not written so gives a key without a name or a namespace, or one that nobody has.
inline ResourceKey ReadQualifiedName(std::string_view kind, std::string_view own_namespace, std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {std::string(kind), std::string(own_namespace), std::string(text)};
  return {std::string(kind), std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_QUALIFIED_NAME_H_
