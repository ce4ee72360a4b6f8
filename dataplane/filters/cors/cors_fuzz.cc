// Lines: an origin, a method, names of fields. Whatever a page sends, only an origin that agrees is told so, and what
// is repeated is what it said.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/base/arena.h"
#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/filters/cors/cors.h"
#include "dataplane/http/fields.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto lines = base::Split(input, '\n');
  const std::string_view origin = lines[0];
  const std::string_view method = lines.size() > 1 ? lines[1] : "";
  const std::string_view names = lines.size() > 2 ? lines[2] : "";
  cors::CorsConfig config;
  config.origins = {{"https://", ".shop.example", true}, {"http://", "localhost:8080", false}};
  config.credentials = true;
  config.methods = config.headers = "*";
  config.max_age = "5";
  const bool allowed = cors::AllowsOrigin(config, origin);
  if (allowed && origin != "http://localhost:8080") {
    PORTICO_CHECK(origin.starts_with("https://") && origin.ends_with(".shop.example"));
    PORTICO_CHECK(origin.substr(8).find_first_of("/?#@:\\ ,\"<>") == origin.npos, "more than a name");
  }
  base::Arena arena;
  http::Fields preflight(arena), answer(arena);
  answer.Add("access-control-allow-origin", names);
  cors::AddPreflightFields(config, origin, method, names, preflight);
  cors::EditResponseFields(config, origin, answer);
  for (const http::Fields* fields : {&preflight, &answer}) {
    const auto told = fields->Find("access-control-allow-origin");
    PORTICO_CHECK(told.has_value() == allowed && (!told || *told == origin));
  }
  const auto repeated = preflight.Find("access-control-allow-headers");
  PORTICO_CHECK(!repeated || (*repeated == names && repeated->find_first_of("<>\"\\:;") == names.npos));
  return 0;
}
