#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/export/log_file.h"
#include "dataplane/listener/test_snapshot.h"
#include "dataplane/net/socket_network.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/worker/worker.h"
#include "test/budget/heap_count.h"
#include "test/budget/traced_process.h"

namespace portico::worker {
namespace {

constexpr int kWarmExchanges = 50;
constexpr int kExchanges = 200;
constexpr std::string_view kContent = "0123456789";

// Timers ring in time, not for each exchange: so much of a turn, and of a call, may come on top of an exchange's own.
constexpr double kTimersShare = 0.5;
// A list that grows, a buffer that is handed over.
constexpr double kRareAllocations = 0.1;
constexpr double kRareCalls = 0.1;

// What one exchange may cost, on average; see README.md for what it ought to.
struct Row {
  std::string_view name;
  std::string_view request;
  bool forwarded = true;
  bool logged = false;
  double system_calls_max;
  double waits_max;
  double allocations_max;
  double timer_insertions_max;
};

// In memory that the worker's process and the test share.
struct Shared {
  std::atomic<uint64_t> allocations = 0;
  std::atomic<uint64_t> bytes = 0;
  std::atomic<uint64_t> timer_arms = 0;
  std::atomic<uint64_t> timer_insertions = 0;
  std::atomic<bool> record_sites = false;
  std::atomic<bool> print_sites = false;
};

struct Counts {
  test::TracedProcess::Counted system;
  uint64_t allocations;
  uint64_t bytes;
  uint64_t timer_arms;
  uint64_t timer_insertions;
};

struct BoundSocket {
  base::FileDescriptor fd;
  struct sockaddr_in address = {};
};

// On a port of 127.0.0.1 that nobody else gets meanwhile; the worker may bind it, too.
BoundSocket Bind() {
  BoundSocket socket{base::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  const int on = 1;
  PORTICO_CHECK(setsockopt(socket.fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
  socket.address.sin_family = AF_INET;
  socket.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<struct sockaddr*>(&socket.address);
  socklen_t size = sizeof socket.address;
  PORTICO_CHECK(bind(socket.fd.get(), address, size) == 0 && getsockname(socket.fd.get(), address, &size) == 0);
  return socket;
}

net::Address AddressOf(const BoundSocket& socket) {
  return net::Address::FromSocketAddress(reinterpret_cast<const struct sockaddr*>(&socket.address));
}

[[noreturn]] void RunWorker(const Row& row, const net::Address& port, const net::Address& origin, Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  event::LibeventLoop loop;
  net::SocketNetwork network(loop);
  observe::Metrics metrics;
  exporting::LogFile log([](const std::string&) {});
  if (row.logged) log.Retarget({exporting::LogTarget::Kind::kFile, "/dev/null"});
  Worker worker({loop, network, 1, metrics, row.logged ? &log : nullptr, nullptr});

  test::TestRule rule;
  if (row.forwarded) rule.cluster = "default/origin";
  rule.answer = kContent;
  auto snapshot = test::MakeSnapshot({test::MakePort(port.port(), {"http"}, {rule})},
                                     {test::MakeCluster("default/origin", {origin})});
  snapshot->addresses = {net::Address::Parse("127.0.0.1", 0).value()};
  if (row.logged) snapshot->access_log = {snapshot::AccessLogTarget::Kind::kFile, "/dev/null"};
  const absl::Status prepared = worker.Prepare(snapshot);
  PORTICO_CHECK(prepared.ok());
  worker.Swap(snapshot);
  for (;;) {
    loop.Turn(true);
    const test::HeapUse use = test::HeapUseOfThisThread();
    shared.allocations = use.allocations;
    shared.bytes = use.bytes;
    shared.timer_arms = loop.timer_arms();
    shared.timer_insertions = loop.timers().insertions();
    test::RecordAllocationSites(shared.record_sites);
    if (shared.print_sites.exchange(false)) test::PrintAllocationSites();
  }
}

// Both ends of the road, blocking: no answer for ten seconds is a failure.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const struct timeval patience = {.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  bool Say(std::string_view bytes) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  bool HearUntil(std::string_view end) {
    char bytes[4096];
    std::string heard;
    while (!heard.ends_with(end)) {
      const ssize_t count = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (count <= 0) return false;
      heard.append(bytes, static_cast<size_t>(count));
    }
    return true;
  }

 private:
  base::FileDescriptor fd_;
};

class Traffic {
 public:
  Traffic(const Row& row, const BoundSocket& port, const BoundSocket& origin)
      : row_(row), origin_(origin), client_(Connect(port)) {}

  bool Exchange() {
    if (!client_.Say(row_.request)) return false;
    if (row_.forwarded) {
      if (origin_peer_ == nullptr) origin_peer_ = std::make_unique<Peer>(::accept(origin_.fd.get(), nullptr, nullptr));
      const std::string_view end = row_.request.substr(row_.request.size() - 4);
      if (!origin_peer_->HearUntil(end)) return false;
      const std::string answer =
          base::Concat("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ", kContent.size(), "\r\n\r\n");
      if (!origin_peer_->Say(answer + std::string(kContent))) return false;
    }
    return client_.HearUntil(kContent);
  }

 private:
  static Peer Connect(const BoundSocket& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* address = reinterpret_cast<const struct sockaddr*>(&port.address);
    EXPECT_EQ(::connect(fd, address, sizeof port.address), 0);
    return Peer(fd);
  }

  const Row& row_;
  const BoundSocket& origin_;
  Peer client_;
  std::unique_ptr<Peer> origin_peer_;
};

class ExchangeBudgetTest : public testing::Test {
 protected:
  void Check(const Row& row) {
    const BoundSocket port = Bind();
    const BoundSocket origin = Bind();
    ASSERT_EQ(listen(origin.fd.get(), 16), 0);
    void* page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    auto* shared = new (page) Shared;
    test::TracedProcess child([&] { RunWorker(row, AddressOf(port), AddressOf(origin), *shared); });
    std::thread traffic([&] {
      child.CallsWhenIdle();  // it listens
      Measure(row, port, origin, child, *shared);
      child.Kill();
    });
    child.Trace();
    traffic.join();
    munmap(page, sizeof(Shared));
    if (!HasFatalFailure()) Judge(row);
  }

 private:
  static Counts Now(test::TracedProcess& child, const Shared& shared) {
    return {child.CallsWhenIdle(), shared.allocations, shared.bytes, shared.timer_arms, shared.timer_insertions};
  }

  void Measure(const Row& row, const BoundSocket& port, const BoundSocket& origin, test::TracedProcess& child,
               Shared& shared) {
    const bool sites = getenv("PORTICO_BUDGET_SITES") != nullptr;
    Traffic traffic(row, port, origin);
    for (int i = 0; i < kWarmExchanges; ++i) {
      shared.record_sites = sites && i == kWarmExchanges - 1;
      ASSERT_TRUE(traffic.Exchange()) << row.name << ": exchange " << i;
    }
    before_ = Now(child, shared);
    for (int i = 0; i < kExchanges; ++i)
      ASSERT_TRUE(traffic.Exchange()) << row.name << ": exchange " << i;
    after_ = Now(child, shared);
    if (!sites) return;
    std::fprintf(stderr, "SITES of %d exchanges: %s\n", kExchanges, std::string(row.name).c_str());
    shared.print_sites = true;
    ASSERT_TRUE(traffic.Exchange());
    child.CallsWhenIdle();
  }

  void Judge(const Row& row) const {
    const auto average = [](uint64_t before, uint64_t after) {
      return static_cast<double>(after - before) / kExchanges;
    };
    uint64_t calls = 0;
    std::string list;  // " 45 (400)": of SYS_recvfrom 400
    for (const auto& [number, count] : after_.system.calls) {
      const auto earlier = before_.system.calls.find(number);
      const uint64_t fresh = count - (earlier == before_.system.calls.end() ? 0 : earlier->second);
      calls += fresh;
      if (fresh > 0) list += base::Concat(" ", number, " (", fresh, ")");
      if (number == SYS_epoll_ctl) EXPECT_EQ(fresh, 0U) << row.name << ": no epoll_ctl";
    }
    const double system_calls = average(0, calls);
    const double waits = average(before_.system.waits, after_.system.waits);
    const double allocations = average(before_.allocations, after_.allocations);
    const double arms = average(before_.timer_arms, after_.timer_arms);
    const double insertions = average(before_.timer_insertions, after_.timer_insertions);
    std::printf("%s: %.2f system calls, %.2f waits, %.2f allocations of %.0f bytes, %.2f timer insertions, %.2f arms\n",
                std::string(row.name).c_str(), system_calls, waits, allocations, average(before_.bytes, after_.bytes),
                insertions, arms);
    EXPECT_LE(system_calls, row.system_calls_max + kRareCalls) << row.name << ", by number and count:" << list;
    EXPECT_LE(waits, row.waits_max + kTimersShare) << row.name;
    EXPECT_LE(allocations, row.allocations_max + kRareAllocations) << row.name;
    EXPECT_LE(arms, kTimersShare) << row.name;
    EXPECT_LE(insertions, row.timer_insertions_max + kTimersShare) << row.name;
  }

  Counts before_;
  Counts after_;
};

// 13 fields, 1.5 kB.
std::string BrowserRequest() {
  return base::Concat(
      "GET /products/42?color=blue&size=m HTTP/1.1\r\nhost: shop.example\r\n"
      "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 "
      "Safari/537.36\r\n"
      "accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
      "accept-encoding: gzip, deflate, br, zstd\r\naccept-language: de-CH,de;q=0.9,en;q=0.8\r\n"
      "cache-control: max-age=0\r\nreferer: https://shop.example/products?page=3\r\nsec-fetch-dest: document\r\n"
      "sec-fetch-mode: navigate\r\nsec-fetch-site: same-origin\r\nupgrade-insecure-requests: 1\r\n"
      "x-request-id: 0123456789abcdef0123456789abcdef\r\ncookie: session=",
      std::string(800, 'c'), "\r\n\r\n");
}

TEST_F(ExchangeBudgetTest, WarmConnections) {
  if (!test::CountsHeapUse()) GTEST_SKIP() << "a sanitizer has its own heap, and threads";
  constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: shop.example\r\nuser-agent: test\r\naccept: */*\r\n\r\n";
  constexpr std::string_view kPost =
      "POST /a HTTP/1.1\r\nhost: shop.example\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello";
  const std::string browser = BrowserRequest();
  const Row rows[] = {
      {.name = "GET, forwarded",
       .request = kGet,
       .system_calls_max = 4,
       .waits_max = 2,
       .allocations_max = 7,
       .timer_insertions_max = 2},
      {.name = "GET as browsers ask, forwarded",
       .request = browser,
       .system_calls_max = 4,
       .waits_max = 2,
       .allocations_max = 7,
       .timer_insertions_max = 2},
      {.name = "POST, forwarded",
       .request = kPost,
       .system_calls_max = 4,
       .waits_max = 2,
       .allocations_max = 9,
       .timer_insertions_max = 3},
      {.name = "GET, answered here",
       .request = kGet,
       .forwarded = false,
       .system_calls_max = 2,
       .waits_max = 1,
       .allocations_max = 5,
       .timer_insertions_max = 1},
      {.name = "GET, forwarded and logged",
       .request = kGet,
       .logged = true,
       .system_calls_max = 4,
       .waits_max = 2,
       .allocations_max = 7,
       .timer_insertions_max = 2},
  };
  for (const Row& row : rows)
    Check(row);
}

}  // namespace
}  // namespace portico::worker
