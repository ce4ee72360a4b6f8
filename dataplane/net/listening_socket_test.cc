// Listening sockets that go from one network to another: here both are in one process, on one loop.
#include "dataplane/net/listening_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/socket_network.h"

namespace portico::net {
namespace {

struct Taker : Acceptor::Handler {
  void OnAccept(std::unique_ptr<ByteStream> stream) override { streams.push_back(std::move(stream)); }
  size_t count() const { return streams.size(); }
  std::vector<std::unique_ptr<ByteStream>> streams;
};

struct Client : ByteStream::Handler {
  explicit Client(std::unique_ptr<ByteStream> of) : stream(std::move(of)) { stream->set_handler(this); }
  void OnOpen(bool ok) override { (ok ? open : failed) = true; }
  void OnReadable() override {}
  void OnWritable() override {}
  std::unique_ptr<ByteStream> stream;
  bool open = false, failed = false;
};

class HandOver : public testing::Test {
 protected:
  std::unique_ptr<Acceptor> Listen(SocketNetwork& network, const Address& address, Taker& taker) {
    auto acceptor = network.Listen(address, {}, taker);
    EXPECT_TRUE(acceptor.ok()) << acceptor.status();
    return *std::move(acceptor);
  }
  bool Until(const std::function<bool()>& predicate) {
    struct Ticker : event::Timer::Handler {
      void OnTimer(event::Timer&) override {}
    } ticker;
    event::Timer timer(loop.timers(), ticker);
    for (const base::MonotonicTime end = loop.Now() + std::chrono::seconds(10); !predicate() && loop.Now() < end;) {
      timer.Set(loop.Now() + std::chrono::milliseconds(2));
      loop.Turn(true);
    }
    return predicate();
  }
  // That many more are connected, which the kernel does even if nobody accepts.
  void Connect(const Address& address, size_t count) {
    std::vector<Client*> these;
    for (size_t i = 0; i < count; ++i)
      these.push_back(clients.emplace_back(std::make_unique<Client>(incumbent.Connect(address))).get());
    for (const Client* one : these)
      ASSERT_TRUE(Until([&] { return one->open; }));
  }
  // From the incumbent to the successor, as two workers of it would get them.
  void Adopt(std::set<uint16_t> ports) {
    auto shared = incumbent.ShareSockets();
    ASSERT_TRUE(shared.ok()) << shared.status();
    successor.Adopt(*std::move(shared), std::move(ports));
  }

  event::LibeventLoop loop;
  SocketNetwork incumbent{loop}, successor{loop};
  Taker old_taker, new_taker;
  std::vector<std::unique_ptr<Client>> clients;
};

const Address kAnyPort = Address::Parse("127.0.0.1", 0).value();

TEST_F(HandOver, NobodyIsLostOnTheWay) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  const Address address = first->local();
  auto second = Listen(incumbent, address, old_taker);
  first->Pause();
  second->Pause();
  Connect(address, 40);  // they wait in both queues
  Adopt({address.port()});
  auto heir = Listen(successor, address, new_taker);
  loop.Turn(false);
  loop.Turn(false);
  EXPECT_EQ(new_taker.count(), 0u) << "held until Release";
  successor.Release();
  incumbent.GiveUp({address});
  EXPECT_TRUE(Until([&] { return new_taker.count() == 40; })) << new_taker.count();
  first.reset();
  second.reset();
  Connect(address, 40);
  EXPECT_TRUE(Until([&] { return new_taker.count() == 80; })) << new_taker.count();
  EXPECT_EQ(old_taker.count(), 0u);
}

TEST_F(HandOver, WhatIsGivenUpIsNotEmptied) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  const Address address = first->local();
  first->Pause();
  Connect(address, 3);
  Adopt({address.port()});
  auto heir = Listen(successor, address, new_taker);
  incumbent.GiveUp({address});
  first->Resume();
  first->Drain();
  EXPECT_EQ(old_taker.count(), 0u);
  EXPECT_TRUE(incumbent.ShareSockets()->empty());
  successor.Release();
  EXPECT_TRUE(Until([&] { return new_taker.count() == 3; }));
}

TEST_F(HandOver, OthersGoOn) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  auto other = Listen(incumbent, kAnyPort, old_taker);
  incumbent.GiveUp({first->local()});
  Connect(other->local(), 1);
  EXPECT_TRUE(Until([&] { return old_taker.count() == 1; }));
}

// A configuration that names the port no more, before the incumbent has let go.
TEST_F(HandOver, WhatIsHeldTakesNobody) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  const Address address = first->local();
  first->Pause();
  Adopt({address.port()});
  auto heir = Listen(successor, address, new_taker);
  Connect(address, 3);
  heir->Drain();
  EXPECT_EQ(new_taker.count(), 0u);
  first->Resume();
  EXPECT_TRUE(Until([&] { return old_taker.count() == 3; }));
}

// Else a configuration that is refused would leave the next one without.
TEST_F(HandOver, WhatWasAdoptedIsThereAgain) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  const Address address = first->local();
  Adopt({address.port()});
  Listen(successor, address, new_taker).reset();
  first.reset();
  auto heir = Listen(successor, address, new_taker);
  Connect(address, 2);
  successor.Release();
  EXPECT_TRUE(Until([&] { return new_taker.count() == 2; }));
}

// A worker that got no share of an address opens a socket, and whoever came to it would be lost with the process.
TEST_F(HandOver, ANewSocketOnAPortOfTheIncumbentListensOnlyAfterRelease) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  const Address address = first->local();
  successor.Adopt({}, {address.port()});
  auto late = Listen(successor, address, new_taker);
  EXPECT_TRUE(successor.ShareSockets()->empty());
  Connect(address, 30);
  EXPECT_TRUE(Until([&] { return old_taker.count() == 30; })) << "of 30 some would have come to the other";
  late.reset();  // nothing is accepted, nor waited for, in an end before Release
  late = Listen(successor, address, new_taker);
  late->Drain();
  late = Listen(successor, address, new_taker);
  successor.Release();
  first.reset();
  Connect(address, 2);
  EXPECT_TRUE(Until([&] { return new_taker.count() == 2; }));
}

TEST_F(HandOver, WhatNobodyAskedForIsClosed) {
  auto first = Listen(incumbent, kAnyPort, old_taker);
  const Address address = first->local();
  Adopt({address.port()});
  first.reset();
  EXPECT_FALSE(successor.ProbePort(address).ok());
  successor.Release();
  EXPECT_TRUE(successor.ProbePort(address).ok());
  auto later = Listen(successor, address, new_taker);  // as if nobody had ever had the port
  Connect(address, 1);
  EXPECT_TRUE(Until([&] { return new_taker.count() == 1; }));
}

TEST(ListeningSocket, IsExamined) {
  const auto open = [](int family, int type, bool listens) {
    base::FileDescriptor fd(::socket(family, type, 0));
    if (listens) EXPECT_EQ(::listen(fd.get(), 1), 0);
    return fd;
  };
  struct Row {
    std::string_view name;
    base::FileDescriptor fd;
    std::string_view says;  // "": it is good
  };
  Row rows[] = {
      {"one that listens", open(AF_INET, SOCK_STREAM, true), ""},
      {"IPv6", open(AF_INET6, SOCK_STREAM, true), ""},
      {"one that does not", open(AF_INET, SOCK_STREAM, false), "it does not listen"},
      {"UDP", open(AF_INET, SOCK_DGRAM, false), "it is no TCP socket"},
      {"a Unix socket", open(AF_UNIX, SOCK_STREAM, false), "it is no socket of IPv4 or IPv6"},
      {"a file", base::FileDescriptor(::open("/dev/null", O_RDONLY)), "it is no socket of IPv4 or IPv6"},
      {"nothing", base::FileDescriptor(), "it is no socket of IPv4 or IPv6"},
  };
  for (Row& row : rows) {
    const int number = row.fd.get();
    const auto socket = ListeningSocket::Examine(std::move(row.fd));
    EXPECT_EQ(socket.ok(), row.says.empty()) << row.name;
    EXPECT_EQ(std::string(socket.status().message()), row.says) << row.name;
    if (socket.ok()) {
      EXPECT_NE(::fcntl(number, F_GETFL) & O_NONBLOCK, 0) << row.name;
      EXPECT_FALSE(socket->share_port);
    }
  }
}

}  // namespace
}  // namespace portico::net
