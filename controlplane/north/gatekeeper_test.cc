// Who may do what, through the services as clients reach them: in clear on loopback, with tokens.
#include "controlplane/north/gatekeeper.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/portico/v1/config_service.grpc.pb.h"
#include "api/portico/v1/fleet_service.grpc.pb.h"
#include "controlplane/change/codec.h"
#include "controlplane/crypto/bearer.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/north/config_service.h"
#include "controlplane/north/fleet_service.h"
#include "controlplane/north/writer.h"
#include "controlplane/store/memory/memory_store.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

using base::Concat;
using test::ReadResources;

constexpr std::chrono::seconds kPatience(60);  // a bound for what hangs; nothing waits for it
constexpr int64_t kSecond = 1'000'000;

std::string Cluster(const std::string& name_space, const std::string& name, int port = 1) {
  return Concat("---\nkind: Cluster\nmetadata: {name: ", name, ", namespace: ", name_space,
                "}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}\n");
}
// A Token whose text is "text-of-NAME".
std::string Token(const std::string& name_space, const std::string& name, const std::string& expires = "") {
  return Concat("---\nkind: Token\nmetadata: {name: ", name, ", namespace: ", name_space,
                "}\nspec: {sha256: ", openssl::BearerDigest(Concat("text-of-", name)),
                expires.empty() ? "" : Concat(", expires: '", expires, "'"), "}\n");
}
std::string Role(const std::string& name_space, const std::string& name, const std::string& role,
                 const std::string& token, bool all = false) {
  return Concat("---\nkind: Role\nmetadata: {name: ", name, ", namespace: ", name_space, "}\nspec: {role: ", role,
                ", subjects: [{token: ", token, "}]", all ? ", allNamespaces: true" : "", "}\n");
}

// root is Admin everywhere, boss in `a`, ed Editor in `a`, vic Viewer in `a`; late (Viewer in `a`) expires at 100 s;
// out is nothing.
const std::string kAccess = Token("default", "root") + Role("default", "root", "Admin", "root", true) +
                            Token("a", "boss") + Role("a", "boss", "Admin", "boss") + Token("a", "ed") +
                            Role("a", "ed", "Editor", "ed") + Token("a", "vic") + Role("a", "vic", "Viewer", "vic") +
                            Token("a", "late", "1970-01-01T00:01:40Z") + Role("a", "late", "Viewer", "late") +
                            Token("a", "out");

std::string_view CodeText(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return "ok";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "unauthenticated";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "denied";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "out of range";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "precondition";
    case grpc::StatusCode::UNAVAILABLE:
      return "unavailable";
    default:
      return "another";
  }
}

class GatekeeperTest : public testing::Test {
 protected:
  explicit GatekeeperTest(std::optional<access::RoleName> anonymous = std::nullopt)
      : gatekeeper_(*changes_, {.now = [this] { return now_.load(); },
                                .anonymous = anonymous,
                                .admin_token_sha256 = openssl::BearerDigest("first"),
                                .admin_token_ends = [this] { ++ends_; }}),
        config_(*changes_, gatekeeper_, writer_),
        fleet_service_(fleet_, gatekeeper_) {
    changes_->Follow([this](const model::Step& step) {
      if (ChangesAccess(step)) fleet_service_.JudgeAgain();
    });
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&config_);
    builder.RegisterService(&fleet_service_);
    server_ = builder.BuildAndStart();
    const auto channel = grpc::CreateChannel(Concat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
    stub_ = portico::v1::ConfigService::NewStub(channel);
    fleet_stub_ = portico::v1::FleetService::NewStub(channel);
  }
  ~GatekeeperTest() override {
    config_.End();
    fleet_service_.End();
    server_->Shutdown();
  }

  // What a call needs. `who`: the name of a token, "first", or "": nobody.
  struct Context : grpc::ClientContext {
    explicit Context(const std::string& who) {
      set_deadline(std::chrono::system_clock::now() + kPatience);
      const std::string text = who == "first" ? who : Concat("text-of-", who);
      if (!who.empty()) AddMetadata("authorization", Concat("Bearer ", text));
    }
  };

  grpc::Status Apply(const std::string& who, const std::string& text, bool force = false) {
    portico::v1::ApplyRequest request;
    const auto resources = ReadResources(text);
    request.mutable_resources()->Assign(resources.begin(), resources.end());
    request.set_force(force);
    return Apply(who, request);
  }
  grpc::Status Apply(const std::string& who, const portico::v1::ApplyRequest& request) {
    Context context(who);
    portico::v1::ApplyResponse response;
    const auto writer = stub_->Apply(&context, &response);
    writer->Write(request);
    writer->WritesDone();
    return writer->Finish();
  }
  grpc::Status Delete(const std::string& who, const std::string& kind, const std::string& name_space,
                      const std::string& name, bool force = false) {
    Context context(who);
    portico::v1::DeleteRequest request;
    auto& key = *request.add_names();
    key.set_kind(kind);
    key.set_namespace_(name_space);
    key.set_name(name);
    request.set_force(force);
    portico::v1::ApplyResponse response;
    return stub_->Delete(&context, request, &response);
  }
  grpc::Status Rollback(const std::string& who, uint64_t revision, const std::string& name_space = "") {
    Context context(who);
    portico::v1::RollbackRequest request;
    request.set_revision(revision);
    request.set_namespace_(name_space);
    portico::v1::ApplyResponse response;
    return stub_->Rollback(&context, request, &response);
  }
  grpc::Status Get(const std::string& who, const std::string& name_space, const std::string& name,
                   uint64_t revision = 0) {
    Context context(who);
    portico::v1::GetRequest request;
    request.mutable_name()->set_kind("Cluster");
    request.mutable_name()->set_namespace_(name_space);
    request.mutable_name()->set_name(name);
    request.set_revision(revision);
    portico::v1::GetResponse response;
    return stub_->Get(&context, request, &response);
  }
  // "Cluster a/c Cluster b/c", "partial: Cluster a/c", or what is wrong.
  std::string List(const std::string& who, const std::string& name_space = "", const std::string& kind = "Cluster") {
    Context context(who);
    portico::v1::ListRequest request;
    request.set_namespace_(name_space);
    request.set_kind(kind);
    const auto reader = stub_->List(&context, request);
    std::string text;
    for (portico::v1::ListResponse response; reader->Read(&response);) {
      if (response.partial()) text += "partial:";
      for (const portico::v1::Resource& resource : response.resources())
        text += Concat(text.empty() ? "" : " ", check::KeyOf(resource).ToString());
    }
    const grpc::Status status = reader->Finish();
    return status.ok() ? text : std::string(CodeText(status));
  }
  portico::v1::HistoryResponse History(const std::string& who) {
    Context context(who);
    portico::v1::HistoryResponse response;
    EXPECT_TRUE(stub_->History(&context, {}, &response).ok());
    return response;
  }
  // "2: Cluster a/c", or how it ended.
  static std::string Next(grpc::ClientReader<portico::v1::WatchResponse>& reader) {
    portico::v1::WatchResponse response;
    if (!reader.Read(&response)) return std::string(CodeText(reader.Finish()));
    std::string text = Concat(response.revision(), ":");
    for (const portico::v1::Resource& resource : response.resources())
      text += " " + check::KeyOf(resource).ToString();
    return text;
  }

  std::atomic<int64_t> now_ = 50 * kSecond;
  std::atomic<int> ends_ = 0;
  const test::AnyKeyPair key_pairs_;
  const std::unique_ptr<change::Changes> changes_ = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs_, [] { return kSecond; }, {100});
  fleet::Fleet fleet_{[] { return kSecond; }};
  Gatekeeper gatekeeper_;
  Writer writer_;
  ConfigService config_;
  FleetService fleet_service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<portico::v1::ConfigService::Stub> stub_;
  std::unique_ptr<portico::v1::FleetService::Stub> fleet_stub_;
};

TEST_F(GatekeeperTest, WithoutRolesEverybodyMayDoAll) {
  EXPECT_EQ(CodeText(Apply("", Cluster("a", "c"))), "ok");
  EXPECT_EQ(CodeText(Get("", "a", "c")), "ok");
  EXPECT_EQ(CodeText(Apply("first", Cluster("a", "c", 2))), "ok");
  EXPECT_EQ(History("").revisions(0).author(), "admin token");
  EXPECT_EQ(CodeText(Get("nobody", "a", "c")), "unauthenticated");
}

TEST_F(GatekeeperTest, EachCallHasItsRule) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c") + Cluster("b", "c"))), "ok");
  const struct {
    const char* who;
    const char *get, *get_elsewhere, *list, *list_here, *list_elsewhere, *write, *write_elsewhere, *remove, *token;
  } kRows[] = {
      {"root", "ok", "ok", "Cluster a/c Cluster b/c", "Cluster a/c", "Cluster b/c", "ok", "ok", "ok", "ok"},
      {"boss", "ok", "denied", "partial: Cluster a/c", "Cluster a/c", "denied", "ok", "denied", "ok", "ok"},
      {"ed", "ok", "denied", "partial: Cluster a/c", "Cluster a/c", "denied", "ok", "denied", "ok", "denied"},
      {"vic", "ok", "denied", "partial: Cluster a/c", "Cluster a/c", "denied", "denied", "denied", "denied", "denied"},
      {"out", "denied", "denied", "denied", "denied", "denied", "denied", "denied", "denied", "denied"},
      {"", "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated",
       "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated"},
      {"nobody", "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated",
       "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated"},
      {"first", "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated",
       "unauthenticated", "unauthenticated", "unauthenticated", "unauthenticated"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(CodeText(Get(row.who, "a", "c")), row.get) << row.who;
    EXPECT_EQ(CodeText(Get(row.who, "b", "c")), row.get_elsewhere) << row.who;
    EXPECT_EQ(CodeText(Get(row.who, "b", "c", 1)), row.get_elsewhere) << row.who << " of an old revision";
    EXPECT_EQ(List(row.who), row.list) << row.who;
    EXPECT_EQ(List(row.who, "a"), row.list_here) << row.who;
    EXPECT_EQ(List(row.who, "b"), row.list_elsewhere) << row.who;
    EXPECT_EQ(CodeText(Apply(row.who, Cluster("a", "new"))), row.write) << row.who;
    EXPECT_EQ(CodeText(Apply(row.who, Cluster("a", "new") + Cluster("b", "new"))), row.write_elsewhere) << row.who;
    EXPECT_EQ(CodeText(Delete(row.who, "Cluster", "a", "new")), row.remove) << row.who;
    EXPECT_EQ(CodeText(Apply(row.who, Token("a", "more"))), row.token) << row.who;
  }
}

TEST_F(GatekeeperTest, ADenialNamesEachResource) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  const grpc::Status status = Apply("ed", Cluster("a", "c") + Cluster("b", "c") + Token("a", "more"));
  EXPECT_EQ(status.error_message(),
            "Cluster b/c: needs the role Editor in namespace b; token a/ed has no role there (and 1 more)");
  EXPECT_EQ(List("root"), "");  // nothing of it is stored
  EXPECT_EQ(History("root").revisions_size(), 1);
}

TEST_F(GatekeeperTest, ADryRunIsJudgedLikeTheChange) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  portico::v1::ApplyRequest request;
  *request.add_resources() = ReadResources(Cluster("a", "c"))[0];
  request.set_dry_run(true);
  EXPECT_EQ(CodeText(Apply("vic", request)), "denied");
  EXPECT_EQ(CodeText(Apply("ed", request)), "ok");
}

TEST_F(GatekeeperTest, TheFirstRoleMakesAnAdmin) {
  const grpc::Status refused = Apply("", Token("a", "ed") + Role("a", "ed", "Editor", "ed"));
  EXPECT_EQ(CodeText(refused), "precondition");
  EXPECT_NE(refused.error_message().find("nobody who is surely Admin in all namespaces"), std::string::npos);
  EXPECT_EQ(CodeText(Apply("", Token("a", "ed") + Role("a", "ed", "Editor", "ed"), /*force=*/true)), "precondition");
  EXPECT_EQ(CodeText(Apply("first", kAccess)), "ok");
  EXPECT_EQ(ends_, 1);
  EXPECT_EQ(CodeText(Get("first", "a", "c")), "unauthenticated");
  EXPECT_EQ(CodeText(Delete("root", "Role", "default", "root")), "precondition");
  EXPECT_EQ(CodeText(Delete("root", "Token", "default", "root")), "precondition");
  // Managers may be overridden; this is not.
  EXPECT_EQ(CodeText(Delete("root", "Token", "default", "root", /*force=*/true)), "precondition");
  EXPECT_EQ(CodeText(Apply("root", Token("default", "root", "1970-01-01T00:01:40Z"))), "ok");
  now_ = 100 * kSecond;
  EXPECT_EQ(CodeText(Get("root", "a", "c")), "unauthenticated");
  EXPECT_EQ(CodeText(Get("first", "a", "c")), "unauthenticated");  // it is good once
  EXPECT_EQ(ends_, 1);
}

// --new_admin_token: those who are Admin may be nobody.
TEST_F(GatekeeperTest, ANewAdminTokenEndsWhenSomebodyElseIsAdmin) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  int ends = 0;
  const Gatekeeper again(*changes_, {.now = [this] { return now_.load(); },
                                     .admin_token_sha256 = openssl::BearerDigest("new"),
                                     .admin_token_ends = [&ends] { ++ends; }});
  const auto is_good = [&again] { return again.RightsOf({.token_sha256 = openssl::BearerDigest("new")}).ok(); };
  EXPECT_TRUE(is_good());
  for (const std::string& other : {Cluster("a", "c"), Token("default", "new-root"), Role("a", "out", "Admin", "out"),
                                   Role("default", "all", "Editor", "new-root", true)}) {
    ASSERT_EQ(CodeText(Apply("root", other)), "ok");
    EXPECT_TRUE(is_good()) << other;
  }
  ASSERT_EQ(CodeText(Apply("root", Role("default", "all", "Admin", "new-root", true))), "ok");
  EXPECT_FALSE(is_good());
  EXPECT_EQ(ends, 1);
}

TEST_F(GatekeeperTest, WhatIsTakenDoesNotComeBackWithARollback) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c"))), "ok");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c", 2) + Cluster("b", "c"))), "ok");
  ASSERT_EQ(CodeText(Delete("root", "Token", "a", "vic")), "ok");
  ASSERT_EQ(CodeText(Delete("root", "Role", "a", "late")), "ok");
  EXPECT_EQ(CodeText(Rollback("vic", 1)), "unauthenticated");
  EXPECT_EQ(CodeText(Rollback("ed", 1)), "denied");  // it would delete Cluster b/c
  EXPECT_EQ(CodeText(Rollback("ed", 1, "b")), "denied");
  EXPECT_EQ(CodeText(Rollback("ed", 1, "a")), "ok");
  EXPECT_EQ(List("root"), "Cluster a/c Cluster b/c");
  EXPECT_EQ(CodeText(Rollback("root", 1)), "ok");
  EXPECT_EQ(List("root"), "Cluster a/c");
  EXPECT_EQ(CodeText(Get("vic", "a", "c")), "unauthenticated");
  EXPECT_EQ(CodeText(Get("late", "a", "c")), "denied");
}

// By what it would change, one that is only tried would tell the names of everything.
TEST_F(GatekeeperTest, ARollbackTellsNoNamesToWhomTheyAreHidden) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c") + Cluster("b", "c") + Cluster("c", "secret") +
                                       Role("b", "ed", "Viewer", "a/ed"))),
            "ok");
  const struct {
    const char* who;
    const char* name_space;
    std::string says;
  } kRows[] = {
      {"out", "", "needs the role Editor in some namespace; token a/out has no role there"},
      {"vic", "", "needs the role Editor in some namespace; token a/vic has Viewer there"},
      {"ed", "c", "needs the role Editor in namespace c; token a/ed has no role there"},
      {"ed", "",
       "Cluster b/c: needs the role Editor in namespace b; token a/ed has Viewer there; 1 of what it would change is "
       "where token a/ed may not read; name a namespace to stay in"},
      {"boss", "", "2 of what it would change are where token a/boss may not read; name a namespace to stay in"},
  };
  for (const auto& row : kRows) {
    const grpc::Status status = Rollback(row.who, 1, row.name_space);
    EXPECT_EQ(CodeText(status), "denied") << row.who;
    EXPECT_EQ(status.error_message(), row.says);
    EXPECT_EQ(status.error_details().find("secret"), std::string::npos) << row.who;
  }
  // Not even whether a revision is kept.
  EXPECT_EQ(CodeText(Rollback("out", 99)), "denied");
}

// Who is refused anyway neither waits for what writes nor has others wait.
TEST_F(GatekeeperTest, StrangersTakeNoPlaceInTheQueue) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  std::promise<void> disk;
  writer_.Post([ready = disk.get_future().share()] { ready.wait(); });
  for (const auto& [who, expected] : {std::pair{"nobody", "unauthenticated"}, std::pair{"vic", "denied"}}) {
    EXPECT_EQ(CodeText(Delete(who, "Cluster", "a", "c")), expected);
    EXPECT_EQ(CodeText(Rollback(who, 1)), expected);
    // Nor is anything gathered of theirs: the stream ends while they could go on.
    Context context(who);
    portico::v1::ApplyResponse response;
    EXPECT_EQ(CodeText(stub_->Apply(&context, &response)->Finish()), expected);
  }
  disk.set_value();
}

TEST_F(GatekeeperTest, AWatchEndsWhenItsTokenEndsByNow) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c"))), "ok");
  portico::v1::WatchRequest clusters;
  clusters.set_kind("Cluster");
  portico::v1::Proxy proxy;
  proxy.set_gateway("a/g");
  proxy.set_node_id("edge");
  fleet_.Join(proxy);
  Context vic("vic"), late("late"), vic_proxies("vic"), late_proxies("late");
  const auto vics = stub_->Watch(&vic, clusters), lates = stub_->Watch(&late, clusters);
  const auto vics_proxies = fleet_stub_->WatchProxies(&vic_proxies, {}),
             lates_proxies = fleet_stub_->WatchProxies(&late_proxies, {});
  portico::v1::ListProxiesResponse told;
  EXPECT_EQ(Next(*vics), "1: Cluster a/c");
  EXPECT_EQ(Next(*lates), "1: Cluster a/c");
  EXPECT_TRUE(vics_proxies->Read(&told));
  EXPECT_TRUE(lates_proxies->Read(&told));
  // The one is to end sooner, the other later than they were.
  ASSERT_EQ(CodeText(Apply("root", Token("a", "vic", "1970-01-01T00:01:40Z") + Token("a", "late"))), "ok");
  now_ = 100 * kSecond;
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c", 2))), "ok");
  EXPECT_EQ(Next(*vics), "unauthenticated");
  EXPECT_EQ(Next(*lates), "3: Cluster a/c");
  proxy.set_node_id("more");
  fleet_.Join(proxy);
  EXPECT_FALSE(vics_proxies->Read(&told));
  EXPECT_EQ(CodeText(vics_proxies->Finish()), "unauthenticated");
  ASSERT_TRUE(lates_proxies->Read(&told));
  EXPECT_EQ(told.proxies(0).node_id(), "more");
}

// What it was told of up to then lacks what it could not see.
TEST_F(GatekeeperTest, AWatchGoesOnOnlyWithTheRightsThatItHad) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c") + Cluster("b", "c"))), "ok");
  ASSERT_EQ(CodeText(Apply("root", Role("b", "ed", "Viewer", "a/ed"))), "ok");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c", 2))), "ok");
  ASSERT_EQ(CodeText(Apply("root", Token("b", "new") + Role("b", "new", "Viewer", "new"))), "ok");
  const struct {
    const char* who;
    uint64_t after;
    const char* expected;
  } kRows[] = {
      {"vic", 1, "4: Cluster a/c"}, {"ed", 1, "out of range"}, {"ed", 2, "4: Cluster a/c"},
      {"new", 3, "out of range"},   {"new", 4, "4:"},          {"root", 1, "4: Cluster a/c"},
      {"new", 0, "4: Cluster b/c"},
  };
  for (const auto& row : kRows) {
    portico::v1::WatchRequest request;
    request.set_kind("Cluster");
    request.set_after_revision(row.after);
    Context context(row.who);
    EXPECT_EQ(Next(*stub_->Watch(&context, request)), row.expected) << row.who << " after " << row.after;
    context.TryCancel();
  }
}

TEST_F(GatekeeperTest, ATokenExpires) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c"))), "ok");
  Context context("late");
  const auto watch = stub_->Watch(&context, {});
  EXPECT_EQ(Next(*watch).substr(0, 2), "1:");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c", 2))), "ok");
  EXPECT_EQ(Next(*watch), "2: Cluster a/c");
  now_ = 100 * kSecond;
  EXPECT_EQ(CodeText(Get("late", "a", "c")), "unauthenticated");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c", 3))), "ok");
  EXPECT_EQ(Next(*watch), "unauthenticated");
}

TEST_F(GatekeeperTest, AWatchTellsWhatItsCallerMayRead) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c") + Cluster("b", "c"))), "ok");
  portico::v1::WatchRequest clusters, elsewhere;
  clusters.set_kind("Cluster");
  elsewhere.set_namespace_("b");
  Context context("vic"), denied("vic"), out("out"), anonymous("");
  const auto watch = stub_->Watch(&context, clusters);
  EXPECT_EQ(Next(*watch), "1: Cluster a/c");
  EXPECT_EQ(Next(*stub_->Watch(&denied, elsewhere)), "denied");
  EXPECT_EQ(Next(*stub_->Watch(&out, clusters)), "denied");
  EXPECT_EQ(Next(*stub_->Watch(&anonymous, clusters)), "unauthenticated");
  ASSERT_EQ(CodeText(Apply("root", Cluster("b", "c", 2))), "ok");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c", 2))), "ok");
  EXPECT_EQ(Next(*watch), "3: Cluster a/c");
}

TEST_F(GatekeeperTest, AChangeOfRolesIsInForceAtOnceForWatches) {
  ASSERT_EQ(CodeText(Apply("", kAccess + Cluster("a", "c"))), "ok");
  Context vic("vic"), ed("ed"), late("late"), root("root");
  portico::v1::WatchRequest clusters;
  clusters.set_kind("Cluster");
  const auto vics = stub_->Watch(&vic, clusters), eds = stub_->Watch(&ed, clusters),
             lates = stub_->Watch(&late, clusters), roots = stub_->Watch(&root, clusters);
  for (auto* watch : {&vics, &eds, &lates, &roots})
    ASSERT_EQ(Next(**watch), "1: Cluster a/c");
  // One is revoked, one loses its role, one may read more; and something changes that none of those is to learn.
  portico::v1::ApplyRequest request;
  for (const auto& resource : ReadResources(Cluster("a", "c", 2) + Role("b", "ed", "Viewer", "a/ed")))
    *request.add_resources() = resource;
  for (const auto& [kind, name] : {std::pair{"Token", "vic"}, std::pair{"Role", "late"}}) {
    auto& key = *request.add_deletes();
    key.set_kind(kind);
    key.set_namespace_("a");
    key.set_name(name);
  }
  ASSERT_EQ(CodeText(Apply("root", request)), "ok");
  EXPECT_EQ(Next(*vics), "unauthenticated");
  EXPECT_EQ(Next(*lates), "denied");
  EXPECT_EQ(Next(*eds), "out of range");
  EXPECT_EQ(Next(*roots), "2: Cluster a/c");
}

TEST_F(GatekeeperTest, TheHistoryTellsWhatItsReaderMayRead) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  ASSERT_EQ(CodeText(Apply("root", Cluster("a", "c") + Cluster("b", "c"))), "ok");
  ASSERT_EQ(CodeText(Apply("root", Cluster("b", "c", 2))), "ok");
  const portico::v1::HistoryResponse all = History("root"), some = History("vic");
  ASSERT_EQ(all.revisions_size(), 3);
  EXPECT_EQ(all.revisions(1).changes_size(), 2);
  EXPECT_EQ(all.revisions(0).author(), "token default/root");
  ASSERT_EQ(some.revisions_size(), 3);
  EXPECT_EQ(some.revisions(0).revision(), 3u);
  EXPECT_EQ(some.revisions(0).author(), "");
  EXPECT_EQ(some.revisions(0).peer(), "");
  EXPECT_EQ(some.revisions(0).changes_size(), 0);
  EXPECT_EQ(some.revisions(1).author(), "token default/root");
  ASSERT_EQ(some.revisions(1).changes_size(), 1);
  EXPECT_EQ(some.revisions(1).changes(0).name().namespace_(), "a");
  Context context("out");
  portico::v1::HistoryResponse response;
  EXPECT_EQ(CodeText(stub_->History(&context, {}, &response)), "denied");
}

TEST_F(GatekeeperTest, ProxiesAreThoseOfReadableGateways) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  for (const std::string& name_space : {std::string("a"), std::string("b")}) {
    portico::v1::Proxy proxy;
    proxy.set_gateway(Concat(name_space, "/g"));
    proxy.set_node_id(Concat("edge-", name_space));
    fleet_.Join(proxy);
  }
  const auto names = [this](const std::string& who, const std::vector<std::string>& gateways) {
    Context context(who);
    portico::v1::ListProxiesRequest request;
    request.mutable_gateways()->Assign(gateways.begin(), gateways.end());
    portico::v1::ListProxiesResponse response;
    const grpc::Status status = fleet_stub_->ListProxies(&context, request, &response);
    std::string text(CodeText(status));
    for (const portico::v1::Proxy& proxy : response.proxies())
      text += Concat(" ", proxy.node_id());
    return text;
  };
  EXPECT_EQ(names("root", {}), "ok edge-a edge-b");
  EXPECT_EQ(names("vic", {}), "ok edge-a");
  EXPECT_EQ(names("vic", {"a/g"}), "ok edge-a");
  EXPECT_EQ(names("vic", {"a/g", "b/g"}), "denied");
  EXPECT_EQ(names("out", {}), "denied");
  EXPECT_EQ(names("", {}), "unauthenticated");

  const auto next = [](grpc::ClientReader<portico::v1::ListProxiesResponse>& reader) {
    portico::v1::ListProxiesResponse response;
    if (!reader.Read(&response)) return std::string(CodeText(reader.Finish()));
    std::string text;
    for (const portico::v1::Proxy& proxy : response.proxies())
      text += proxy.node_id();
    return text;
  };
  Context vic("vic"), ed("ed"), late("late"), elsewhere("vic"), root("root");
  const auto vics = fleet_stub_->WatchProxies(&vic, {}), eds = fleet_stub_->WatchProxies(&ed, {}),
             lates = fleet_stub_->WatchProxies(&late, {}), roots = fleet_stub_->WatchProxies(&root, {});
  for (auto* watch : {&vics, &eds, &lates})
    EXPECT_EQ(next(**watch), "edge-a");
  EXPECT_EQ(next(*roots), "edge-aedge-b");
  portico::v1::ListProxiesRequest other;
  other.add_gateways("b/g");
  EXPECT_EQ(next(*fleet_stub_->WatchProxies(&elsewhere, other)), "denied");
  ASSERT_EQ(CodeText(Delete("root", "Token", "a", "vic")), "ok");
  EXPECT_EQ(next(*vics), "unauthenticated");
  ASSERT_EQ(CodeText(Apply("root", Role("b", "ed", "Viewer", "a/ed"))), "ok");
  EXPECT_EQ(next(*eds), "unavailable");
  now_ = 100 * kSecond;
  portico::v1::Proxy more;
  more.set_gateway("a/g");
  more.set_node_id("more");
  fleet_.Join(more);
  EXPECT_EQ(next(*lates), "unauthenticated");
  EXPECT_EQ(next(*roots), "more");
}

class AnonymousViewerTest : public GatekeeperTest {
 protected:
  AnonymousViewerTest() : GatekeeperTest(portico::v1::ROLE_NAME_VIEWER) {}
};

TEST_F(AnonymousViewerTest, WhoShowsNothingMayDoWhatTheFlagSays) {
  EXPECT_EQ(CodeText(Apply("", Cluster("a", "c"))), "denied");
  EXPECT_EQ(CodeText(Apply("first", kAccess + Cluster("a", "c"))), "ok");
  EXPECT_EQ(CodeText(Get("", "a", "c")), "ok");
  EXPECT_EQ(CodeText(Apply("", Cluster("a", "c", 2))), "denied");
}

TEST_F(GatekeeperTest, AuthorizationIsThereOnce) {
  ASSERT_EQ(CodeText(Apply("", kAccess)), "ok");
  Context context("root");
  context.AddMetadata("authorization", "Bearer text-of-root");
  portico::v1::HistoryResponse response;
  EXPECT_EQ(stub_->History(&context, {}, &response).error_message(), "authorization is there twice");
}

}  // namespace
}  // namespace portico::north
