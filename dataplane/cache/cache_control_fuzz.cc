#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/base/arena.h"
#include "api/base/check.h"
#include "dataplane/cache/cache_control.h"
#include "dataplane/cache/conditional.h"
#include "dataplane/cache/freshness.h"
#include "dataplane/cache/variants.h"
#include "dataplane/http/date.h"

namespace {

using portico::cache::CacheControl;

bool Same(const CacheControl& a, const CacheControl& b) {
  return a.present == b.present && a.no_store == b.no_store && a.no_cache == b.no_cache &&
         a.is_private == b.is_private && a.is_public == b.is_public && a.must_revalidate == b.must_revalidate &&
         a.must_understand == b.must_understand && a.only_if_cached == b.only_if_cached && a.max_age == b.max_age &&
         a.s_maxage == b.s_maxage && a.min_fresh == b.min_fresh;
}

}  // namespace

// Two lines say what one line of both says; and no value of a field that the cache reads makes it read beyond.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view first = input.substr(0, input.find('\n'));
  const std::string_view second = first.size() < input.size() ? input.substr(first.size() + 1) : "";
  portico::base::Arena arena;
  portico::http::Fields two(arena), one(arena);
  two.Add("cache-control", first);
  two.Add("cache-control", second);
  one.Add("cache-control", *two.Combined("cache-control"));
  const CacheControl apart = portico::cache::ReadCacheControl(two);
  const CacheControl together = portico::cache::ReadCacheControl(one);
  // An open quote may find its end in the next line, or its text: the lines apart are then the ones that fail.
  if (!apart.malformed) PORTICO_CHECK(!together.malformed && Same(apart, together));

  const portico::base::WallTime now{std::chrono::seconds(1'700'000'000)};
  (void)portico::http::ParseDate(first, now);
  (void)portico::cache::EntityTagListHas(first, second);
  const auto range = portico::cache::ParseByteRange(first, second.size());
  if (range) PORTICO_CHECK(range->length == 0 || range->offset + range->length <= second.size());
  portico::http::Fields response(arena);
  response.Add("vary", first);
  response.Add("age", second);
  response.Add("expires", first);
  (void)portico::cache::InitialAge(response, {{}, {}, now});
  const auto selecting = portico::cache::SelectingFieldsOf(response, response);
  if (selecting) PORTICO_CHECK(portico::cache::Selects(*selecting, response));
  return 0;
}
