#include "dataplane/net/socket_network.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"

namespace portico::net {
namespace {

// A stream with everything that was told of it; reads and writes when told to, or by itself.
struct Peer : ByteStream::Handler {
  explicit Peer(std::unique_ptr<ByteStream> of) : stream(std::move(of)) { stream->set_handler(this); }
  void OnOpen(bool ok) override { log += ok ? "open " : "failed "; }
  void OnReadable() override {
    log += "r ";
    if (reading) ReadAll();
  }
  void OnWritable() override {
    log += "w ";
    WriteOn();
  }
  void ReadAll() {
    std::vector<char> memory(read_bytes);
    while (true) {
      const IoResult result = stream->Read(memory.data(), memory.size());
      status = result.status;
      EXPECT_EQ(result.bytes > 0, result.status == IoStatus::kOk);
      if (result.status != IoStatus::kOk) return;
      received.append(memory.data(), result.bytes);
    }
  }
  void Write(std::string_view text) {
    pending += text;
    WriteOn();
  }
  void WriteOn() {
    while (!pending.empty()) {
      const struct iovec vectors[] = {{pending.data(), pending.size() / 2},
                                      {pending.data() + pending.size() / 2, pending.size() - pending.size() / 2}};
      const IoResult result = stream->Write(vectors, 2);
      write_status = result.status;
      if (result.status != IoStatus::kOk) return;
      pending.erase(0, result.bytes);
    }
  }

  std::unique_ptr<ByteStream> stream;
  std::string log;
  std::string received;
  std::string pending;
  IoStatus status = IoStatus::kOk;
  IoStatus write_status = IoStatus::kOk;
  size_t read_bytes = 16 * 1024;
  bool reading = true;
};

struct Accepted : Acceptor::Handler {
  void OnAccept(std::unique_ptr<ByteStream> stream) override {
    EXPECT_TRUE(stream->open());
    peers.push_back(std::make_unique<Peer>(std::move(stream)));
    if (then) then();
  }
  std::vector<std::unique_ptr<Peer>> peers;
  std::function<void()> then;
};

class SocketNetworkTest : public testing::Test, private event::Timer::Handler {
 protected:
  // Turns until it holds; fails after a time that only a broken test reaches.
  bool Until(const std::function<bool()>& holds) {
    event::Timer guard(loop_.timers(), *this);
    guard.Set(loop_.Now() + std::chrono::seconds(10));
    late_ = false;
    while (!holds() && !late_)
      loop_.Turn(true);
    return holds();
  }
  void OnTimer(event::Timer&) override { late_ = true; }

  Address ListenOn(std::string_view ip, const ListenOptions& options = {}) {
    auto acceptor = network_.Listen(*Address::Parse(ip, 0), options, accepted_);
    EXPECT_TRUE(acceptor.ok()) << acceptor.status();
    acceptor_ = *std::move(acceptor);
    EXPECT_NE(acceptor_->local().port(), 0);
    return acceptor_->local();
  }
  // A connection, both ends of it open.
  void Connect(std::string_view ip = "127.0.0.1") {
    client_ = std::make_unique<Peer>(network_.Connect(ListenOn(ip)));
    EXPECT_TRUE(Until([&] { return !accepted_.peers.empty() && client_->stream->open(); }));
    server_ = accepted_.peers.front().get();
  }

  event::LibeventLoop loop_;
  std::vector<std::string> warnings_;
  SocketNetwork network_{loop_, [this](std::string_view text) { warnings_.emplace_back(text); }};
  Accepted accepted_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Peer> client_;
  Peer* server_ = nullptr;
  bool late_ = false;
};

TEST_F(SocketNetworkTest, CarriesBytesBothWays) {
  for (std::string_view ip : {"127.0.0.1", "::1", "127.0.0.9"}) {
    SCOPED_TRACE(ip);
    accepted_.peers.clear();
    Connect(ip);
    EXPECT_EQ(client_->log.substr(0, 5), "open ");
    EXPECT_EQ(server_->log.find("open"), std::string::npos) << "an accepted stream is open from the start";
    client_->Write("ping");
    ASSERT_TRUE(Until([&] { return server_->received == "ping"; }));
    server_->Write("pong");
    ASSERT_TRUE(Until([&] { return client_->received == "pong"; }));
    EXPECT_EQ(server_->stream->peer(), client_->stream->local());
    EXPECT_EQ(server_->stream->local(), client_->stream->peer());
    EXPECT_EQ(server_->stream->local().ip(), ip);
  }
}

TEST_F(SocketNetworkTest, AWildcardAcceptorKnowsEachConnectionsAddress) {
  const Address listening = ListenOn("0.0.0.0");
  Peer client(network_.Connect(*Address::Parse("127.0.0.7", listening.port())));
  ASSERT_TRUE(Until([&] { return !accepted_.peers.empty(); }));
  EXPECT_EQ(accepted_.peers[0]->stream->local().ip(), "127.0.0.7");
}

TEST_F(SocketNetworkTest, AnIPv6AcceptorTakesIPv4OnlyWhenAsked) {
  for (bool v6_only : {true, false}) {
    SCOPED_TRACE(v6_only);
    accepted_.peers.clear();
    const Address listening = ListenOn("::", {.v6_only = v6_only});
    Peer client(network_.Connect(*Address::Parse("127.0.0.1", listening.port())));
    ASSERT_TRUE(Until([&] { return !client.log.empty() && (v6_only || !accepted_.peers.empty()); }));
    EXPECT_EQ(client.log.substr(0, 4), v6_only ? "fail" : "open");
    if (!v6_only) {
      EXPECT_EQ(accepted_.peers[0]->stream->peer().ip(), "127.0.0.1");
    }
  }
}

TEST_F(SocketNetworkTest, SetsNoDelayOnBothEnds) {
  Connect();
  client_->Write("x");
  ASSERT_TRUE(Until([&] { return server_->received == "x"; }));
  int with_no_delay = 0;
  for (int fd = 0; fd < 256; ++fd) {
    int on = 0;
    socklen_t size = sizeof on;
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<struct sockaddr*>(&peer), &peer_size) == 0 &&
        ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0)
      with_no_delay += on;
  }
  EXPECT_EQ(with_no_delay, 2);
}

TEST_F(SocketNetworkTest, HoldsBackAndGoesOnWithoutLosingAByte) {
  Connect();
  std::string sent;
  for (int i = 0; i < 3'000'000; ++i)
    sent += std::to_string(i) + " ";
  server_->reading = false;
  client_->Write(sent);
  ASSERT_TRUE(Until([&] { return server_->log == "r "; }));
  loop_.Turn(false);
  EXPECT_FALSE(client_->pending.empty()) << "more than the kernel takes";
  server_->reading = true;
  server_->read_bytes = 3000;
  server_->ReadAll();
  ASSERT_TRUE(Until([&] { return server_->received.size() == sent.size(); }));
  EXPECT_EQ(server_->received, sent);
  EXPECT_TRUE(client_->pending.empty());
}

TEST_F(SocketNetworkTest, AnnouncesNothingToWhoDoesNotWait) {
  Connect();
  server_->reading = false;
  client_->Write("a");
  ASSERT_TRUE(Until([&] { return server_->log == "r "; }));
  client_->Write("b");
  client_->stream->ShutdownWrite();
  for (int turn = 0; turn < 5; ++turn)
    loop_.Turn(false);
  EXPECT_EQ(server_->log, "r ");
  server_->ReadAll();
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kEnd; }));
  EXPECT_EQ(server_->received, "ab");
}

TEST_F(SocketNetworkTest, HalfCloses) {
  Connect();
  client_->Write("all I have");
  client_->stream->ShutdownWrite();
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kEnd; })) << "FIN behind data, in one event";
  EXPECT_EQ(server_->received, "all I have");
  char byte;
  EXPECT_EQ(server_->stream->Read(&byte, 1).status, IoStatus::kEnd) << "and again";
  server_->Write("an answer");
  server_->stream->ShutdownWrite();
  ASSERT_TRUE(Until([&] { return client_->status == IoStatus::kEnd; }));
  EXPECT_EQ(client_->received, "an answer");
}

TEST_F(SocketNetworkTest, DataAndFinThatExactlyFillTheMemory) {
  Connect();
  server_->read_bytes = 4;
  client_->Write("12345678");
  client_->stream->ShutdownWrite();
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kEnd; }));
  EXPECT_EQ(server_->received, "12345678");
}

TEST_F(SocketNetworkTest, DestroyingEndsCleanly) {
  Connect();
  client_->Write("bye");
  client_.reset();
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kEnd; }));
  EXPECT_EQ(server_->received, "bye");
  EXPECT_EQ(server_->stream->error(), "");
}

TEST_F(SocketNetworkTest, Resets) {
  Connect();
  client_->stream->AbortOnClose();
  client_.reset();
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kFailed; }));
  EXPECT_EQ(server_->stream->error(), "connection reset by peer");
  char byte;
  EXPECT_EQ(server_->stream->Read(&byte, 1).status, IoStatus::kFailed) << "a reset never turns into a clean end";
  server_->Write("x");
  EXPECT_EQ(server_->write_status, IoStatus::kFailed);
}

TEST_F(SocketNetworkTest, AResetFoundByWritingIsNoCleanEnd) {
  Connect();
  server_->reading = false;
  client_->stream->AbortOnClose();
  client_.reset();
  ASSERT_TRUE(Until([&] { return server_->log == "r "; }));
  server_->Write("x");
  EXPECT_EQ(server_->write_status, IoStatus::kFailed);
  server_->ReadAll();
  EXPECT_EQ(server_->status, IoStatus::kFailed);
  EXPECT_EQ(server_->stream->error(), "connection reset by peer");
}

TEST_F(SocketNetworkTest, FindsAResetThatCameTogetherWithData) {
  Connect();
  client_->Write("half an ans");
  client_->stream->AbortOnClose();
  client_.reset();
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kFailed; }));
  EXPECT_EQ(server_->received, "half an ans");
  EXPECT_EQ(server_->stream->error(), "connection reset by peer");
}

TEST_F(SocketNetworkTest, LooksOnceAtAQuietSocketAndThenNoMore) {
  Connect();
  client_->Write("x");
  ASSERT_TRUE(Until([&] { return server_->received == "x"; }));
  EXPECT_GT(loop_.timers().size(), 0u);
  ASSERT_TRUE(Until([&] { return loop_.timers().size() == 1; })) << "the guard's own";
  EXPECT_EQ(server_->log, "r ");
  client_->Write("y");
  ASSERT_TRUE(Until([&] { return server_->received == "xy"; }));
}

TEST_F(SocketNetworkTest, WhatCameBeforeAResetCanStillBeReadAfterAFailedWrite) {
  Connect();
  server_->reading = false;
  client_->Write("early answer");
  ASSERT_TRUE(Until([&] { return server_->log == "r "; }));
  client_->stream->AbortOnClose();
  client_.reset();
  for (int turn = 0; turn < 3; ++turn)
    loop_.Turn(false);
  server_->Write("x");
  EXPECT_EQ(server_->write_status, IoStatus::kFailed);
  server_->ReadAll();
  EXPECT_EQ(server_->received, "early answer");
  EXPECT_EQ(server_->status, IoStatus::kFailed);
}

TEST_F(SocketNetworkTest, ConnectFailsInALaterTurn) {
  const Address closed = ListenOn("127.0.0.1");
  acceptor_.reset();
  const struct {
    const char* name;
    Address address;
    std::string_view error;
  } rows[] = {
      {"refused", closed, "connection refused"},
      {"no such network, known at once", *Address::ParseWithPort("255.255.255.255:80"), "network is unreachable"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Peer client(network_.Connect(row.address));
    EXPECT_EQ(client.log, "");
    EXPECT_FALSE(client.stream->open());
    char byte;
    EXPECT_EQ(client.stream->Read(&byte, 1).status, IoStatus::kWouldBlock);
    client.Write("x");
    EXPECT_EQ(client.write_status, IoStatus::kWouldBlock);
    ASSERT_TRUE(Until([&] { return !client.log.empty(); }));
    EXPECT_EQ(client.log, "failed ");
    EXPECT_EQ(client.stream->error(), row.error);
    EXPECT_EQ(client.stream->Read(&byte, 1).status, IoStatus::kFailed);
    client.WriteOn();
    EXPECT_EQ(client.write_status, IoStatus::kFailed);
  }
}

TEST_F(SocketNetworkTest, ConnectWithoutDescriptorsFailsInALaterTurn) {
  const Address address = ListenOn("127.0.0.1");
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  Peer client(network_.Connect(address));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.log, "");
  ASSERT_TRUE(Until([&] { return !client.log.empty(); }));
  EXPECT_EQ(client.log, "failed ");
  EXPECT_EQ(client.stream->error(), "too many open files");
}

TEST_F(SocketNetworkTest, WritingAndEndingBeforeItIsOpenHappensThen) {
  Peer client(network_.Connect(ListenOn("127.0.0.1")));
  client.Write("early");
  ASSERT_TRUE(Until([&] { return !accepted_.peers.empty() && accepted_.peers[0]->received == "early"; }));
  EXPECT_EQ(client.log, "open w ");
  Peer silent(network_.Connect(acceptor_->local()));
  silent.stream->ShutdownWrite();
  ASSERT_TRUE(Until([&] { return accepted_.peers.size() == 2 && accepted_.peers[1]->status == IoStatus::kEnd; }));
}

TEST_F(SocketNetworkTest, AHandlerThatComesLateMissesNothing) {
  Connect();
  accepted_.peers[0]->stream->set_handler(nullptr);
  client_->Write("x");
  client_->stream->ShutdownWrite();
  ASSERT_TRUE(Until([&] { return server_->stream->local().port() != 0; }));
  for (int turn = 0; turn < 3; ++turn)
    loop_.Turn(false);
  EXPECT_EQ(server_->log, "");
  server_->stream->set_handler(server_);
  EXPECT_EQ(server_->log, "") << "not within the call";
  ASSERT_TRUE(Until([&] { return server_->status == IoStatus::kEnd; }));
  EXPECT_EQ(server_->received, "x");
}

TEST_F(SocketNetworkTest, PausesAndResumesAccepting) {
  const Address address = ListenOn("127.0.0.1");
  accepted_.then = [&] { acceptor_->Pause(); };
  Peer one(network_.Connect(address)), two(network_.Connect(address));
  ASSERT_TRUE(Until([&] { return !accepted_.peers.empty() && one.stream->open() && two.stream->open(); }));
  for (int turn = 0; turn < 3; ++turn)
    loop_.Turn(false);
  EXPECT_EQ(accepted_.peers.size(), 1u);
  acceptor_->Resume();
  ASSERT_TRUE(Until([&] { return accepted_.peers.size() == 2; }));
}

TEST_F(SocketNetworkTest, AcceptsABoundedNumberPerTurn) {
  const Address address = ListenOn("127.0.0.1");
  acceptor_->Pause();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 2 * Acceptor::kAcceptsPerTurnMax + 1; ++i)
    clients.push_back(std::make_unique<Peer>(network_.Connect(address)));
  ASSERT_TRUE(Until([&] { return clients.back()->stream->open(); }));
  acceptor_->Resume();
  loop_.Turn(true);
  EXPECT_EQ(accepted_.peers.size(), static_cast<size_t>(Acceptor::kAcceptsPerTurnMax));
  ASSERT_TRUE(Until([&] { return accepted_.peers.size() == clients.size(); }));
}

TEST_F(SocketNetworkTest, DrainAcceptsWhatWaitsAndThenStops) {
  const Address address = ListenOn("127.0.0.1");
  acceptor_->Pause();
  Peer one(network_.Connect(address)), two(network_.Connect(address));
  ASSERT_TRUE(Until([&] { return one.stream->open() && two.stream->open(); }));
  acceptor_->Drain();
  EXPECT_EQ(accepted_.peers.size(), 2u);
  acceptor_->Drain();
  acceptor_->Resume();
  Peer late(network_.Connect(address));
  ASSERT_TRUE(Until([&] { return !late.log.empty(); }));
  EXPECT_EQ(late.log, "failed ");
}

TEST_F(SocketNetworkTest, RestsWhileDescriptorsAreShortAndSaysSoOnce) {
  const Address address = ListenOn("127.0.0.1");
  acceptor_->Pause();
  Peer client(network_.Connect(address));
  ASSERT_TRUE(Until([&] { return client.stream->open(); }));
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  acceptor_->Resume();
  const base::MonotonicTime begin = loop_.Now();
  EXPECT_TRUE(Until([&] { return loop_.Now() - begin > 3 * SocketAcceptor::kRetryDelay; }));
  EXPECT_EQ(accepted_.peers.size(), 0u);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(Until([&] { return accepted_.peers.size() == 1; }));
  EXPECT_EQ(warnings_, std::vector<std::string>{"accepting on " + address.ToString() + " rests: too many open files"});
  Peer next(network_.Connect(address));
  EXPECT_TRUE(Until([&] { return accepted_.peers.size() == 2; })) << "and goes on as before";
}

TEST_F(SocketNetworkTest, TwoAcceptorsShareAPort) {
  const Address address = ListenOn("127.0.0.1");
  Accepted other;
  const auto second = network_.Listen(address, {}, other);
  ASSERT_TRUE(second.ok()) << second.status();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 64; ++i)
    clients.push_back(std::make_unique<Peer>(network_.Connect(address)));
  ASSERT_TRUE(Until([&] { return accepted_.peers.size() + other.peers.size() == clients.size(); }));
  EXPECT_GT(accepted_.peers.size(), 0u);
  EXPECT_GT(other.peers.size(), 0u);
}

TEST_F(SocketNetworkTest, APortInUseIsAnError) {
  const struct {
    std::string_view holder;
    bool holder_shares;
    std::string_view wanted;
    bool share;
    bool listens;
    bool probes;
  } rows[] = {
      {"127.0.0.1", false, "127.0.0.1", true, false, false},
      {"127.0.0.1", true, "127.0.0.1", false, false, false},
      {"127.0.0.1", true, "127.0.0.1", true, true, false},  // what the probe is for
      {"0.0.0.0", true, "127.0.0.1", true, true, false},
      {"127.0.0.1", true, "0.0.0.0", true, true, false},
      {"::1", true, "::1", true, true, false},
      {"::", true, "0.0.0.0", true, true, true},
      {"127.0.0.1", true, "127.0.0.2", true, true, true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.holder) + " and " + std::string(row.wanted));
    const Address held = ListenOn(row.holder, {.share_port = row.holder_shares});
    const Address wanted = *Address::Parse(row.wanted, held.port());
    const std::string message = wanted.ToString() + ": address in use";
    const absl::Status probe = network_.ProbePort(wanted);
    EXPECT_EQ(probe.ok(), row.probes) << probe;
    if (!probe.ok()) {
      EXPECT_EQ(std::string(probe.message()), message);
    }
    const auto acceptor = network_.Listen(wanted, {.share_port = row.share}, accepted_);
    EXPECT_EQ(acceptor.ok(), row.listens) << acceptor.status();
    if (!acceptor.ok()) {
      EXPECT_EQ(std::string(acceptor.status().message()), message);
      EXPECT_TRUE(absl::IsAlreadyExists(acceptor.status()));
    }
  }
}

TEST_F(SocketNetworkTest, APortIsFreeAgainAtOnce) {
  Connect();
  const Address address = acceptor_->local();
  acceptor_.reset();
  accepted_.peers.clear();  // closes first: the connection stays in TIME_WAIT
  ASSERT_TRUE(Until([&] { return client_->status == IoStatus::kEnd; }));
  client_.reset();
  EXPECT_TRUE(network_.ProbePort(address).ok());
  EXPECT_TRUE(network_.Listen(address, {}, accepted_).ok());
}

TEST_F(SocketNetworkTest, ListenErrorsNameTheAddress) {
  const auto foreign = network_.Listen(*Address::ParseWithPort("192.0.2.1:80"), {}, accepted_);
  EXPECT_EQ(foreign.status().message(), "192.0.2.1:80: cannot assign requested address");
  EXPECT_TRUE(network_.ProbePort(*Address::ParseWithPort("192.0.2.1:0")).ok());
}

}  // namespace
}  // namespace portico::net
