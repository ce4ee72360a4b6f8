#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/random.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/network.h"
#include "test/support/sim/fault_plan.h"
#include "test/support/sim/sim_loop.h"
#include "test/support/sim/sim_network.h"
#include "test/support/sim/sim_world.h"

namespace portico::sim {
namespace {

using net::Address;
using net::IoResult;
using net::IoStatus;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Sends back what it reads, holding at most kHeldBytesMax: back-pressure from end to end.
class EchoServer : net::Acceptor::Handler {
 public:
  EchoServer(SimNetwork& network, const Address& address, const net::ListenOptions& options = {})
      : acceptor_(*network.Listen(address, options, *this)) {}

  net::Acceptor& acceptor() { return *acceptor_; }
  int accepted = 0;

 private:
  static constexpr size_t kHeldBytesMax = 1000;

  struct Echo : net::ByteStream::Handler, event::Deletable {
    explicit Echo(std::unique_ptr<net::ByteStream> of) : stream(std::move(of)) { stream->set_handler(this); }
    void OnOpen(bool ok) override { FAIL() << "an accepted stream is open from the start"; }
    void OnReadable() override { Move(); }
    void OnWritable() override { Move(); }
    void Move() {
      while (!over) {
        bool moved = false;
        if (!ended && held.size() < kHeldBytesMax) {
          char bytes[300];
          const IoResult result = stream->Read(bytes, sizeof bytes);
          if (result.status == IoStatus::kOk) held.append(bytes, result.bytes), moved = true;
          if (result.status == IoStatus::kEnd) ended = true;
          if (result.status == IoStatus::kFailed) over = true;
        }
        if (!held.empty()) {
          const struct iovec vector = {held.data(), held.size()};
          const IoResult result = stream->Write(&vector, 1);
          if (result.status == IoStatus::kOk) held.erase(0, result.bytes), moved = true;
          if (result.status == IoStatus::kFailed) over = true;
        }
        if (ended && held.empty()) {
          stream->ShutdownWrite();
          over = true;
        }
        if (!moved) return;
      }
    }
    std::unique_ptr<net::ByteStream> stream;
    std::string held;
    bool ended = false;
    bool over = false;
  };

  void OnAccept(std::unique_ptr<net::ByteStream> stream) override {
    ++accepted;
    echoes_.push_back(std::make_unique<Echo>(std::move(stream)));
  }

  std::unique_ptr<net::Acceptor> acceptor_;
  std::vector<std::unique_ptr<Echo>> echoes_;
};

// Sends a text, reads until the end or until its patience is over, and then lets the connection go.
class EchoClient : net::ByteStream::Handler, event::Timer::Handler {
 public:
  enum class Outcome { kRunning, kEchoed, kNotConnected, kBroken, kGaveUp };

  EchoClient(SimLoop& loop, SimNetwork& network, const Address& address, std::string text)
      : loop_(loop), patience_(loop.timers(), *this), text_(std::move(text)), stream_(network.Connect(address)) {
    stream_->set_handler(this);
    patience_.Set(loop.Now() + seconds(600));
  }

  Outcome outcome() const { return outcome_; }
  std::string_view received() const { return received_; }

 private:
  // A stream must not die inside its own callback.
  struct Grave : event::Deletable {
    explicit Grave(std::unique_ptr<net::ByteStream> of) : stream(std::move(of)) {}
    std::unique_ptr<net::ByteStream> stream;
  };

  void OnOpen(bool ok) override {
    if (!ok) return End(Outcome::kNotConnected);
    OnWritable();
    OnReadable();
  }
  void OnReadable() override {
    while (outcome_ == Outcome::kRunning) {
      char bytes[100];
      const IoResult result = stream_->Read(bytes, sizeof bytes);
      if (result.status == IoStatus::kWouldBlock) return;
      if (result.status == IoStatus::kOk) received_.append(bytes, result.bytes);
      if (result.status == IoStatus::kFailed) End(Outcome::kBroken);
      if (result.status == IoStatus::kEnd) End(received_ == text_ ? Outcome::kEchoed : Outcome::kBroken);
    }
  }
  void OnWritable() override {
    while (outcome_ == Outcome::kRunning && sent_ < text_.size()) {
      const struct iovec vector = {text_.data() + sent_, text_.size() - sent_};
      const IoResult result = stream_->Write(&vector, 1);
      if (result.status == IoStatus::kFailed) return End(Outcome::kBroken);
      if (result.status == IoStatus::kWouldBlock) return;
      sent_ += result.bytes;
      if (sent_ == text_.size()) stream_->ShutdownWrite();
    }
  }
  void OnTimer(event::Timer& timer) override { End(Outcome::kGaveUp); }
  void End(Outcome outcome) {
    outcome_ = outcome;
    patience_.Forget();
    loop_.DeleteLater(std::make_unique<Grave>(std::move(stream_)));
  }

  SimLoop& loop_;
  event::Timer patience_;
  std::string text_;
  std::string received_;
  size_t sent_ = 0;
  Outcome outcome_ = Outcome::kRunning;
  std::unique_ptr<net::ByteStream> stream_;
};

struct EchoRun {
  uint64_t hash = 0;
  std::string text;
  std::string leaks;
  int outcomes[5] = {};
  int prefixes_broken = 0;
};

// Two server loops share a port, three clients on a loop of their own.
EchoRun RunEcho(uint64_t seed, bool faults, bool keep_text = false) {
  EchoRun run;
  SimWorld world(seed);
  if (keep_text) world.KeepTraceText();
  world.set_plan_chooser([faults](const Address& to, base::Random& random) {
    return faults ? FaultPlan::Random(random, 2) : FaultPlan::RandomButWorking(random);
  });
  {
    SimLoop worker_one(world, "worker one"), worker_two(world, "worker two"), client_loop(world, "clients");
    SimNetwork network_one(world, worker_one, "10.0.0.1"), network_two(world, worker_two, "10.0.0.1");
    SimNetwork client_network(world, client_loop, "10.0.0.2");
    const Address address = *Address::ParseWithPort("10.0.0.1:7");
    {
      EchoServer server_one(network_one, *Address::ParseWithPort("0.0.0.0:7"));
      EchoServer server_two(network_two, address);
      std::vector<std::string> texts;
      std::vector<std::unique_ptr<EchoClient>> clients;
      for (int i = 0; i < 3; ++i) {
        std::string text;
        for (uint64_t left = world.random().Below(3000); left > 0; --left)
          text += static_cast<char>('a' + world.random().Below(26));
        texts.push_back(text);
        clients.push_back(std::make_unique<EchoClient>(client_loop, client_network, address, text));
      }
      world.RunUntil(
          [&] {
            for (const auto& client : clients)
              if (client->outcome() == EchoClient::Outcome::kRunning) return false;
            return true;
          },
          seconds(2000));
      world.RunFor(seconds(1));
      for (int i = 0; i < 3; ++i) {
        ++run.outcomes[static_cast<int>(clients[i]->outcome())];
        if (!texts[i].starts_with(clients[i]->received())) ++run.prefixes_broken;
      }
    }
    world.RunUntilIdle(seconds(3600));
    run.leaks = world.Leaks();
  }
  run.hash = world.trace_hash();
  run.text = world.trace_text();
  return run;
}

TEST(Sim, EchoesWholeTextsWhenNothingFails) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    const EchoRun run = RunEcho(seed, false);
    EXPECT_EQ(run.outcomes[static_cast<int>(EchoClient::Outcome::kEchoed)], 3);
    EXPECT_EQ(run.prefixes_broken, 0);
    EXPECT_EQ(run.leaks, "");
    ASSERT_FALSE(HasFailure());
  }
}

TEST(Sim, EveryFailureHappensAndNoneMixesBytes) {
  int outcomes[5] = {};
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    const EchoRun run = RunEcho(seed, true);
    for (int i = 0; i < 5; ++i)
      outcomes[i] += run.outcomes[i];
    EXPECT_EQ(run.prefixes_broken, 0);
    EXPECT_EQ(run.leaks, "");
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(outcomes[static_cast<int>(EchoClient::Outcome::kRunning)], 0);
  for (auto outcome : {EchoClient::Outcome::kEchoed, EchoClient::Outcome::kNotConnected, EchoClient::Outcome::kBroken,
                       EchoClient::Outcome::kGaveUp})
    EXPECT_GT(outcomes[static_cast<int>(outcome)], 10) << static_cast<int>(outcome);
}

TEST(Sim, ASeedRunTwiceLeavesTheSameTrace) {
  std::vector<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    const EchoRun run = RunEcho(seed, true);
    ASSERT_EQ(run.hash, RunEcho(seed, true).hash);
    hashes.push_back(run.hash);
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end()) << "each seed its own";
  const EchoRun with_text = RunEcho(1, true, true);
  EXPECT_EQ(with_text.hash, RunEcho(1, true).hash) << "keeping the text changes nothing";
  EXPECT_NE(with_text.text.find("connects to 10.0.0.1:7"), std::string::npos) << with_text.text;
}

// One client stream and what it was told; a server end that does nothing unless asked.
struct Ends : net::ByteStream::Handler, net::Acceptor::Handler {
  explicit Ends(const FaultPlan& plan = {}, const net::ListenOptions& options = {}) : world(7) {
    world.set_plan_chooser([plan](const Address&, base::Random&) { return plan; });
    loop = std::make_unique<SimLoop>(world, "loop");
    network = std::make_unique<SimNetwork>(world, *loop, "10.0.0.1");
    acceptor = *network->Listen(*Address::ParseWithPort("10.0.0.1:80"), options, *this);
  }
  ~Ends() override {
    client.reset();
    server.clear();
    acceptor.reset();
    network.reset();
    loop.reset();
  }
  void Connect() {
    client = network->Connect(*Address::ParseWithPort("10.0.0.1:80"));
    client->set_handler(this);
  }
  bool Until(const std::function<bool()>& holds) { return world.RunUntil(holds, seconds(60)); }
  void OnOpen(bool ok) override { log += ok ? "open " : "failed "; }
  void OnReadable() override { log += "r "; }
  void OnWritable() override { log += "w "; }
  void OnAccept(std::unique_ptr<net::ByteStream> stream) override {
    EXPECT_TRUE(stream->open());
    server.push_back(std::move(stream));
  }
  static IoResult Write(net::ByteStream& stream, std::string text) {
    const struct iovec vector = {text.data(), text.size()};
    return stream.Write(&vector, 1);
  }
  static std::string Read(net::ByteStream& stream, IoStatus& status) {
    std::string text;
    while (true) {
      char bytes[16];
      const IoResult result = stream.Read(bytes, sizeof bytes);
      status = result.status;
      if (status != IoStatus::kOk) return text;
      text.append(bytes, result.bytes);
    }
  }

  SimWorld world;
  std::unique_ptr<SimLoop> loop;
  std::unique_ptr<SimNetwork> network;
  std::unique_ptr<net::Acceptor> acceptor;
  std::unique_ptr<net::ByteStream> client;
  std::vector<std::unique_ptr<net::ByteStream>> server;
  std::string log;
};

TEST(SimNetwork, ConnectOutcomes) {
  const struct {
    const char* name;
    FaultPlan plan;
    bool listening;
    const char* log;
  } rows[] = {
      {"ok", {}, true, "open "},
      {"nobody listens", {}, false, "failed "},
      {"refused", {.connect = FaultPlan::Connect::kRefused}, true, "failed "},
      {"never answers", {.connect = FaultPlan::Connect::kNeverAnswers}, true, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Ends ends(row.plan);
    if (!row.listening) ends.acceptor.reset();
    ends.Connect();
    EXPECT_EQ(ends.log, "") << "never at once";
    EXPECT_EQ(Ends::Write(*ends.client, "x").status, IoStatus::kWouldBlock);
    ends.world.RunFor(seconds(100));
    EXPECT_EQ(ends.log.substr(0, ends.log.find(' ') + 1), row.log);
    EXPECT_EQ(ends.client->open(), ends.log.starts_with("open"));
    if (ends.log == "failed ") {
      EXPECT_EQ(ends.client->error(), "connection refused");
      EXPECT_EQ(Ends::Write(*ends.client, "x").status, IoStatus::kFailed);
    }
  }
}

TEST(SimNetwork, BoundsWhatIsUnderWay) {
  Ends ends({.send_buffer_bytes = 100, .receive_buffer_bytes = 50, .short_write_one_in = 0});
  ends.Connect();
  ASSERT_TRUE(ends.Until([&] { return ends.server.size() == 1 && ends.client->open(); }));
  EXPECT_EQ(Ends::Write(*ends.client, std::string(1000, 'x')).bytes, 100u);
  ends.world.RunUntilIdle(seconds(10));
  EXPECT_EQ(ends.log, "open w ") << "once, although several pieces went";
  EXPECT_EQ(Ends::Write(*ends.client, std::string(1000, 'x')).bytes, 50u);
  EXPECT_EQ(Ends::Write(*ends.client, "x").status, IoStatus::kWouldBlock);
  ends.world.RunUntilIdle(seconds(10));
  EXPECT_EQ(ends.log, "open w ");
  size_t got = 0;
  IoStatus status;
  while (got < 150) {
    got += Ends::Read(*ends.server[0], status).size();
    ends.world.RunUntilIdle(seconds(10));
  }
  EXPECT_EQ(got, 150u);
  EXPECT_EQ(ends.log, "open w w ");
}

TEST(SimNetwork, EndsAndResets) {
  const struct {
    const char* name;
    std::function<void(Ends&)> act;
    bool everything;  // all that was written must arrive
    IoStatus status;  // of the server's last read
  } rows[] = {
      {"half close", [](Ends& ends) { ends.client->ShutdownWrite(); }, true, IoStatus::kEnd},
      {"close", [](Ends& ends) { ends.client.reset(); }, true, IoStatus::kEnd},
      {"abort",
       [](Ends& ends) {
         ends.client->AbortOnClose();
         ends.client.reset();
       },
       false, IoStatus::kFailed},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Ends ends;
    ends.Connect();
    ASSERT_TRUE(ends.Until([&] { return ends.server.size() == 1 && ends.client->open(); }));
    const std::string text = std::string("all of it").substr(0, Ends::Write(*ends.client, "all of it").bytes);
    row.act(ends);
    std::string received;
    IoStatus status = IoStatus::kWouldBlock;
    ASSERT_TRUE(ends.Until([&] {
      received += Ends::Read(*ends.server[0], status);
      return status != IoStatus::kWouldBlock;
    }));
    EXPECT_EQ(status, row.status);
    EXPECT_TRUE(row.everything ? received == text : text.starts_with(received)) << received;
    if (row.status == IoStatus::kFailed) {
      EXPECT_EQ(ends.server[0]->error(), "connection reset by peer");
      EXPECT_EQ(Ends::Write(*ends.server[0], "x").status, IoStatus::kFailed);
    }
  }
}

TEST(SimNetwork, WritingToWhoHasLeftBringsAReset) {
  Ends ends;
  ends.Connect();
  ASSERT_TRUE(ends.Until([&] { return ends.server.size() == 1 && ends.client->open(); }));
  ends.client.reset();
  IoStatus status = IoStatus::kOk;
  ASSERT_TRUE(ends.Until([&] { return Ends::Read(*ends.server[0], status).empty() && status == IoStatus::kEnd; }));
  EXPECT_EQ(Ends::Write(*ends.server[0], "answer").status, IoStatus::kOk);
  EXPECT_TRUE(ends.Until([&] { return Ends::Write(*ends.server[0], "x").status == IoStatus::kFailed; }));
}

TEST(SimNetwork, AStallTellsNobody) {
  Ends ends({.stall_after_bytes = 3});
  ends.Connect();
  ASSERT_TRUE(ends.Until([&] { return ends.server.size() == 1 && ends.client->open(); }));
  Ends::Write(*ends.client, "abc");
  ends.world.RunFor(seconds(10));
  Ends::Write(*ends.client, "def");
  ends.client->ShutdownWrite();
  ends.world.RunFor(seconds(1000));
  IoStatus status;
  EXPECT_LE(Ends::Read(*ends.server[0], status).size(), 6u);
  EXPECT_EQ(status, IoStatus::kWouldBlock);
}

TEST(SimNetwork, AHandlerThatComesLateMissesNothing) {
  Ends ends;
  ends.Connect();
  ends.client->set_handler(nullptr);
  ends.world.RunFor(seconds(1));
  EXPECT_EQ(ends.log, "");
  ends.client->set_handler(&ends);
  EXPECT_EQ(ends.log, "");
  ends.world.RunFor(seconds(1));
  EXPECT_EQ(ends.log, "open ");
}

TEST(SimAcceptor, PausesResumesDrainsAndStops) {
  Ends ends;
  ends.acceptor->Pause();
  ends.Connect();
  ends.world.RunFor(seconds(1));
  EXPECT_EQ(ends.log, "open ") << "the queue has it";
  EXPECT_EQ(ends.server.size(), 0u);
  ends.acceptor->Resume();
  ends.world.RunFor(seconds(1));
  EXPECT_EQ(ends.server.size(), 1u);
  ends.acceptor->Pause();
  const auto waiting = ends.network->Connect(ends.acceptor->local());
  ends.world.RunFor(seconds(1));
  ends.acceptor->Drain();
  EXPECT_EQ(ends.server.size(), 2u);
  const auto late = ends.network->Connect(ends.acceptor->local());
  late->set_handler(&ends);
  ends.world.RunFor(seconds(1));
  EXPECT_EQ(ends.log, "open failed ");
}

TEST(SimAcceptor, DestroyingItResetsItsQueue) {
  Ends ends;
  ends.acceptor->Pause();
  ends.Connect();
  ends.world.RunFor(seconds(1));
  ends.acceptor.reset();
  IoStatus status = IoStatus::kOk;
  EXPECT_TRUE(ends.Until([&] {
    Ends::Read(*ends.client, status);
    return status == IoStatus::kFailed;
  }));
}

TEST(SimAcceptor, AFullQueueAnswersNobody) {
  Ends ends({}, {.backlog = 1});
  ends.acceptor->Pause();
  std::vector<std::unique_ptr<net::ByteStream>> streams;
  for (int i = 0; i < 3; ++i)
    streams.push_back(ends.network->Connect(ends.acceptor->local()));
  streams[2]->set_handler(&ends);
  for (auto& stream : streams)
    stream->set_handler(&ends);
  ends.world.RunFor(seconds(10));
  EXPECT_EQ(ends.log, "open open ");
}

TEST(SimNetwork, APortInUseIsAnError) {
  Ends ends;
  const Address taken = ends.acceptor->local();
  EXPECT_EQ(ends.network->ProbePort(taken).message(), "10.0.0.1:80: address in use");
  EXPECT_TRUE(ends.network->Listen(taken, {}, ends).ok());
  EXPECT_FALSE(ends.network->Listen(taken, {.share_port = false}, ends).ok());
  EXPECT_FALSE(ends.network->ProbePort(*Address::ParseWithPort("0.0.0.0:80")).ok()) << "the same host";
  EXPECT_TRUE(ends.network->ProbePort(taken.WithPort(81)).ok());
  const auto any = ends.network->Listen(taken.WithPort(0), {}, ends);
  ASSERT_TRUE(any.ok());
  EXPECT_NE((*any)->local().port(), 0);
}

TEST(SimWorld, NamesWhatWasNotGivenBack) {
  Ends ends;
  EXPECT_EQ(ends.world.Leaks(), "1 acceptors");
  ends.Connect();
  struct : event::Timer::Handler {
    void OnTimer(event::Timer&) override {}
  } handler;
  {
    event::Timer timer(ends.loop->timers(), handler);
    timer.Set(ends.loop->Now() + seconds(5));
    EXPECT_EQ(ends.world.Leaks(), "1 streams, 1 acceptors, 1 timers of loop");
  }
  ends.client.reset();
  ends.acceptor.reset();
  EXPECT_EQ(ends.world.Leaks(), "");
}

TEST(SimLoop, TimersRunAtTheirTimeHoweverFar) {
  Ends ends;
  struct Handler : event::Timer::Handler {
    void OnTimer(event::Timer&) override { at = loop->Now(); }
    SimLoop* loop = nullptr;
    base::MonotonicTime at{};
  } handler;
  handler.loop = ends.loop.get();
  event::Timer timer(ends.loop->timers(), handler);
  for (base::Duration delay : {base::Duration(milliseconds(1)), base::Duration(std::chrono::hours(24 * 30))}) {
    const base::MonotonicTime deadline = ends.world.Now() + delay;
    timer.Set(deadline);
    // Set from outside of a turn: the loop learns of it in its next one.
    ends.loop->Post([] {});
    EXPECT_FALSE(ends.world.RunUntil([&] { return handler.at >= deadline; }, delay - microseconds(1)));
    EXPECT_TRUE(ends.world.RunUntil([&] { return handler.at >= deadline; }, milliseconds(2)));
  }
}

TEST(SimLoop, PostsRunInOrderInALaterTurn) {
  Ends ends;
  std::string order;
  ends.loop->Post([&] {
    order += "a";
    ends.loop->Post([&] { order += "c"; });
  });
  ends.loop->Post([&] { order += "b"; });
  EXPECT_EQ(order, "");
  ends.world.RunUntilIdle(seconds(1));
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(ends.loop->WallNow().time_since_epoch() / std::chrono::hours(24 * 365), 56) << "2026";
}

}  // namespace
}  // namespace portico::sim
