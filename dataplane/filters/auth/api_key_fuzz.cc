// A target, a newline, and a cookie field: what is removed is found no more, and nothing grows.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "api/base/check.h"
#include "dataplane/filters/auth/api_key.h"
#include "dataplane/http/message.h"
#include "dataplane/route/path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::auth;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view cookie = input.substr(std::min(line + 1, input.size()));
  ApiKeyMethod method;
  method.cookies = {"k"};
  method.parameters = {"k", "a b"};
  portico::base::Arena arena;
  portico::http::RequestHead head(arena);
  head.path = input.substr(0, line);
  head.fields.Add("cookie", cookie);
  const std::string path(head.path);
  const PresentedKey before = FindKey(method, head);
  PORTICO_CHECK((before.count == 0) == (before.place.kind == KeyPlace::Kind::kNone));
  RemoveKeys(method, KeyPlace(), head);
  PORTICO_CHECK(FindKey(method, head).count == 0, "a key was left");
  PORTICO_CHECK(head.path.size() <= path.size());
  PORTICO_CHECK(portico::route::SplitTarget(head.path).path == portico::route::SplitTarget(path).path);
  size_t cookie_bytes = 0;
  for (const portico::http::Field& field : head.fields)
    cookie_bytes += field.value.size();
  PORTICO_CHECK(cookie_bytes <= cookie.size());
  PORTICO_CHECK(before.count > 0 || (head.path == path && cookie_bytes == cookie.size()), "more than keys is gone");
  return 0;
}
