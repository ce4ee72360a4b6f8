#ifndef PORTICO_DATAPLANE_CACHE_VARIANTS_H_
#define PORTICO_DATAPLANE_CACHE_VARIANTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/http/fields.h"

namespace portico::cache {

// RFC 9111 section 4.1: a response is for the requests whose fields that its `vary` names are those of the request that
// brought it. Values are compared as text, several lines as one list: what a field means is its origin's to know, so
// two spellings of the same are two variants.

struct SelectingField {
  std::string name;                  // lower case
  std::optional<std::string> value;  // nullopt: the request had none
  bool operator==(const SelectingField&) const = default;
};
using SelectingFields = std::vector<SelectingField>;  // by name, each once

inline constexpr size_t kSelectingFieldsMax = 16;       // of one response
inline constexpr size_t kSelectingBytesMax = 4 * 1024;  // of their values: a cookie fits

// What selects this response to this request (as the origin saw it). nullopt: nothing would, as for `vary: *`; what is
// no list of names, or breaks a limit, is taken for "*".
std::optional<SelectingFields> SelectingFieldsOf(const http::Fields& response, const http::Fields& request);

bool Selects(const SelectingFields& selecting, const http::Fields& request);

// All values of that name as one list, or nullopt.
std::optional<std::string> CombinedValue(const http::Fields& fields, std::string_view name);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_VARIANTS_H_
