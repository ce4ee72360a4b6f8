#include "controlplane/north/config_service.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/text.h"
#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "controlplane/change/codec.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/memory/memory_store.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

using base::Concat;
using test::AnyKeyPair;
using test::ReadResources;

constexpr std::chrono::seconds kPatience(30);  // a bound for what hangs; nothing waits for it

constexpr char kShop[] = R"(
kind: Gateway
metadata: {name: g}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Cluster
metadata: {name: orders, labels: {team: a}}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Route
metadata: {name: shop}
spec: {parentRefs: [{name: g}], rules: [{name: all, backendRefs: [{name: orders}]}]}
---
kind: Secret
metadata: {name: keys}
spec: {jwks: {inline: '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'}}
)";

std::string ClusterAt(int port) {
  return Concat("kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}");
}

portico::v1::ResourceName Name(const std::string& kind, const std::string& name) {
  portico::v1::ResourceName out;
  out.set_kind(kind);
  out.set_name(name);
  return out;
}

// 800 kB: more than a client takes that reads nothing.
std::vector<portico::v1::Resource> ManyClusters(const std::string& prefix) {
  portico::v1::Resource cluster = ReadResources(ClusterAt(1))[0];
  auto& endpoints = *cluster.mutable_cluster()->mutable_spec()->mutable_endpoints();
  for (uint32_t port = 2; port < 100; ++port) {
    *endpoints.Add() = endpoints[0];
    endpoints.rbegin()->set_port(port);
  }
  std::vector<portico::v1::Resource> clusters(400, cluster);
  for (size_t i = 0; i < clusters.size(); ++i)
    clusters[i].mutable_cluster()->mutable_metadata()->set_name(Concat(prefix, i));
  return clusters;
}

// A server on a loopback port, and a client.
class ConfigServiceTest : public testing::Test {
 protected:
  explicit ConfigServiceTest(ConfigServiceOptions options = {})
      : service_(*changes_, gatekeeper_, writer_, WithFleet(std::move(options))) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel(Concat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
    stub_ = portico::v1::ConfigService::NewStub(channel_);
  }
  ~ConfigServiceTest() override {
    service_.End();
    server_->Shutdown();
  }

  ConfigServiceOptions WithFleet(ConfigServiceOptions options) {
    options.fleet = &fleet_;
    return options;
  }

  grpc::Status Apply(const std::vector<portico::v1::ApplyRequest>& requests, portico::v1::ApplyResponse& response) {
    grpc::ClientContext context;
    const auto writer = stub_->Apply(&context, &response);
    for (const portico::v1::ApplyRequest& request : requests)
      writer->Write(request);
    writer->WritesDone();
    return writer->Finish();
  }
  // The revision, or the error's words.
  std::string Apply(const std::string& text) { return Apply(ReadResources(text)); }
  std::string Apply(const std::vector<portico::v1::Resource>& resources) {
    portico::v1::ApplyRequest request;
    request.mutable_resources()->Assign(resources.begin(), resources.end());
    portico::v1::ApplyResponse response;
    const grpc::Status status = Apply({request}, response);
    return status.ok() ? Concat(response.revision()) : status.error_message();
  }

  // "Cluster orders …", message by message.
  std::string List(const portico::v1::ListRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    const auto reader = stub_->List(&context, request);
    std::string text;
    for (portico::v1::ListResponse response; reader->Read(&response);) {
      for (const portico::v1::Resource& resource : response.resources()) {
        text += Concat(check::KeyOf(resource).ToString(), "@", check::MetadataOf(resource).revision(), " ");
      }
    }
    const grpc::Status status = reader->Finish();
    return status.ok() ? text : status.error_message();
  }

  const AnyKeyPair key_pairs_;
  const std::unique_ptr<change::Changes> changes_ = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs_, [] { return int64_t{1'000'000}; }, {100});
  const Gatekeeper gatekeeper_{*changes_, {}};
  fleet::Fleet fleet_{[] { return int64_t{1}; }};
  Writer writer_;
  ConfigService service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<portico::v1::ConfigService::Stub> stub_;
};

TEST_F(ConfigServiceTest, AChangeInPiecesIsOneRevision) {
  std::vector<portico::v1::ApplyRequest> pieces;
  for (portico::v1::Resource& resource : ReadResources(kShop))
    *pieces.emplace_back().add_resources() = std::move(resource);
  portico::v1::ApplyResponse response;
  ASSERT_TRUE(Apply(pieces, response).ok());
  EXPECT_EQ(response.revision(), 1u);
  ASSERT_EQ(response.changes_size(), 4);
  EXPECT_EQ(response.changes(0).name().kind(), "Cluster");
  EXPECT_EQ(response.changes(0).kind(), portico::v1::ResourceChange::CREATED);
  ASSERT_EQ(response.gateways_size(), 1);
  EXPECT_EQ(response.gateways(0), "default/g");
  EXPECT_EQ(List({}), "Cluster orders@1 Gateway g@1 Route shop@1 Secret keys@1 ");
}

TEST_F(ConfigServiceTest, OptionsStandInTheFirstMessage) {
  portico::v1::ApplyRequest first, second;
  first.set_dry_run(true);
  *first.add_resources() = ReadResources(kShop)[0];
  *second.add_resources() = ReadResources(kShop)[1];
  portico::v1::ApplyResponse response;
  ASSERT_TRUE(Apply({first, second}, response).ok());
  EXPECT_EQ(response.changes_size(), 2);
  EXPECT_EQ(List({}), "");
  EXPECT_EQ(Apply({second, first}, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  second.add_deletes()->set_kind("Nothing");
  EXPECT_EQ(Apply({second}, response).error_message(), "there is no kind Nothing");
}

TEST_F(ConfigServiceTest, ARefusalNamesEachField) {
  portico::v1::ApplyRequest request;
  for (portico::v1::Resource& resource :
       ReadResources("kind: Cluster\nmetadata: {name: a}\nspec: {endpoints: [{address: "
                     "127.0.0.1, port: 0}, {address: x y, port: 1}]}")) {
    *request.add_resources() = std::move(resource);
  }
  portico::v1::ApplyResponse response;
  const grpc::Status status = Apply({request}, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::Status detail;
  google::rpc::BadRequest bad;
  ASSERT_TRUE(detail.ParseFromString(status.error_details()));
  ASSERT_EQ(detail.details_size(), 1);
  ASSERT_TRUE(detail.details(0).UnpackTo(&bad));
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(0).field(), "Cluster default/a: spec.endpoints[0].port");
  EXPECT_FALSE(bad.field_violations(0).description().empty());
}

TEST_F(ConfigServiceTest, ManyFaultsFitIntoOneError) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text +=
        Concat("---\nkind: Cluster\nmetadata: {name: c", i, "}\nspec: {endpoints: [{address: 127.0.0.1, port: 0}]}\n");
  }
  const std::string words = Apply(text);
  EXPECT_NE(words.find("(and 199 more)"), std::string::npos) << words;
}

TEST_F(ConfigServiceTest, LongFaultsOfAnyLanguageFitIntoOneError) {
  std::string pattern = "[", text;
  for (int i = 0; i < 400; ++i)
    pattern += "\xc3\xa9";
  for (int i = 0; i < 20; ++i) {
    text += Concat("---\nkind: Route\nmetadata: {name: r", i,
                   "}\nspec: {rules: [{matches: [{path: {type: RegularExpression, value: '", pattern,
                   "'}}], backendRefs: [{name: none}]}]}\n");
  }
  const std::string words = Apply(text);
  EXPECT_EQ(words.substr(0, 8), "Route r0") << words;
  EXPECT_NE(words.find("; the details tell "), std::string::npos) << words;
}

TEST_F(ConfigServiceTest, GetShowsOneAndHidesSecrets) {
  ASSERT_EQ(Apply(kShop), "1");
  ASSERT_EQ(Apply(ClusterAt(9002)), "2");
  const auto get = [this](const portico::v1::ResourceName& name, uint64_t revision,
                          portico::v1::GetResponse& response) {
    portico::v1::GetRequest request;
    *request.mutable_name() = name;
    request.set_revision(revision);
    grpc::ClientContext context;
    return stub_->Get(&context, request, &response);
  };
  portico::v1::GetResponse response;
  ASSERT_TRUE(get(Name("Cluster", "orders"), 0, response).ok());
  EXPECT_EQ(response.resource().cluster().spec().endpoints(0).port(), 9002u);
  EXPECT_EQ(response.revision(), 2u);
  ASSERT_TRUE(get(Name("Cluster", "orders"), 1, response).ok());
  EXPECT_EQ(response.resource().cluster().spec().endpoints(0).port(), 9001u);
  ASSERT_TRUE(get(Name("Secret", "keys"), 0, response).ok());
  EXPECT_EQ(response.resource().secret().spec().jwks().inline_().substr(0, 7), "sha256:");
  EXPECT_EQ(get(Name("Cluster", "ordrs"), 0, response).error_message(), "there is no Cluster ordrs");
  EXPECT_EQ(get(Name("Cluster", "orders"), 9, response).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(get(Name("", "orders"), 0, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(get(Name("Cluster", ""), 0, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  // What is shown of a secret cannot be written back in its place.
  ASSERT_TRUE(get(Name("Secret", "keys"), 0, response).ok());
  portico::v1::ApplyRequest request;
  *request.add_resources() = response.resource();
  portico::v1::ApplyResponse applied;
  EXPECT_EQ(Apply({request}, applied).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ConfigServiceTest, ListsAreOfOneRevisionHoweverLong) {
  ASSERT_EQ(Apply(kShop), "1");
  portico::v1::ListRequest request;
  request.set_kind("Cluster");
  EXPECT_EQ(List(request), "Cluster orders@1 ");
  request.set_namespace_("other");
  EXPECT_EQ(List(request), "");
  request.Clear();
  (*request.mutable_labels())["team"] = "a";
  EXPECT_EQ(List(request), "Cluster orders@1 ");
  (*request.mutable_labels())["team"] = "b";
  EXPECT_EQ(List(request), "");
  request.Clear();
  request.set_revision(7);
  EXPECT_EQ(List(request), "there is no revision 7 yet; the newest is 1");
}

TEST_F(ConfigServiceTest, ALongListComesInMessages) {
  for (int part = 0; part < 3; ++part)
    ASSERT_EQ(Apply(ManyClusters(Concat("c", part, "-"))), Concat(part + 1));
  grpc::ClientContext context;
  const auto reader = stub_->List(&context, {});
  int messages = 0, resources = 0;
  for (portico::v1::ListResponse response; reader->Read(&response); ++messages) {
    resources += response.resources_size();
    EXPECT_LE(response.ByteSizeLong(), 2u << 20);
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(resources, 1200);
  EXPECT_GT(messages, 1);
}

TEST_F(ConfigServiceTest, DeleteHistoryAndRollback) {
  ASSERT_EQ(Apply(kShop), "1");
  const auto remove = [this](const std::string& kind, const std::string& name) {
    portico::v1::DeleteRequest request;
    *request.add_names() = Name(kind, name);
    portico::v1::ApplyResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Delete(&context, request, &response);
    return status.ok() ? Concat(response.revision()) : status.error_message();
  };
  EXPECT_NE(remove("Cluster", "orders").find("Route shop: spec.rules[0].backendRefs[0].name"), std::string::npos);
  EXPECT_EQ(remove("Route", "shop"), "2");
  portico::v1::HistoryResponse history;
  grpc::ClientContext history_context;
  ASSERT_TRUE(stub_->History(&history_context, {}, &history).ok());
  ASSERT_EQ(history.revisions_size(), 2);
  EXPECT_EQ(history.revisions(0).revision(), 2u);
  EXPECT_EQ(history.revisions(0).author(), "anonymous");
  EXPECT_EQ(history.revisions(0).peer().substr(0, 10), "127.0.0.1:");
  EXPECT_EQ(history.oldest(), 1u);
  portico::v1::HistoryRequest many;
  many.set_limit(1001);
  grpc::ClientContext many_context;
  EXPECT_EQ(stub_->History(&many_context, many, &history).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  portico::v1::RollbackRequest back;
  back.set_revision(1);
  portico::v1::ApplyResponse response;
  grpc::ClientContext back_context;
  ASSERT_TRUE(stub_->Rollback(&back_context, back, &response).ok());
  EXPECT_EQ(response.revision(), 3u);
  EXPECT_EQ(List({}), "Cluster orders@1 Gateway g@1 Route shop@3 Secret keys@1 ");
  back.set_revision(9);
  grpc::ClientContext none_context;
  EXPECT_EQ(stub_->Rollback(&none_context, back, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

// "2: Cluster orders -Route shop".
std::string Next(grpc::ClientReader<portico::v1::WatchResponse>& reader) {
  portico::v1::WatchResponse response;
  if (!reader.Read(&response)) return reader.Finish().error_message();
  std::string text = Concat(response.revision(), ":");
  for (const portico::v1::Resource& resource : response.resources())
    text += " " + check::KeyOf(resource).ToString();
  for (const portico::v1::ResourceName& name : response.deleted())
    text += Concat(" -", name.kind(), " ", name.name());
  return text;
}

TEST_F(ConfigServiceTest, AWatchTellsWhatIsAndThenWhatChanges) {
  ASSERT_EQ(Apply(kShop), "1");
  grpc::ClientContext context;
  const auto all = stub_->Watch(&context, {});
  EXPECT_EQ(Next(*all), "1: Cluster orders Gateway g Route shop Secret keys");
  portico::v1::WatchRequest request;
  request.set_kind("Route");
  grpc::ClientContext routes_context;
  const auto routes = stub_->Watch(&routes_context, request);
  EXPECT_EQ(Next(*routes), "1: Route shop");
  ASSERT_EQ(Apply(ClusterAt(9002)), "2");
  EXPECT_EQ(Next(*all), "2: Cluster orders");
  portico::v1::ApplyRequest remove;
  *remove.add_deletes() = Name("Route", "shop");
  portico::v1::ApplyResponse response;
  ASSERT_TRUE(Apply({remove}, response).ok());
  EXPECT_EQ(Next(*all), "3: -Route shop");
  EXPECT_EQ(Next(*routes), "3: -Route shop");
  service_.End();
  EXPECT_EQ(Next(*all), "the control plane ends; watch again");
}

TEST_F(ConfigServiceTest, AWatchGoesOnWhereItWas) {
  ASSERT_EQ(Apply(kShop), "1");
  ASSERT_EQ(Apply(ClusterAt(9002)), "2");
  portico::v1::WatchRequest request;
  request.set_after_revision(1);
  grpc::ClientContext context;
  EXPECT_EQ(Next(*stub_->Watch(&context, request)), "2: Cluster orders");
  request.set_after_revision(2);
  grpc::ClientContext same_context;
  EXPECT_EQ(Next(*stub_->Watch(&same_context, request)), "2:");
  request.set_epoch("0123");
  grpc::ClientContext epoch_context;
  EXPECT_NE(Next(*stub_->Watch(&epoch_context, request)).find("the store is of epoch"), std::string::npos);
  request.set_epoch(changes_->Now()->epoch);
  request.set_after_revision(7);
  grpc::ClientContext late_context;
  EXPECT_NE(Next(*stub_->Watch(&late_context, request)).find("watch from the start"), std::string::npos);
}

TEST_F(ConfigServiceTest, WatchesMayLeaveWhileThingsChange) {
  ASSERT_EQ(Apply(kShop), "1");
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    const auto watch = stub_->Watch(&context, {});
    if (i % 2 == 0) Next(*watch);
    context.TryCancel();
    ASSERT_EQ(Apply(ClusterAt(1000 + i)), Concat(i + 2));
  }
}

TEST_F(ConfigServiceTest, WhatReadsDoesNotWaitForWhatWrites) {
  ASSERT_EQ(Apply(kShop), "1");
  ASSERT_EQ(Apply(ClusterAt(9002)), "2");
  std::promise<void> disk;
  writer_.Post([ready = disk.get_future().share()] { ready.wait(); });
  const auto soon = [](grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
  };
  for (const uint64_t revision : {0u, 1u}) {
    portico::v1::ListRequest list;
    list.set_revision(revision);
    list.set_kind("Cluster");
    EXPECT_EQ(List(list), revision == 0 ? "Cluster orders@2 " : "Cluster orders@1 ");
    portico::v1::GetRequest get;
    *get.mutable_name() = Name("Cluster", "orders");
    get.set_revision(revision);
    portico::v1::GetResponse got;
    grpc::ClientContext get_context;
    soon(get_context);
    EXPECT_TRUE(stub_->Get(&get_context, get, &got).ok()) << revision;
    portico::v1::WatchRequest watch;
    watch.set_kind("Cluster");
    watch.set_after_revision(revision);
    grpc::ClientContext watch_context;
    soon(watch_context);
    EXPECT_EQ(Next(*stub_->Watch(&watch_context, watch)), "2: Cluster orders") << revision;
  }
  portico::v1::HistoryResponse history;
  grpc::ClientContext history_context;
  soon(history_context);
  EXPECT_TRUE(stub_->History(&history_context, {}, &history).ok());
  disk.set_value();
}

class BoundedConfigServiceTest : public ConfigServiceTest {
 protected:
  explicit BoundedConfigServiceTest(std::chrono::milliseconds gather_time = std::chrono::minutes(10))
      : ConfigServiceTest({.lists_max = 1, .watches_max = 1, .applies_max = 1, .gather_time = gather_time}) {}

  // Until `ask` is answered with something else than that: a place is free once gRPC is done with a call.
  static std::string EventuallyNot(const std::string& refusal, const std::function<std::string()>& ask) {
    std::string answer = refusal;
    for (const auto end = std::chrono::steady_clock::now() + kPatience;
         answer == refusal && std::chrono::steady_clock::now() < end;) {
      answer = ask();
    }
    return answer;
  }
};

TEST_F(BoundedConfigServiceTest, ListsHavePlaces) {
  ASSERT_EQ(Apply(ManyClusters("c")), "1");
  ASSERT_EQ(Apply(kShop), "2");
  portico::v1::ListRequest routes;
  routes.set_kind("Route");
  const std::string refusal = "at most 1 lists at a time, 1 of one caller; try again later";
  {
    grpc::ClientContext context;
    const auto unread = stub_->List(&context, {});
    unread->WaitForInitialMetadata();
    EXPECT_EQ(List(routes), refusal);
  }
  EXPECT_EQ(EventuallyNot(refusal, [&] { return List(routes); }), "Route shop@2 ");
}

// One that never ends holds what it has sent.
TEST_F(BoundedConfigServiceTest, ChangesHavePlaces) {
  const std::string refusal = "at most 1 changes at a time, 1 of one caller; try again later";
  {
    portico::v1::ApplyRequest request;
    *request.add_resources() = ReadResources(ClusterAt(1))[0];
    grpc::ClientContext context;
    portico::v1::ApplyResponse response;
    const auto unfinished = stub_->Apply(&context, &response);
    ASSERT_TRUE(unfinished->Write(request));
    EXPECT_EQ(EventuallyNot("1", [&] { return Apply(ClusterAt(1)); }), refusal);
    context.TryCancel();
    unfinished->Finish();
  }
  const std::string revision = EventuallyNot(refusal, [&] { return Apply(ClusterAt(2)); });
  EXPECT_TRUE(revision == "1" || revision == "2") << revision;
}

// Whoever is gathered from may lose its rights: it is not listened to until it ends by itself.
TEST_F(BoundedConfigServiceTest, WhoMayWriteNoMoreIsNotGatheredFrom) {
  portico::v1::ApplyRequest request;
  *request.add_resources() = ReadResources(ClusterAt(1))[0];
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  portico::v1::ApplyResponse response;
  const auto unfinished = stub_->Apply(&context, &response);
  ASSERT_TRUE(unfinished->Write(request));
  // By then it has its place.
  EXPECT_EQ(EventuallyNot("1", [&] { return Apply(ClusterAt(1)); }),
            "at most 1 changes at a time, 1 of one caller; try again later");
  const std::string role =
      Concat("kind: Token\nmetadata: {name: root}\nspec: {sha256: ", std::string(64, 'a'),
             "}\n---\nkind: Role\nmetadata: {name: root}\nspec: {role: Admin, allNamespaces: true, "
             "subjects: [{token: root}]}\n");
  ASSERT_TRUE(std::holds_alternative<change::Outcome>(changes_->Apply({.resources = ReadResources(role)}, {}, {})));
  unfinished->Write(request);
  EXPECT_EQ(unfinished->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

class HurriedConfigServiceTest : public BoundedConfigServiceTest {
 protected:
  HurriedConfigServiceTest() : BoundedConfigServiceTest(std::chrono::milliseconds(100)) {}
};

TEST_F(HurriedConfigServiceTest, WhoSendsNothingKeepsNoPlace) {
  const std::string late = "4 the change did not come in time";
  const std::string refusal = "8 at most 1 changes at a time, 1 of one caller; try again later";
  static_assert(grpc::StatusCode::DEADLINE_EXCEEDED == 4 && grpc::StatusCode::RESOURCE_EXHAUSTED == 8);
  // The messages that come, and whether those are all.
  const auto apply = [&](int messages, bool whole) {
    portico::v1::ApplyRequest request;
    *request.add_resources() = ReadResources(ClusterAt(messages))[0];
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    portico::v1::ApplyResponse response;
    const auto writer = stub_->Apply(&context, &response);
    for (int i = 0; i < messages; ++i)
      writer->Write(request);
    if (whole) writer->WritesDone();
    const grpc::Status status = writer->Finish();
    return status.ok() ? Concat(response.revision()) : Concat(int{status.error_code()}, " ", status.error_message());
  };
  for (const int messages : {0, 1})
    EXPECT_EQ(EventuallyNot(refusal, [&] { return apply(messages, false); }), late) << messages;
  const auto whole = [&] { return EventuallyNot(refusal, [&] { return apply(1, true); }); };
  EXPECT_EQ(EventuallyNot(late, whole), "1");
}

TEST_F(BoundedConfigServiceTest, WatchesHavePlaces) {
  ASSERT_EQ(Apply(kShop), "1");
  portico::v1::WatchRequest routes;
  routes.set_kind("Route");
  const std::string refusal = "at most 1 watches at a time, 1 of one caller; try again later";
  const auto watch = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    return Next(*stub_->Watch(&context, routes));
  };
  {
    grpc::ClientContext context;
    const auto first = stub_->Watch(&context, {});
    EXPECT_NE(Next(*first), refusal);
    EXPECT_EQ(watch(), refusal);
  }
  EXPECT_EQ(EventuallyNot(refusal, watch), "1: Route shop");
}

// Before it is stored, and not only by the proxies' refusals afterwards.
TEST_F(ConfigServiceTest, WhatConnectedProxiesDoNotKnowIsWarnedOf) {
  const auto warnings = [](const portico::v1::ApplyResponse& response) {
    std::string text;
    for (const portico::v1::Warning& warning : response.warnings())
      text += Concat(warning.name().kind(), " ", warning.name().name(), " ", warning.path(), " ", warning.message());
    return text;
  };
  const auto apply = [&](const std::string& retry) {
    portico::v1::ApplyRequest request;
    *request.add_resources() = ReadResources(
        Concat("kind: Route\nmetadata: {name: shop}\nspec: {parentRefs: [{name: g}], rules: [{name: all, backendRefs: "
               "[{name: orders}]",
               retry, "}]}"))[0];
    portico::v1::ApplyResponse response;
    const grpc::Status status = Apply({request}, response);
    return status.ok() ? warnings(response) : status.error_message();
  };
  portico::v1::Proxy proxy;
  proxy.set_gateway("default/g");
  proxy.set_node_id("edge-1");
  proxy.set_schema_level(1);
  const uint64_t stream = fleet_.Join(proxy);
  const std::string warning =
      "Route shop spec.rules[0].retry is of schema level 2; 1 of 1 connected proxies of Gateway g is of level 1 and "
      "will "
      "refuse it: upgrade first";
  EXPECT_EQ(Apply(kShop), "1");
  EXPECT_EQ(apply(", retry: {attempts: 2}"), warning);
  EXPECT_EQ(apply(""), "");
  portico::v1::RollbackRequest request;
  request.set_revision(2);
  portico::v1::ApplyResponse response;
  grpc::ClientContext context;
  EXPECT_TRUE(stub_->Rollback(&context, request, &response).ok());
  EXPECT_EQ(warnings(response), warning);
  fleet_.Leave(stream);
  EXPECT_EQ(apply(", retry: {attempts: 3}"), "");
}

}  // namespace
}  // namespace portico::north
