#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/check.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/ares_resolver.h"
#include "dataplane/net/dns_server_for_test.h"

namespace portico::net {
namespace {

struct Heard : Resolver::Handler {
  void OnResolved(Resolution resolution) override {
    PORTICO_CHECK(!result);
    result = std::move(resolution);
  }
  std::optional<Resolution> result;
};

struct Ticker : event::Timer::Handler {
  void OnTimer(event::Timer&) override {}
};

// What a server says: a whole message (its id is mended), or the number of records and these, after a good head and the
// question. By TCP it says the same.
std::string Said(std::string_view input, bool whole, const for_test::Query& query) {
  if (whole) return query.bytes.substr(0, 2) + std::string(input.substr(std::min<size_t>(2, input.size())));
  std::string reply = for_test::Reply(query, 0);
  if (!input.empty()) reply[7] = input[0];
  return reply + std::string(input.substr(std::min<size_t>(1, input.size())));
}

}  // namespace
}  // namespace portico::net

// A server on loopback says the input, the first byte of which chooses how, to a lookup. It ends, once; what is an
// answer has addresses of its family, and none of them means "here".
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::net;
  using std::chrono::milliseconds;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const unsigned how = input.empty() ? 0 : static_cast<unsigned char>(input[0]);
  portico::event::LibeventLoop loop;
  for_test::DnsServer server;
  server.script = [&](const for_test::Query& query) {
    return std::optional(Said(input.substr(std::min<size_t>(1, input.size())), (how & 1) != 0, query));
  };
  AresResolver resolver(loop, {server.address()}, {milliseconds(5), 1, milliseconds(50)});
  Heard heard;
  const Family family = (how & 2) != 0 ? Family::kV6 : Family::kV4;
  const auto lookup = resolver.Resolve("a.portico.test", family, heard);
  Ticker ticker;
  while (!heard.result) {
    portico::event::Timer timer(loop.timers(), ticker);
    timer.Set(loop.Now() + milliseconds(1));
    server.Serve();
    loop.Turn(true);
  }
  PORTICO_CHECK((heard.result->outcome == LookupOutcome::kAnswered) == !heard.result->addresses.empty());
  PORTICO_CHECK(heard.result->ttl >= milliseconds(0));
  for (const Address& address : heard.result->addresses) {
    PORTICO_CHECK(address.port() == 0 && address.ip() != "0.0.0.0" && address.ip() != "::");
    PORTICO_CHECK(family == Family::kV6 || !address.is_v6());
  }
  return 0;
}
