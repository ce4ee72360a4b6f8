#include "dataplane/xds/client_session.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/portico/v1/cluster.pb.h"
#include "api/portico/v1/route.pb.h"
#include "api/wire/names.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/xds/served_set_for_test.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

using base::Concat;
using for_test::DeltaDiscoveryRequest;
using for_test::DeltaDiscoveryResponse;
using for_test::kGateway;

const std::string kMark(wire::kRevisionType);

// As bytes, and with what a server should never say.
class Server {
 public:
  // Content of a resource, other than what it should be: "unread", "other name", "other type", "field", "value".
  std::string Give(const std::string& kind, const std::string& name, const std::string& content = "") {
    portico::v1::Cluster cluster;
    portico::v1::Route route;
    const std::string own = content == "other name" ? "else" : name;
    cluster.mutable_metadata()->set_name(own);
    route.mutable_metadata()->set_name(own);
    if (content == "field") route.GetReflection()->MutableUnknownFields(&route)->AddVarint(17, 1);
    if (content == "value") cluster.mutable_spec()->set_protocol(static_cast<portico::v1::UpstreamProtocol>(99));
    const check::ResourceKey key{kind, "default", name};
    const bool is_route = (kind == "Route") != (content == "other type");
    DeltaDiscoveryResponse response = is_route ? set_.Give(key, route) : set_.Give(key, cluster);
    if (content == "unread") response.mutable_resources(0)->mutable_resource()->set_value("\xff");
    return response.SerializeAsString();
  }
  std::string Take(const std::string& kind, const std::string& name) {
    return set_.Take({kind, "default", name}).SerializeAsString();
  }
  std::string Nothing(const std::string& type_url) { return Response(type_url).SerializeAsString(); }
  DeltaDiscoveryResponse MarkMessage(uint64_t number, const portico::v1::Revision& more = {}) {
    return set_.Mark(number, more);
  }
  std::string Mark(uint64_t number) { return MarkMessage(number).SerializeAsString(); }
  const std::string& digest() const { return set_.digest(); }
  DeltaDiscoveryResponse Response(const std::string& type_url) { return set_.Response(type_url); }

 private:
  for_test::ServedSet set_;
};

struct World {
  World() : session({.node_id = "n", .gateway = kGateway, .version = "1", .instance = "i"}, crypto::Sha256) {
    Connect();
  }
  void Connect() {
    session.OnStreamStart();
    Said();
  }
  void Hear(const std::string& response) {
    const absl::Status status = session.OnResponse(response);
    ASSERT_TRUE(status.ok()) << status;
  }
  // What is sent, in words.
  std::string Said() {
    std::string text;
    nack.clear();
    while (const std::optional<std::string> bytes = session.NextRequest()) {
      DeltaDiscoveryRequest request;
      EXPECT_TRUE(request.ParseFromString(*bytes));
      text += Concat(text.empty() ? "" : "; ", for_test::Words(request));
      if (request.error_detail().code() != 0) nack = request.error_detail().message();
    }
    return text;
  }
  // "41: Cluster a e.1, Route b refused", or "none".
  std::string Proposed() {
    const std::optional<Proposal> proposal = session.TakeProposal();
    if (!proposal.has_value()) return "none";
    std::string text = Concat(proposal->mark.number, ":");
    for (const auto& [key, received] : proposal->resources) {
      text += Concat(" ", key.ToString(), " ", received->version);
      if (received->resource != nullptr) EXPECT_EQ(check::KeyOf(*received->resource), key);
    }
    for (const Refusal& refusal : proposal->refused)
      text += Concat("; ", refusal.key.ToString(), ": ", refusal.reason);
    return text;
  }

  Server server;
  ClientSession session;
  std::string nack;  // the reason of the last NACK in Said
};

TEST(ClientSessionTest, TheFirstRequestsAskForEverythingAndTheMarkLast) {
  World world;
  world.session.OnStreamStart();
  EXPECT_EQ(world.Said(),
            "Secret node n +*; Consumer +*; ReferenceGrant +*; Endpoints +*; Cluster +*; Composition +*; AuthPolicy "
            "+*; RateLimitPolicy +*; CachePolicy +*; Gateway +*; "
            "Route +*; CachePurge +*; Revision +*");
}

TEST(ClientSessionTest, NothingIsAnsweredBeforeTheVerdict) {
  World world;
  world.Hear(world.server.Nothing(wire::TypeUrl("Secret")));
  EXPECT_EQ(world.Said(), "Secret 1") << "changes nothing";
  world.Hear(world.server.Give("Cluster", "c"));
  world.Hear(world.server.Give("Route", "r"));
  world.Hear(world.server.Nothing(wire::TypeUrl("Gateway")));
  EXPECT_EQ(world.Proposed(), "none");
  world.Hear(world.server.Mark(41));
  EXPECT_EQ(world.Said(), "");
  EXPECT_EQ(world.Proposed(), "41: Cluster c e.1 Route r e.2");
  EXPECT_EQ(world.Proposed(), "none") << "once";
  EXPECT_FALSE(world.session.in_force().has_value());
  world.session.Accept({});
  EXPECT_EQ(world.Said(), "Cluster 2; Route 3; Gateway 4; Revision 5");
  EXPECT_EQ(world.session.in_force()->mark.number, 41u);
  // What is gone, and what is new in its place.
  world.Hear(world.server.Take("Route", "r"));
  world.Hear(world.server.Take("Route", "never there"));
  world.Hear(world.server.Give("Cluster", "c"));
  world.Hear(world.server.Mark(42));
  EXPECT_EQ(world.Proposed(), "42: Cluster c e.3");
  world.session.Reject("no memory");
  EXPECT_EQ(world.Said(), "Route 6; Route 7; Cluster 8; Revision 9 NACK");
  EXPECT_EQ(world.nack, "no memory");
  EXPECT_EQ(world.session.in_force()->mark.number, 41u);
  // The next is a change of what was refused.
  world.Hear(world.server.Give("Route", "s"));
  world.Hear(world.server.Mark(43));
  EXPECT_EQ(world.Proposed(), "43: Cluster c e.3 Route s e.4");
}

TEST(ClientSessionTest, WhatIsNotUnderstoodIsRefusedByName) {
  const struct {
    const char* kind;
    const char* content;
    const char* reason;
  } kRows[] = {
      {"Route", "unread", "what came can't be read as a Route"},
      {"Route", "other name", "it calls itself Route default/else"},
      {"Route", "other type", "what came is no Route by its type"},
      {"Route", "field", "unknown field 17; this proxy is older than what is written"},
      {"Cluster", "value", "spec.protocol: unknown value 99; this proxy is older than what is written"},
  };
  for (const auto& row : kRows) {
    World world;
    world.Hear(world.server.Give("Cluster", "good"));
    world.Hear(world.server.Give(row.kind, "x", row.content));
    world.Hear(world.server.Mark(1));
    const std::optional<Proposal> proposal = world.session.TakeProposal();
    ASSERT_TRUE(proposal.has_value()) << row.content;
    ASSERT_EQ(proposal->refused.size(), 1u) << row.content;
    EXPECT_EQ(proposal->refused[0].reason, row.reason);
    EXPECT_EQ((*proposal->resources.Find(check::ResourceKey{row.kind, "default", "x"}))->resource, nullptr);
    world.session.Accept({{{"Cluster", "default", "good"}, "e.1", "no such CA"}});
    const std::string refused =
        Concat("refused ", row.kind, " default/x (e.2: ", row.reason, ") Cluster default/good (e.1: no such CA)");
    EXPECT_EQ(world.Said(), Concat("Cluster 1; ", row.kind, " 2; Revision 3 ", refused));
    // Told again to whoever it comes back to.
    world.session.OnStreamStart();
    EXPECT_TRUE(world.Said().ends_with(Concat("Revision +* default/g=", world.server.digest(), " ", refused)));
    // A newer version is a new chance.
    world.Hear(world.server.Give(row.kind, "x"));
    world.Hear(world.server.Mark(2));
    EXPECT_EQ(world.session.TakeProposal()->refused.size(), 0u);
    world.session.Accept({});
    EXPECT_EQ(world.Said(), Concat(row.kind, " 4; Revision 5"));
  }
}

TEST(ClientSessionTest, ReportsAreBounded) {
  World world;
  world.Hear(world.server.Mark(1));
  ASSERT_TRUE(world.session.TakeProposal().has_value());
  std::string reason = "\xff" + std::string(ClientSession::kReasonBytesMax - 2, 'x') + "\xc3\xa9";
  world.session.Accept(
      std::vector<Refusal>(ClientSession::kRefusalsMax + 5, {{"Route", "default", "r"}, "e.1", reason}));
  DeltaDiscoveryRequest request;
  ASSERT_TRUE(request.ParseFromString(*world.session.NextRequest()));
  portico::v1::RevisionReport report;
  ASSERT_TRUE(request.error_detail().details(0).UnpackTo(&report));
  ASSERT_EQ(static_cast<size_t>(report.refusals_size()), ClientSession::kRefusalsMax);
  EXPECT_EQ(report.refusals(0).reason(), "?" + std::string(ClientSession::kReasonBytesMax - 2, 'x'));
}

TEST(ClientSessionTest, MarksThatCantBe) {
  const struct {
    const char* name;
    void (*change)(DeltaDiscoveryResponse&, portico::v1::Revision&);
    const char* reason;
  } kRows[] = {
      {"of another gateway", [](auto& response, auto&) { response.mutable_resources(0)->set_name("default/h"); },
       "the mark is not one of this gateway"},
      {"two", [](auto& response, auto&) { *response.add_resources() = response.resources(0); },
       "the mark is not one of this gateway"},
      {"unknown type", [](auto&, auto& mark) { mark.add_types()->set_type_url(wire::TypeUrl("Role")); },
       "it has resources of the type type.googleapis.com/portico.v1.Role, which this proxy does not know"},
      {"a type that is none", [](auto&, auto& mark) { mark.add_types()->set_type_url(""); },
       "it has resources of the type , which this proxy does not know"},
      {"unknown field", [](auto&, auto& mark) { mark.GetReflection()->MutableUnknownFields(&mark)->AddVarint(9, 1); },
       "the mark: unknown field 9; this proxy is older than the control plane"},
      {"another version", [](auto& response, auto&) { response.mutable_resources(0)->set_version("0"); },
       "the mark's version is not the digest of its types"},
  };
  for (const auto& row : kRows) {
    World world;
    world.Hear(world.server.Give("Route", "r"));
    DeltaDiscoveryResponse response = world.server.MarkMessage(1);
    portico::v1::Revision mark;
    ASSERT_TRUE(response.resources(0).resource().UnpackTo(&mark));
    row.change(response, mark);
    response.mutable_resources(0)->mutable_resource()->PackFrom(mark);
    world.Hear(response.SerializeAsString());
    EXPECT_EQ(world.Proposed(), "none") << row.name;
    EXPECT_EQ(world.Said(), "Route 1; Revision 2 NACK") << row.name;
    EXPECT_EQ(world.nack, row.reason);
    world.Hear(world.server.Mark(1));
    EXPECT_EQ(world.Proposed(), "1: Route r e.1") << row.name;
  }
  World world;
  DeltaDiscoveryResponse response = world.server.MarkMessage(1);
  response.mutable_resources(0)->mutable_resource()->set_value("\xff");
  world.Hear(response.SerializeAsString());
  EXPECT_EQ(world.Said(), "Revision 1 NACK");
  EXPECT_EQ(world.nack, "the mark can't be read as a Revision");
}

TEST(ClientSessionTest, AnotherSetThanTheMarksIsAskedForAgain) {
  World world;
  world.Hear(world.server.Give("Cluster", "c"));
  world.Hear(world.server.Give("Route", "r"));
  world.server.Give("Route", "lost");
  world.Hear(world.server.Mark(1));
  EXPECT_EQ(world.Proposed(), "none");
  EXPECT_EQ(world.Said(), "Cluster 1; Route 2; Route -*; Route +*; Revision 4 +default/g NACK");
  EXPECT_TRUE(world.nack.starts_with("not the mark's set of Route: 1 resources with the digest ")) << world.nack;
  // All of it comes again, and the mark.
  world.Hear(world.server.Give("Route", "r"));
  world.Hear(world.server.Give("Route", "lost"));
  world.Hear(world.server.Mark(1));
  EXPECT_EQ(world.Proposed(), "1: Cluster c e.1 Route lost e.5 Route r e.4");
  world.session.Accept({});
  EXPECT_EQ(world.Said(), "Route 5; Route 6; Revision 7");
  // A later mistake is another one. Of what is gone altogether nothing comes but the mark.
  world.server.Take("Cluster", "c");
  world.Hear(world.server.Mark(2));
  EXPECT_EQ(world.Said(), "Cluster -*; Cluster +*; Revision 9 +default/g NACK");
  world.Hear(world.server.Mark(2));
  EXPECT_EQ(world.Proposed(), "2: Route lost e.5 Route r e.4");
  world.session.Accept({});
  EXPECT_EQ(world.Said(), "Revision 10");
  // The second in a row is not ours to repair on this stream.
  world.server.Give("Cluster", "lost");
  world.Hear(world.server.Mark(3));
  EXPECT_EQ(world.Said(), "Cluster -*; Cluster +*; Revision 12 +default/g NACK");
  world.Hear(world.server.Give("Cluster", "d"));
  EXPECT_EQ(world.session.OnResponse(world.server.Mark(3)).code(), absl::StatusCode::kDataLoss);
  world.session.OnStreamStart();
  const std::string said = world.Said();
  EXPECT_NE(said.find("Cluster +*;"), std::string::npos) << "nothing of it is brought along: " << said;
  EXPECT_NE(said.find("Route +* default/lost=e.5 default/r=e.4;"), std::string::npos) << said;
}

TEST(ClientSessionTest, OfWhatComesMeanwhileTheNewestMatters) {
  World world;
  world.Hear(world.server.Give("Route", "a"));
  world.Hear(world.server.Mark(1));
  EXPECT_EQ(world.Proposed(), "1: Route a e.1");
  world.Hear(world.server.Give("Route", "b"));
  world.Hear(world.server.Mark(2));
  world.Hear(world.server.Give("Route", "c"));
  world.Hear(world.server.Mark(3));
  world.Hear(world.server.Give("Route", "not marked yet"));
  world.Hear(world.server.Nothing(wire::TypeUrl("Secret")));
  EXPECT_EQ(world.Proposed(), "none");
  EXPECT_EQ(world.Said(), "");
  world.session.Accept({});
  EXPECT_EQ(world.Said(), "Route 1; Revision 2");
  EXPECT_EQ(world.Proposed(), "3: Route a e.1 Route b e.2 Route c e.3");
  world.session.Accept({});
  EXPECT_EQ(world.Said(), "Route 3; Route 5; Revision 6");
  EXPECT_EQ(world.Proposed(), "none");
  world.Hear(world.server.Mark(4));
  EXPECT_EQ(world.Proposed(), "4: Route a e.1 Route b e.2 Route c e.3 Route not marked yet e.4");
  // A mark that is refused waits for its turn, lest its NACK covers the one that is awaited.
  world.server.Give("Cluster", "lost");
  world.Hear(world.server.Mark(5));
  EXPECT_EQ(world.Said(), "");
  world.session.Reject("no");
  EXPECT_EQ(world.Said(), "Route 7; Secret 8; Revision 9 NACK; Cluster -*; Cluster +*; Revision 11 +default/g NACK");
}

TEST(ClientSessionTest, WhatComesToNothingIsAcknowledgedAtOnce) {
  World world;
  world.Hear(world.server.Give("Route", "a"));
  world.Hear(world.server.Mark(1));
  ASSERT_TRUE(world.session.TakeProposal().has_value());
  world.session.Accept({{{"Route", "default", "a"}, "e.1", "no"}});
  world.Said();
  world.Hear(world.server.Give("Route", "b"));
  world.Hear(world.server.Take("Route", "b"));
  world.Hear(world.server.Mark(2));
  EXPECT_EQ(world.Proposed(), "none");
  EXPECT_EQ(world.Said(), "Route 3; Route 4; Revision 5 refused Route default/a (e.1: no)");
  EXPECT_EQ(world.session.in_force()->mark.number, 2u);
}

TEST(ClientSessionTest, AVerdictMayComeAfterTheStream) {
  for (const bool accepted : {true, false}) {
    World world;
    world.Hear(world.server.Give("Route", "a"));
    world.Hear(world.server.Mark(1));
    ASSERT_TRUE(world.session.TakeProposal().has_value());
    world.Hear(world.server.Give("Route", "b"));
    world.Hear(world.server.Mark(2));
    world.session.OnStreamStart();
    EXPECT_TRUE(world.Said().ends_with("Route +* default/a=e.1 default/b=e.2; CachePurge +*; Revision +*"))
        << "nothing is in force";
    if (accepted) {
      world.session.Accept({});
    } else {
      world.session.Reject("no");
    }
    EXPECT_EQ(world.Said(), "") << "the nonces are of another stream";
    EXPECT_EQ(world.Proposed(), "2: Route a e.1 Route b e.2") << "goes on without the control plane";
    world.Hear(world.server.Mark(2));
    world.session.Accept({});
    EXPECT_EQ(world.Said(), "Revision 5");
    world.session.OnStreamStart();
    EXPECT_TRUE(world.Said().ends_with(Concat("Revision +* default/g=", world.server.digest(), " refused")));
  }
}

TEST(ClientSessionTest, WhatWasInForceBeforeIsBroughtAlong) {
  World before;
  before.Hear(before.server.Give("Route", "a"));
  before.Hear(before.server.Mark(7));
  const std::optional<Proposal> proposal = before.session.TakeProposal();
  before.session.Accept({});
  World world;
  ASSERT_TRUE(world.session.Restore(proposal->resources, *before.session.in_force()).ok());
  world.session.OnStreamStart();
  EXPECT_TRUE(world.Said().ends_with(
      Concat("Route +* default/a=e.1; CachePurge +*; Revision +* default/g=", before.server.digest(), " refused")));
  world.Hear(before.server.Mark(8));
  EXPECT_EQ(world.Said(), "Revision 3");
  EXPECT_EQ(world.session.in_force()->mark.number, 8u);
}

// Some of what its mark meant had been refused: this release may take it.
TEST(ClientSessionTest, WhatWasNotAllOfItsMarkIsProposedAgain) {
  World before;
  before.Hear(before.server.Give("Route", "a"));
  before.Hear(before.server.Mark(7));
  const std::optional<Proposal> proposal = before.session.TakeProposal();
  World world;
  ASSERT_TRUE(world.session.Restore(proposal->resources, {{.epoch = "e", .number = 7, .digest = ""}, {}}).ok());
  world.session.OnStreamStart();
  EXPECT_TRUE(world.Said().ends_with("Route +* default/a=e.1; CachePurge +*; Revision +*"));
  world.Hear(before.server.Mark(7));
  EXPECT_TRUE(world.session.TakeProposal().has_value());
}

TEST(ClientSessionTest, WhatIsTooMuchToNameStartsAfresh) {
  World world;
  constexpr size_t kNameBytes = 500;
  for (size_t i = 0; i * kNameBytes <= ClientSession::kReturnBytesMax; ++i) {
    std::string name = Concat(i);
    name.append(kNameBytes - name.size(), 'x');
    world.Hear(world.server.Give("Route", name));
  }
  world.Hear(world.server.Give("Cluster", "c"));
  world.session.OnStreamStart();
  const std::string said = world.Said();
  EXPECT_NE(said.find("Cluster +* default/c=e."), std::string::npos);
  EXPECT_TRUE(said.ends_with("Route +*; CachePurge +*; Revision +*")) << said.size();
}

TEST(ClientSessionTest, WhatEndsTheStream) {
  const struct {
    const char* name;
    void (*change)(DeltaDiscoveryResponse&);
    absl::StatusCode code;
  } kRows[] = {
      {"as it should be", [](auto&) {}, absl::StatusCode::kOk},
      {"no nonce", [](auto& response) { response.clear_nonce(); }, absl::StatusCode::kInvalidArgument},
      {"a long nonce", [](auto& response) { response.set_nonce(std::string(513, 'n')); },
       absl::StatusCode::kInvalidArgument},
      {"another type", [](auto& response) { response.set_type_url(wire::TypeUrl("Nothing")); },
       absl::StatusCode::kInvalidArgument},
      {"no type", [](auto& response) { response.clear_type_url(); }, absl::StatusCode::kInvalidArgument},
      {"a name that is none", [](auto& response) { response.mutable_resources(0)->set_name("x"); },
       absl::StatusCode::kInvalidArgument},
      {"a long name", [](auto& response) { response.mutable_resources(0)->set_name("a/" + std::string(511, 'n')); },
       absl::StatusCode::kInvalidArgument},
      {"no version", [](auto& response) { response.mutable_resources(0)->clear_version(); },
       absl::StatusCode::kInvalidArgument},
      {"a long version", [](auto& response) { response.mutable_resources(0)->set_version(std::string(513, 'v')); },
       absl::StatusCode::kInvalidArgument},
      {"too large",
       [](auto& response) { response.set_system_version_info(std::string(ClientSession::kResponseBytesMax, 'x')); },
       absl::StatusCode::kResourceExhausted},
  };
  for (const auto& row : kRows) {
    World world;
    DeltaDiscoveryResponse response;
    ASSERT_TRUE(response.ParseFromString(world.server.Give("Route", "r")));
    row.change(response);
    EXPECT_EQ(world.session.OnResponse(response.SerializeAsString()).code(), row.code) << row.name;
  }
  World world;
  EXPECT_EQ(world.session.OnResponse("\xff").code(), absl::StatusCode::kInvalidArgument);
}

TEST(ClientSessionTest, AnswersThatWaitAreBounded) {
  World world;
  for (size_t i = 0; i < ClientSession::kWithheldMax; ++i) {
    if (i == 10) world.Hear(world.server.Mark(1));  // seals, and frees nothing while another is awaited
    if (i == 10) ASSERT_TRUE(world.session.TakeProposal().has_value());
    world.Hear(world.server.Take("Route", "r"));
    if (i == 20) world.Hear(world.server.Mark(2));
  }
  for (int i = 0; i < 10; ++i)
    world.Hear(world.server.Take("Route", "r"));
  EXPECT_EQ(world.session.OnResponse(world.server.Take("Route", "r")).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace portico::xds
