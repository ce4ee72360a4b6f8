// Both ends in one process, over real sockets.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/takeover/claim.h"
#include "dataplane/takeover/offer.h"

namespace portico::takeover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Message::Kind;

net::ListeningSocket Listen() {
  base::FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd.get(), 4), 0);
  return net::ListeningSocket::Examine(std::move(fd)).value();
}

struct OfferLog : Offer::Handler {
  void OnAsked(pid_t successor) override {
    text += "asked ";
    EXPECT_EQ(successor, ::getpid());
  }
  void OnServing(pid_t, const std::set<net::Address>& addresses) override {
    text += "serving ";
    for (const net::Address& address : addresses)
      text += address.ToString() + " ";
  }
  void OnStays(const std::string& why) override { text += "stays: " + why + " "; }
  void OnTurnedAway(const std::string& why) override { text += "away: " + why + " "; }
  std::string text;
};

struct ClaimLog : Claim::Handler {
  void OnGo() override { text += "go "; }
  void OnIncumbentGone() override { text += "gone "; }
  void OnDenied(const std::string& why) override { text += "denied: " + why + " "; }
  std::string text;
};

class Takeover : public testing::Test {
 protected:
  Takeover() {
    char name[] = "/tmp/portico-takeover-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/proxy.sock";
  }
  ~Takeover() override {
    offer.reset();
    EXPECT_EQ(::rmdir(folder.c_str()), 0) << "a file is left in " << folder;
  }

  void Open(const Offer::Times& times = {}) {
    auto made = Offer::Create(loop, path, offer_log, times);
    ASSERT_TRUE(made.ok()) << made.status();
    offer = *std::move(made);
    ASSERT_TRUE(offer->Open().ok());
  }
  std::unique_ptr<Claim> Ask() {
    auto claim = Claim::Ask(path);
    EXPECT_TRUE(claim.ok()) << claim.status();
    return claim.ok() ? *std::move(claim) : nullptr;
  }
  // As far as "the sockets were given".
  std::unique_ptr<Claim> AskAndReceive() {
    std::unique_ptr<Claim> claim = Ask();
    EXPECT_TRUE(Until([&] { return Said("asked "); }));
    offer->Give(sockets);
    EXPECT_TRUE(claim->ReceiveSockets().ok());
    claim->Follow(loop, claim_log);
    return claim;
  }
  // A successor that says what it likes.
  Channel RawSuccessor() {
    Channel channel(OpenUnixSocket(/*blocking=*/true).value());
    const struct sockaddr_un address = UnixAddress(path);
    EXPECT_EQ(::connect(channel.fd(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address), 0);
    return channel;
  }
  bool Until(const std::function<bool()>& predicate) {
    struct Ticker : event::Timer::Handler {
      void OnTimer(event::Timer&) override {}
    } ticker;
    event::Timer timer(loop.timers(), ticker);
    for (const base::MonotonicTime end = loop.Now() + seconds(20); !predicate() && loop.Now() < end;) {
      timer.Set(loop.Now() + milliseconds(2));
      loop.Turn(true);
    }
    return predicate();
  }
  bool Said(std::string_view text) const { return offer_log.text.find(text) != std::string::npos; }
  std::string Me() const { return base::Concat("process ", ::getpid()); }

  event::LibeventLoop loop;
  std::string folder, path;
  OfferLog offer_log;
  ClaimLog claim_log;
  std::unique_ptr<Offer> offer;
  std::vector<net::ListeningSocket> sockets;
};

TEST_F(Takeover, InOrder) {
  Open();
  sockets.push_back(Listen());
  std::unique_ptr<Claim> claim = Ask();
  EXPECT_EQ(claim->incumbent(), ::getpid());
  ASSERT_TRUE(Until([&] { return Said("asked "); }));
  offer->Give(sockets);
  const auto received = claim->ReceiveSockets();
  ASSERT_TRUE(received.ok()) << received.status();
  ASSERT_EQ(received->size(), 1u);
  EXPECT_EQ((*received)[0].address, sockets[0].address);
  EXPECT_FALSE((*received)[0].share_port);
  claim->Follow(loop, claim_log);
  claim->Ready();
  claim->Ready();
  ASSERT_TRUE(Until([&] { return !claim_log.text.empty(); }));
  EXPECT_EQ(claim_log.text, "go ");
  EXPECT_EQ(offer_log.text, "asked ");
  EXPECT_TRUE(claim->Serving({sockets[0].address}).ok());
  ASSERT_TRUE(Until([&] { return Said("serving "); }));
  EXPECT_EQ(offer_log.text, "asked serving " + sockets[0].address.ToString() + " ");
  // Who comes now has come to the wrong process.
  std::unique_ptr<Claim> late = Ask();
  ASSERT_TRUE(Until([&] { return Said("away: "); }));
  EXPECT_NE(base::ToStd(late->ReceiveSockets().status().message()).find("has handed its sockets over already"),
            std::string::npos);
  EXPECT_EQ(claim_log.text, "go ");
}

TEST_F(Takeover, OfNothingAndOfMoreThanOnePacket) {
  for (const size_t count : {size_t{0}, Message::kDescriptorsMax, Message::kDescriptorsMax + 1}) {
    Open();
    offer_log.text.clear();
    sockets.clear();
    while (sockets.size() < count)
      sockets.push_back(sockets.empty() ? Listen() : sockets[0].Duplicate().value());
    std::unique_ptr<Claim> claim = Ask();
    ASSERT_TRUE(Until([&] { return Said("asked "); }));
    offer->Give(sockets);
    const auto received = claim->ReceiveSockets();
    ASSERT_TRUE(received.ok()) << received.status();
    EXPECT_EQ(received->size(), count);
  }
}

TEST_F(Takeover, TheSuccessorIsGone) {
  Open();
  struct Row {
    std::string_view name;
    std::function<void(Claim&)> before;
  };
  const Row rows[] = {
      {"after the sockets", [](Claim&) {}},
      {"when it is ready", [](Claim& claim) { claim.Ready(); }},
      {"when it may serve",
       [&](Claim& claim) {
         claim.Ready();
         EXPECT_TRUE(Until([&] { return claim_log.text == "go "; }));
       }},
  };
  for (const Row& row : rows) {
    claim_log.text.clear();
    offer_log.text.clear();
    std::unique_ptr<Claim> claim = AskAndReceive();
    row.before(*claim);
    claim.reset();
    EXPECT_TRUE(Until([&] { return Said("stays: "); })) << row.name;
    EXPECT_EQ(offer_log.text, "asked stays: " + Me() + " is gone before it served ") << row.name;
  }
  // And the next one can.
  offer_log.text.clear();
  EXPECT_NE(AskAndReceive(), nullptr);
}

TEST_F(Takeover, TheSuccessorIsSilent) {
  Open({.ask = milliseconds(20), .serve = milliseconds(30)});
  {
    const Channel mute = RawSuccessor();
    EXPECT_TRUE(Until([&] { return Said("away: " + Me() + " is refused: it asks for nothing"); }));
  }
  const std::unique_ptr<Claim> slow = AskAndReceive();
  EXPECT_TRUE(Until([&] { return Said("stays: " + Me() + " is refused: it did not serve within 0 s"); }));
  EXPECT_TRUE(Until([&] { return !claim_log.text.empty(); }));
  EXPECT_EQ(claim_log.text, "denied: it did not serve within 0 s ");
}

// Once it was told to go it may accept, so nobody tells it to end.
TEST_F(Takeover, NoTimeCountsAfterGo) {
  Open({.ask = milliseconds(20), .serve = milliseconds(30)});
  std::unique_ptr<Claim> claim = AskAndReceive();
  claim->Ready();
  ASSERT_TRUE(Until([&] { return claim_log.text == "go "; }));
  const base::MonotonicTime later = loop.Now() + milliseconds(100);
  EXPECT_TRUE(Until([&] { return loop.Now() > later; }));
  EXPECT_EQ(offer_log.text, "asked ");
  EXPECT_TRUE(claim->Serving({}).ok());
  EXPECT_TRUE(Until([&] { return Said("serving "); }));
}

TEST_F(Takeover, TheIncumbentIsGone) {
  Open();
  std::unique_ptr<Claim> claim = AskAndReceive();
  claim->Ready();
  offer.reset();
  EXPECT_TRUE(Until([&] { return !claim_log.text.empty(); }));
  EXPECT_EQ(claim_log.text, "gone ");
}

TEST_F(Takeover, TheIncumbentRefuses) {
  Open();
  std::unique_ptr<Claim> claim = Ask();
  ASSERT_TRUE(Until([&] { return Said("asked "); }));
  offer->Refuse("no descriptor left");
  const absl::Status refused = claim->ReceiveSockets().status();
  EXPECT_EQ(base::ToStd(refused.message()), base::Concat(path, ": ", Me(), ": no descriptor left"));
  offer->Give(sockets);  // nobody waits for it
  offer_log.text.clear();
  EXPECT_NE(AskAndReceive(), nullptr);
}

TEST_F(Takeover, OneSuccessorAtATime) {
  Open();
  const std::unique_ptr<Claim> first = AskAndReceive();
  std::unique_ptr<Claim> second = Ask();
  ASSERT_TRUE(Until([&] { return Said("away: "); }));
  EXPECT_NE(base::ToStd(second->ReceiveSockets().status().message()).find("is being taken over by another process"),
            std::string::npos);
  EXPECT_EQ(claim_log.text, "");
}

TEST_F(Takeover, WhatIsOutOfTurnEndsIt) {
  struct Row {
    std::string_view name;
    std::vector<std::string> packets;
    bool given;  // after the first one
    std::string_view says;
  };
  const std::string ask = "PTKO\1\1", ready = "PTKO\1\3", serving = "PTKO\1\5";
  const Row rows[] = {
      {"noise", {"hello, is this a proxy?"}, false, "away: ME is refused: no message of a takeover"},
      {"another version", {"PTKO\2\1"}, false, "away: ME is refused: it speaks version 2"},
      {"too long", {std::string(Message::kBytesMax + 1, 'x')}, false, "away: ME is refused: a packet that is too long"},
      {"ready at once", {ready}, false, "away: ME is refused: it says what nobody asked for"},
      {"asking twice", {ask, ask}, false, "stays: ME is refused: it says what nobody asked for"},
      {"ready without sockets", {ask, ready}, false, "stays: ME is refused: it says what nobody asked for"},
      {"serving before it may", {ask, serving}, true, "stays: ME is refused: it says what nobody asked for"},
      {"ready twice", {ask, ready, ready}, true, "stays: ME is refused: it says what nobody asked for"},
      {"half an address", {ask, ready, serving + "\4\1"}, true, "stays: ME is refused: no message of a takeover"},
  };
  for (const Row& row : rows) {
    Open();
    offer_log.text.clear();
    const Channel raw = RawSuccessor();
    for (const std::string& packet : row.packets) {
      ASSERT_EQ(::send(raw.fd(), packet.data(), packet.size(), MSG_NOSIGNAL), static_cast<ssize_t>(packet.size()));
      if (packet == ask) ASSERT_TRUE(Until([&] { return Said("asked "); })) << row.name;
      if (packet == ask && row.given) offer->Give(sockets);
    }
    std::string says(row.says);
    says.replace(says.find("ME"), 2, Me());
    EXPECT_TRUE(Until([&] { return Said(says); })) << row.name << ": " << offer_log.text;
  }
}

TEST_F(Takeover, TheClaimBelievesNoNonsense) {
  struct Row {
    std::string_view name;
    std::string packet;
    int descriptor;  // of standard input; -1: none
    std::string_view says;
  };
  const Row rows[] = {
      {"a refusal", "PTKO\1\6busy", -1, "busy"},
      {"of another version", "PTKO\7\6version 7, please", -1, "version 7, please"},
      {"go", "PTKO\1\4", -1, "it says what nobody asked for"},
      {"noise", "hello", -1, "no message of a takeover"},
      {"more of nothing", "PTKO\1\2\1", -1, "announces sockets and sends none"},
      {"a descriptor that is no socket", {"PTKO\1\2\0", 7}, 1, "it is no socket of IPv4 or IPv6"},
      {"a descriptor with a refusal", "PTKO\1\6busy", 1, "descriptors where none are expected"},
  };
  for (const Row& row : rows) {
    base::FileDescriptor door(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const struct sockaddr_un address = UnixAddress(path);
    ASSERT_EQ(::bind(door.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(door.get(), 1), 0);
    std::unique_ptr<Claim> claim = Ask();
    base::FileDescriptor end(::accept(door.get(), nullptr, nullptr));
    struct iovec piece = {const_cast<char*>(row.packet.data()), row.packet.size()};
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    struct msghdr packet{};
    packet.msg_iov = &piece;
    packet.msg_iovlen = 1;
    if (row.descriptor >= 0) {
      packet.msg_control = control;
      packet.msg_controllen = sizeof control;
      *CMSG_FIRSTHDR(&packet) = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
      *reinterpret_cast<int*>(CMSG_DATA(CMSG_FIRSTHDR(&packet))) = row.descriptor;
    }
    ASSERT_GT(::sendmsg(end.get(), &packet, 0), 0) << row.name;
    const absl::Status status = claim->ReceiveSockets().status();
    EXPECT_NE(base::ToStd(status.message()).find(row.says), std::string_view::npos) << row.name << ": " << status;
    EXPECT_EQ(::unlink(path.c_str()), 0);
  }
}

TEST_F(Takeover, OnlyOneUserMayConnect) {
  Open();
  struct stat file{};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(Takeover, WhatIsAtThePath) {
  EXPECT_EQ(Claim::Ask(path).status().code(), absl::StatusCode::kNotFound);
  const auto refuses = [&](std::string_view says) {
    const absl::Status status = Claim::Ask(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(base::ToStd(status.message()).find(says), std::string_view::npos) << status;
    EXPECT_EQ(::unlink(path.c_str()), 0);
  };
  std::ofstream(path) << "notes";
  refuses("no socket");
  const struct sockaddr_un address = UnixAddress(path);
  const auto bind = [&](int type) {
    base::FileDescriptor fd(::socket(AF_UNIX, type, 0));
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
    return fd;
  };
  {
    const base::FileDescriptor stream = bind(SOCK_STREAM);
    refuses("another kind");
  }
  bind(SOCK_SEQPACKET);  // and closed again: its process is gone
  const absl::Status stale = Claim::Ask(path).status();
  EXPECT_EQ(stale.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(base::ToStd(stale.message()).find("a process that is gone"), std::string_view::npos) << stale;
  Open();
  EXPECT_NE(AskAndReceive(), nullptr);
}

TEST_F(Takeover, ThePathGoesToTheNextAndStaysItsOwn) {
  Open();
  OfferLog next_log;
  {
    auto next = Offer::Create(loop, path + "x", next_log, {});
    ASSERT_TRUE(next.ok());  // and never opened
  }
  std::unique_ptr<Offer> old = std::move(offer);
  Open();
  old.reset();
  EXPECT_NE(AskAndReceive(), nullptr) << "the old one has taken the new one's path away";
}

TEST_F(Takeover, ThereIsNoSuchFolder) {
  const auto made = Offer::Create(loop, folder + "/none/proxy.sock", offer_log, {});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(base::ToStd(made.status().message()).find("/none/proxy.sock"), std::string_view::npos) << made.status();
}

}  // namespace
}  // namespace portico::takeover
