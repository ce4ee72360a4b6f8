#ifndef PORTICO_DATAPLANE_HTTP_H1_REASON_PHRASE_H_
#define PORTICO_DATAPLANE_HTTP_H1_REASON_PHRASE_H_

#include <string_view>

namespace portico::http::h1 {

// The phrase of a registered status (RFC 9110 section 15); "" for others. Only for people to read.
std::string_view ReasonPhrase(int status);

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_REASON_PHRASE_H_
