#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/base/check.h"
#include "dataplane/http/h1/test_peers.h"

// Whatever an origin server sends, in one piece or byte by byte, means the same. The first byte says what was asked.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using portico::http::h1::TestClient;
  constexpr size_t kInputBytesMax = 64 * 1024;
  if (size == 0 || size > kInputBytesMax) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  portico::http::Limits limits;
  limits.head_bytes_max = 1024;  // near enough to be met
  limits.field_count_max = 16;
  limits.trailer_bytes_max = 64;
  limits.chunk_overhead_bytes_max = 256;
  limits.stream_window_bytes = 32;
  TestClient whole(limits);
  TestClient bytes(limits);
  const std::string_view method = (data[0] & 1) != 0 ? "HEAD" : "GET";
  whole.Ask(method);
  bytes.Ask(method);
  whole.Feed(input);
  for (size_t at = 0; at < input.size(); ++at)
    bytes.Feed(input.substr(at, 1));
  if ((data[0] & 2) != 0) {
    whole.End();
    bytes.End();
  }
  PORTICO_CHECK(whole.trace() == bytes.trace());
  PORTICO_CHECK(whole.codec().WantsClose() == bytes.codec().WantsClose());
  return 0;
}
