#include "dataplane/xds/stream_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/source/jobs_for_test.h"
#include "dataplane/source/versions_for_test.h"
#include "dataplane/tls/ticket_keys.h"
#include "dataplane/xds/control_plane_for_test.h"
#include "dataplane/xds/served_set_for_test.h"
#include "test/support/scripted_network.h"

namespace portico::xds {
namespace {

using base::Concat;
using for_test::ControlPlane;
using for_test::kGateway;
using source::for_test::Key;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr crypto::Sealer::Key kSealing{1, 2, 3};
const std::string kListener = "Gateway g@x {listeners: [{name: http, port: 80, protocol: HTTP}]}";
const std::string kOtherListener = "Gateway g@x {listeners: [{name: http, port: 81, protocol: HTTP}]}";
const std::string kCluster = "Cluster c@x {endpoints: [{address: 127.0.0.1, port: 9001}]}";
const std::string kBadCluster = "Cluster c@x {endpoints: [{address: 127.0.0.1, port: 70000}]}";
const std::string kAskForAll =
    "Secret node n +*; Consumer +*; ReferenceGrant +*; Endpoints +*; Cluster +*; Composition +*; AuthPolicy +*; "
    "RateLimitPolicy +*; CachePolicy +*; Gateway +*; "
    "Route +*; CachePurge +*; Revision +*";

net::Address At(uint16_t port) {
  return *net::Address::Parse("127.0.0.1", port);
}

// The message of its kind in a Resource.
const google::protobuf::Message& ContentOf(const portico::v1::Resource& resource) {
  const auto& reflection = *resource.GetReflection();
  return reflection.GetMessage(
      resource, reflection.GetOneofFieldDescriptor(resource, portico::v1::Resource::descriptor()->oneof_decl(0)));
}

// A source with everything around it; the test is the control planes and whoever puts snapshots into force.
class StreamSourceTest : public testing::Test, public StreamSource::Handler {
 protected:
  StreamSourceTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    options_.node = {.node_id = "n", .gateway = kGateway, .version = "1", .instance = "i"};
    options_.discovery.addresses = {At(1)};
    options_.build.ticket_keys = tls::TicketKeys::Generate();
  }
  ~StreamSourceTest() override {
    source_.reset();
    loop_.Turn();
    EXPECT_EQ(pool_.blocks_in_use(), 0u);
    EXPECT_EQ(loop_.timers().size(), 0u);
    std::filesystem::remove_all(folder_);
  }

  void KeepState() { options_.state.emplace(folder_, kGateway, kSealing); }
  // 0: there is none.
  uint64_t Kept() const {
    const absl::StatusOr<source::SavedState> state = options_.state->Read();
    return state.ok() ? state->revision : 0;
  }
  void Start() {
    source_ = std::make_unique<StreamSource>(loop_, network_, pool_, options_, key_pairs_, log_.log(), *this);
    source_->Start();
    Settle();
  }
  // False: nobody had anything to say.
  bool Talk() {
    bool moved = false;
    for (; planes_.size() < network_.connects.size(); moved = true) {
      const std::shared_ptr<test::FarEnd>& far = network_.connects[planes_.size()];
      const bool dead = dead_.contains(far->address);
      planes_.push_back(dead ? nullptr : std::make_unique<ControlPlane>(far));
      if (dead) far->Open(false);
    }
    for (const auto& plane : planes_)
      moved = (plane != nullptr && plane->Turn()) || moved;
    return moved;
  }
  // Until nobody has anything to say.
  void Settle() {
    do {
      loop_.Turn();
    } while (Talk());
  }
  void Pass(base::Duration time) {
    loop_.Pass(time, [this] { Settle(); });
  }
  void PassPause() { Pass(milliseconds(700)); }
  void RunUntil(const std::function<bool()>& done) {
    loop_.RunUntil([&] {
      Talk();
      return done();
    });
    Settle();
  }
  // The control plane that has a stream.
  ControlPlane& plane() {
    for (const auto& plane : planes_)
      if (plane != nullptr && plane->has_stream()) return *plane;
    ADD_FAILURE() << "nobody has a stream";
    return *planes_.back();
  }
  bool has_stream() const {
    for (const auto& plane : planes_)
      if (plane != nullptr && plane->has_stream()) return true;
    return false;
  }
  void Give(const std::string& line) {
    for (const auto& [key, version] : source::for_test::Parse({line}))
      plane().Say(set_.Give(key, ContentOf(*version.resource)));
    Settle();
  }
  void Mark(uint64_t number) {
    plane().Say(set_.Mark(number));
    Settle();
  }
  // What was handed out last, to be put into force, is or is not.
  void Publish(const absl::Status& status = absl::OkStatus()) {
    RunUntil([&] { return handed_.has_value(); });
    said_ += Concat(said_.empty() ? "" : ", ", *std::exchange(handed_, std::nullopt));
    source_->OnPublished(status);
    Settle();
  }
  // Started, and revision 1 is in force; nothing is left to be heard.
  void Serve() {
    Start();
    Give(kListener);
    Mark(1);
    Publish();
    plane().Heard();
    log_.Take();
  }

  std::string folder_ = testing::TempDir() + "/source_XXXXXX";
  const crypto::BoringKeyPairChecker key_pairs_;
  source::for_test::JobLoop loop_;
  source::for_test::LogText log_;
  base::BlockPool pool_;
  test::ScriptedNetwork network_;
  std::set<net::Address> dead_;                        // who refuses connections
  std::vector<std::unique_ptr<ControlPlane>> planes_;  // as network_.connects; nullptr: it was refused
  for_test::ServedSet set_;
  StreamSource::Options options_;
  std::optional<std::string> handed_;  // waits to be put into force
  std::string said_;                   // of all that was handed out
  int refused_ = 0;
  std::unique_ptr<StreamSource> source_;

 private:
  // StreamSource::Handler
  void OnSnapshot(std::shared_ptr<snapshot::Snapshot> snapshot, const std::string& what) override {
    EXPECT_FALSE(handed_.has_value()) << "one at a time";
    handed_ = Concat(what, ":");
    for (const std::shared_ptr<const snapshot::Port>& port : snapshot->ports)
      base::AppendTo(*handed_, Concat(" ", port->number));
  }
  void OnRefused() override { ++refused_; }
};

TEST_F(StreamSourceTest, AStartWithoutState) {
  KeepState();
  Start();
  EXPECT_EQ(log_.Take(), Concat("info ", folder_, "/default.g.state: nothing is kept yet\n"));
  EXPECT_EQ(plane().Heard(), kAskForAll);
  Give(kListener);
  EXPECT_EQ(log_.Take(), "info control plane at 127.0.0.1:1: it answers\n");
  EXPECT_EQ(plane().Heard(), "") << "it is staged";
  Mark(1);
  EXPECT_EQ(plane().Heard(), "") << "before the verdict";
  Publish();
  EXPECT_EQ(said_, "revision 1: 80");
  EXPECT_EQ(plane().Heard(), "Gateway 1; Revision 2");
  EXPECT_EQ(log_.Take(), "");
}

TEST_F(StreamSourceTest, WhatIsRefusedKeepsItsLastVersionAndIsReported) {
  Start();
  Give(kListener);
  Give(kCluster);
  Mark(1);
  Publish();
  plane().Heard();
  log_.Take();
  Give(kBadCluster);
  Mark(2);
  Publish();
  const std::string why = "spec.endpoints[0].port: must be 1 to 65535";
  EXPECT_EQ(log_.Take(), Concat("error revision 2: Cluster c is refused: ", why, "\n"));
  EXPECT_EQ(plane().Heard(), Concat("Cluster 4; Revision 5 refused Cluster default/c (e.3: ", why, ")"));
  EXPECT_EQ(refused_, 0);
}

TEST_F(StreamSourceTest, WhatCannotBeBuiltIsRefusedAsAWhole) {
  Serve();
  plane().Say(set_.Take(kGateway));
  Mark(2);
  RunUntil([&] { return refused_ == 1; });
  EXPECT_FALSE(handed_.has_value());
  EXPECT_EQ(plane().Heard(), "Gateway 3; Revision 4 NACK");
  EXPECT_EQ(log_.Take(), Concat("error revision 2 is refused: ", plane().nack, "\n"));
}

TEST_F(StreamSourceTest, WhatCannotBePutIntoForceIsRefusedAsAWhole) {
  Serve();
  Give(kOtherListener);
  Mark(2);
  Publish(absl::UnavailableError("port 81: address in use"));
  EXPECT_EQ(refused_, 1);
  EXPECT_EQ(plane().Heard(), "Gateway 3; Revision 4 NACK");
  EXPECT_EQ(plane().nack, "port 81: address in use");
  EXPECT_EQ(log_.Take(), "error revision 2 is refused: port 81: address in use\n");
  // And the next change is one to what was refused.
  Give(kListener);
  Mark(3);
  Publish();
  EXPECT_EQ(plane().Heard(), "Gateway 5; Revision 6");
  EXPECT_EQ(said_, "revision 1: 80, revision 2: 81, revision 3: 80");
}

TEST_F(StreamSourceTest, AStreamThatEndsIsBegunAgainWithWhatIsHeld) {
  Serve();
  plane().End("14");
  Settle();
  EXPECT_FALSE(has_stream());
  EXPECT_TRUE(log_.Take().starts_with("warning control plane at 127.0.0.1:1: UNAVAILABLE; trying again in "));
  PassPause();
  EXPECT_EQ(plane().Heard(), Concat("Secret node n +*; Consumer +*; ReferenceGrant +*; Endpoints +*; Cluster +*; "
                                    "Composition +*; AuthPolicy +*; RateLimitPolicy +*; CachePolicy +*; "
                                    "Gateway +* default/g=e.1; Route +*; CachePurge +*; Revision +* default/g=",
                                    set_.digest(), " refused"));
  EXPECT_EQ(log_.Take(), "");
  Give(kOtherListener);
  Mark(2);
  Publish();
  EXPECT_EQ(said_, "revision 1: 80, revision 2: 81");
}

TEST_F(StreamSourceTest, AVerdictThatComesWhenTheStreamIsGone) {
  Serve();
  Give(kOtherListener);
  Mark(2);
  plane().End("14");
  Settle();
  Publish();
  PassPause();
  EXPECT_TRUE(plane().Heard().ends_with(
      Concat("Gateway +* default/g=e.2; Route +*; CachePurge +*; Revision +* default/g=", set_.digest(), " refused")));
}

TEST_F(StreamSourceTest, AStartWithStateServesItBeforeItAsks) {
  KeepState();
  Serve();
  loop_.Pass(source::StateKeeper::kSavePause);
  RunUntil([&] { return Kept() == 1; });
  const std::string digest = set_.digest();
  source_.reset();
  said_.clear();
  const size_t connects = network_.connects.size();
  Start();
  RunUntil([&] { return handed_.has_value(); });
  EXPECT_EQ(network_.connects.size(), connects) << "whoever is asked is told what runs";
  Publish();
  EXPECT_EQ(said_, "revision 1: 80");
  EXPECT_TRUE(plane().Heard().ends_with(
      Concat("Gateway +* default/g=e.1; Route +*; CachePurge +*; Revision +* default/g=", digest, " refused")));
  Mark(1);
  EXPECT_TRUE(plane().Heard().starts_with("Revision ")) << "acknowledged: it is in force";
  EXPECT_EQ(said_, "revision 1: 80");
}

TEST_F(StreamSourceTest, StateThatCannotBeServedIsToldAndNotClaimed) {
  KeepState();
  std::ofstream(options_.state->path()) << "nonsense";
  Start();
  EXPECT_EQ(log_.Take(), Concat("error ", options_.state->path(), ": is no state of this release; it is not served\n"));
  EXPECT_EQ(plane().Heard(), kAskForAll);
}

TEST_F(StreamSourceTest, WhatIsInForceIsKeptOnceForABurst) {
  KeepState();
  Serve();
  Pass(milliseconds(900));
  Give(kOtherListener);
  Mark(2);
  Publish();
  EXPECT_EQ(Kept(), 0u);
  loop_.Pass(milliseconds(110));
  RunUntil([&] { return Kept() == 2; });
  // What is not in force is not kept.
  Give(kListener);
  Mark(3);
  Publish(absl::UnavailableError("no"));
  Pass(seconds(2));
  EXPECT_EQ(Kept(), 2u);
}

// A drain begins: whoever goes has no verdict, neither now nor when the workers say that they take nothing any more.
TEST_F(StreamSourceTest, StoppingLeavesWithoutAVerdict) {
  KeepState();
  Serve();
  Give(kOtherListener);
  Mark(2);
  RunUntil([&] { return handed_.has_value(); });
  ControlPlane& last = plane();
  source_->Stop();
  source_->OnPublished(absl::FailedPreconditionError("the proxy is draining: it takes no new configuration"));
  RunUntil([&] { return options_.state->Lock().ok(); });  // it is the next process's
  EXPECT_EQ(Kept(), 1u);
  EXPECT_FALSE(last.has_stream()) << "cancelled";
  EXPECT_EQ(last.Heard(), "");
  EXPECT_EQ(refused_, 0);
  EXPECT_EQ(log_.Take(), "") << "nothing went wrong";
  Pass(minutes(1));
  EXPECT_FALSE(has_stream()) << "it does not come back";
}

TEST_F(StreamSourceTest, StoppingWhileSomethingIsBuilt) {
  Serve();
  Give(kOtherListener);
  plane().Say(set_.Mark(2));
  Talk();
  const size_t tasks = loop_.tasks_run();
  source_->Stop();
  RunUntil([&] { return loop_.tasks_run() > tasks; });
  EXPECT_FALSE(handed_.has_value());
  EXPECT_EQ(refused_, 0);
  EXPECT_EQ(log_.Take(), "");
}

TEST_F(StreamSourceTest, StoppingBetweenStreams) {
  dead_ = {At(1)};
  Start();
  source_->Stop();
  Pass(minutes(5));
  EXPECT_EQ(network_.connects.size(), 1u);
}

TEST_F(StreamSourceTest, TheSameTroubleIsOneLineForEachAddress) {
  options_.discovery.addresses = {At(1), At(2)};
  dead_ = {At(1), At(2)};
  Start();
  for (int i = 0; i < 10; ++i)
    Pass(seconds(40));
  EXPECT_GE(network_.connects.size(), 10u);
  const std::string log = log_.Take();
  EXPECT_EQ(base::Split(log, '\n').size(), 3u) << log;
  EXPECT_NE(log.find("warning control plane at 127.0.0.1:2: UNAVAILABLE: "), std::string::npos) << log;
  // One that has answered since is worth another.
  dead_.clear();
  Pass(seconds(40));
  for (int number = 0; number < 4; ++number) {  // each of the two twice
    while (!has_stream())
      PassPause();
    const std::string address = plane().address().ToString();
    plane().Say(set_.Response(wire::TypeUrl("Route")));
    Settle();
    plane().End("14");
    Settle();
    EXPECT_TRUE(
        log_.Take().starts_with(Concat("info control plane at ", address, ": it answers\nwarning control plane at ",
                                       address, ": UNAVAILABLE; trying again in ")))
        << number;
  }
}

TEST_F(StreamSourceTest, OfManyRefusalsTheFirstAreLoggedAndHowManyMore) {
  Serve();
  for (size_t i = 0; i < StreamSource::kLoggedMax + 5; ++i)
    Give(Concat("Cluster c", i + 100, "@x {endpoints: [{address: 127.0.0.1, port: 70000}]}"));
  for (size_t i = 0; i < StreamSource::kLoggedMax + 1; ++i)
    Give(Concat("Route r", i + 100, "@x {rules: [{backendRefs: [{name: c", i + 100, "}]}]}"));
  for (size_t i = 0; i < StreamSource::kLoggedMax; ++i)
    Give(Concat("Route s", i + 100, "@x {rules: [{backendRefs: [{name: nothing}]}]}"));
  Mark(2);
  Publish();
  std::map<std::string, int> lines;
  const std::string log = log_.Take();
  for (const std::string_view line : base::Split(log, '\n')) {
    std::string kind(line);
    for (const std::string_view words : {"is refused", "waits for", "and ", "more "})
      if (const size_t at = line.find(words); at != std::string_view::npos) kind = line.substr(at);
    ++lines[kind.substr(0, kind.find(':'))];
  }
  lines.erase("");
  EXPECT_EQ(lines, (std::map<std::string, int>{{"is refused", 10},
                                               {"more are refused", 1},
                                               {"waits for what is refused", 10},
                                               {"more wait for what is refused", 1},
                                               {"warning revision 2", 10}}))
      << log;
  EXPECT_NE(log.find("error revision 2: and 5 more are refused\n"), std::string::npos) << log;
  EXPECT_LT(log.find("Cluster c100 "), log.find("Cluster c109 "));
  EXPECT_EQ(log.find("Cluster c110 "), std::string::npos) << "by name";
}

TEST_F(StreamSourceTest, ASilentControlPlaneIsAskedAgainAndNobodyIsTold) {
  options_.discovery.addresses = {At(1), At(2)};
  Serve();
  Pass(DiscoveryClient::kSilenceMax * 3 / 4);
  Mark(1);
  Pass(DiscoveryClient::kSilenceMax * 3 / 4);
  EXPECT_EQ(network_.connects.size(), 1u) << "a word is a word";
  Pass(DiscoveryClient::kSilenceMax * 2 / 4);
  ASSERT_EQ(network_.connects.size(), 2u);
  EXPECT_EQ(plane().address(), At(1));
  EXPECT_FALSE(planes_[0]->connected()) << "it might be to nobody";
  EXPECT_TRUE(plane().Heard().ends_with(Concat("Revision +* default/g=", set_.digest(), " refused")));
  Mark(1);
  EXPECT_EQ(log_.Take(), "");
}

TEST_F(StreamSourceTest, ASilentControlPlaneThatIsGoneIsLeft) {
  options_.discovery.addresses = {At(1), At(2)};
  Serve();
  dead_ = {At(1)};
  Pass(DiscoveryClient::kSilenceMax * 3 / 2);
  EXPECT_TRUE(log_.Take().starts_with("warning control plane at 127.0.0.1:1: UNAVAILABLE: "));
  PassPause();
  EXPECT_EQ(plane().address(), At(2));
}

TEST_F(StreamSourceTest, CertificatesAreReadForEachStreamAndNotOnTheLoop) {
  const std::thread::id loop = std::this_thread::get_id();
  std::vector<std::string> reads;
  bool fails = true;
  options_.discovery.secure = [&](const net::Address& address) -> absl::StatusOr<Security> {
    EXPECT_NE(std::this_thread::get_id(), loop);
    reads.push_back(address.ToString());
    if (fails) return absl::FailedPreconditionError("--tls_cert: no such file");
    return Security{};
  };
  Start();
  std::string log;
  RunUntil([&] { return !(log += log_.Take()).empty(); });
  EXPECT_TRUE(log.starts_with("warning control plane at 127.0.0.1:1: --tls_cert: no such file; trying again in "))
      << log;
  fails = false;
  loop_.Pass(milliseconds(700));
  RunUntil([&] { return !network_.connects.empty(); });
  plane().End("14");
  Settle();
  loop_.Pass(milliseconds(1500));
  RunUntil([&] { return has_stream(); });
  EXPECT_EQ(reads.size(), 3u);
}

TEST_F(StreamSourceTest, StoppingWhileCertificatesAreRead) {
  options_.discovery.secure = [](const net::Address&) { return Security{}; };
  source_ = std::make_unique<StreamSource>(loop_, network_, pool_, options_, key_pairs_, log_.log(), *this);
  source_->Start();
  source_->Stop();
  RunUntil([&] { return loop_.tasks_run() > 0; });
  EXPECT_TRUE(network_.connects.empty());
}

}  // namespace
}  // namespace portico::xds
