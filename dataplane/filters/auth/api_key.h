#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_API_KEY_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_API_KEY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/http/message.h"

namespace portico::auth {

// Where keys may stand in a request, and whether they go on. Pure: request heads in and out.
//
//   const PresentedKey presented = FindKey(method, head);     // before anything is removed
//   ... whose is it? ...
//   RemoveKeys(method, kept, head);
struct ApiKeyMethod {
  std::vector<std::string> headers;     // lower case
  std::vector<std::string> cookies;     // as they are written
  std::vector<std::string> parameters;  // of the query, decoded
  bool forward_credentials = false;     // the place that counted is kept
};

// Longer ones are nobody's: digests are made of what a client sends, and keys are short.
inline constexpr size_t kKeyBytesMax = 1024;

struct KeyPlace {
  enum class Kind : uint8_t { kNone, kHeader, kCookie, kParameter };
  Kind kind = Kind::kNone;
  size_t index = 0;  // in the method's list
};

struct PresentedKey {
  KeyPlace place;    // kNone: no place holds anything
  size_t count = 0;  // how many stand there: more than one is nobody's
  std::string key;   // the first; a parameter's is decoded
};

// The first place that is in use, in the order of headers, cookies and parameters. An empty value is in use.
PresentedKey FindKey(const ApiKeyMethod& method, const http::RequestHead& head);

// Removes what stands in any of the places, known as a key or not, but for `kept`: the field in every spelling that
// origins take for the same, the one cookie of its field, the one parameter of the target. The rest of a cookie field
// and of a query stays byte by byte. The target gets a new text in the head's arena if it changes.
void RemoveKeys(const ApiKeyMethod& method, KeyPlace kept, http::RequestHead& head);

// As RemoveKeys does of header fields: of trailer sections.
void RemoveKeyFields(const ApiKeyMethod& method, KeyPlace kept, http::Fields& fields);

// Lower-case names that an origin may read as one: every character but letters and digits is the same (CGI makes
// x-user-id and x_user_id one variable).
bool LooksTheSame(std::string_view a, std::string_view b);

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_API_KEY_H_
