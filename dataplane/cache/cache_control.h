#ifndef PORTICO_DATAPLANE_CACHE_CACHE_CONTROL_H_
#define PORTICO_DATAPLANE_CACHE_CACHE_CONTROL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/http/fields.h"

namespace portico::cache {

// What `cache-control` says (RFC 9111 section 5.2), of a request or a response; directives that nobody here asks for
// are skipped. Pure.
//
//   const CacheControl control = ReadCacheControl(head.fields);
//   if (control.malformed) …                     // then nothing in it is certain
struct CacheControl {
  bool present = false;  // there is such a field
  // What is no list of directives, a number that is none, one directive with two values, more than kDirectivesMax.
  bool malformed = false;

  bool no_store = false;
  bool no_cache = false;    // also no-cache="field": all of it is asked for again
  bool is_private = false;  // also private="field": all of it is private
  bool is_public = false;
  bool must_revalidate = false;  // also proxy-revalidate, which means us
  bool must_understand = false;
  bool only_if_cached = false;
  std::optional<std::chrono::seconds> max_age;
  std::optional<std::chrono::seconds> s_maxage;
  std::optional<std::chrono::seconds> min_fresh;
};

inline constexpr size_t kDirectivesMax = 64;  // of one section: honest ones have less than ten
// A greater number of seconds is this one (RFC 9111 section 1.2.2).
inline constexpr std::chrono::seconds kDeltaMax{uint64_t{1} << 31};

CacheControl ReadCacheControl(const http::Fields& fields);

// A number of seconds: digits alone. nullopt: it is none.
std::optional<std::chrono::seconds> ParseDelta(std::string_view text);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_CACHE_CONTROL_H_
