#include "controlplane/xds/discovery_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/change/changes.h"
#include "controlplane/change/codec.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/memory/memory_store.h"
#include "controlplane/xds/feed_thread.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

using base::Concat;
using envoy::service::discovery::v3::AggregatedDiscoveryService;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

constexpr std::chrono::seconds kPatience(60);  // a bound for what hangs; nothing waits for it

constexpr char kIdentifier[] = "host/1";

constexpr char kShop[] = R"(
kind: Gateway
metadata: {name: g}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Gateway
metadata: {name: other}
spec: {listeners: [{name: http, port: 81, protocol: HTTP}]}
---
kind: Cluster
metadata: {name: orders}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Route
metadata: {name: shop}
spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: orders}]}]}
---
kind: Secret
metadata: {name: unused}
spec: {jwks: {inline: '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'}}
)";

std::string ClusterAt(int port) {
  return Concat("kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: ", port, "}]}");
}

// The client's end of a stream.
class Client {
 public:
  explicit Client(AggregatedDiscoveryService::Stub& stub) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    stream_ = stub.DeltaAggregatedResources(&context_);
  }
  ~Client() {
    context_.TryCancel();
    if (stream_ != nullptr) stream_->Finish();
  }

  void Subscribe(const std::string& gateway = "default/g") {
    for (const std::string& type : wire::ResourceTypes())
      Send(type, gateway);
    Send(std::string(wire::kRevisionType), gateway);
  }
  void Send(const std::string& type, const std::string& gateway) {
    DeltaDiscoveryRequest request;
    request.mutable_node()->set_id("edge");
    request.mutable_node()->set_cluster(gateway);
    request.set_type_url(type);
    stream_->Write(request);
  }
  void Answer(const std::string& refusal) {
    DeltaDiscoveryRequest request;
    request.set_type_url(std::string(wire::kRevisionType));
    request.set_response_nonce(nonce_);
    if (!refusal.empty()) request.mutable_error_detail()->set_code(3);
    if (!refusal.empty()) request.mutable_error_detail()->set_message(refusal);
    stream_->Write(request);
  }
  // The names of what comes up to a mark, and its revision: "default/g default/shop 1".
  std::string ReadToMark() {
    std::set<std::string> names;
    for (DeltaDiscoveryResponse response; stream_->Read(&response);) {
      nonce_ = response.nonce();
      EXPECT_EQ(response.control_plane().identifier(), kIdentifier);
      if (response.type_url() == wire::kRevisionType && response.resources_size() > 0) {
        return base::Join({names.begin(), names.end()}, " ") + " " + response.system_version_info();
      }
      for (const auto& resource : response.resources())
        names.insert(resource.name());
    }
    return "the stream ended";
  }
  // "CODE: words", when the server has ended it.
  std::pair<grpc::StatusCode, std::string> Finish() {
    DeltaDiscoveryResponse response;
    while (stream_->Read(&response)) {
    }
    const grpc::Status status = stream_->Finish();
    stream_ = nullptr;
    return {status.error_code(), status.error_message()};
  }
  void Send(const DeltaDiscoveryRequest& request) { stream_->Write(request); }
  bool ReadOne() {
    DeltaDiscoveryResponse response;
    return stream_->Read(&response);
  }
  void DoneWriting() { stream_->WritesDone(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> stream_;
  std::string nonce_;
};

class DiscoveryServiceTest : public testing::Test {
 protected:
  explicit DiscoveryServiceTest(DiscoveryService::Options options = {.streams_max = 2, .request_bytes_max = 10'000}) {
    Apply(kShop);
    following_ = fleet_.Follow([this](const fleet::Notice& notice) {
      absl::MutexLock lock(&mutex_);
      for (const fleet::SharedProxy& proxy : notice.changed)
        newest_ = proxy;
    });
    const Follow follow = [this](change::Changes::Follower follower) {
      return Beginning{changes_->Follow(std::move(follower)), 0};
    };
    options.identifier = kIdentifier;
    service_.emplace(follow, fleet_, options);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&*service_);
    server_ = builder.BuildAndStart();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // who reads nothing has 64 KiB under way, and no more
    channel_ = grpc::CreateCustomChannel(Concat("127.0.0.1:", port), grpc::InsecureChannelCredentials(), arguments);
    stub_ = AggregatedDiscoveryService::NewStub(channel_);
  }
  ~DiscoveryServiceTest() override {
    service_->End();
    server_->Shutdown();
  }

  void Apply(const std::string& text) {
    change::Change change;
    change.resources = test::ReadResources(text);
    const auto result = changes_->Apply(change, {"test", ""});
    const auto* refusal = std::get_if<change::Refusal>(&result);
    EXPECT_EQ(refusal, nullptr) << refusal->status;
  }
  // Whether the proxy that changed last comes to be so.
  bool Becomes(const std::function<bool(const portico::v1::Proxy&)>& so) {
    absl::MutexLock lock(&mutex_);
    const auto is_so = [this, &so]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return newest_ != nullptr && so(*newest_); };
    return mutex_.AwaitWithTimeout(absl::Condition(&is_so), absl::FromChrono(kPatience));
  }

  const test::AnyKeyPair key_pairs_;
  const std::unique_ptr<change::Changes> changes_ = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs_, [] { return int64_t{1'000'000}; }, {100});
  fleet::Fleet fleet_{[] { return int64_t{2'000'000}; }};
  absl::Mutex mutex_;
  fleet::SharedProxy newest_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<fleet::Fleet::Following> following_;
  std::optional<DiscoveryService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<AggregatedDiscoveryService::Stub> stub_;
};

TEST_F(DiscoveryServiceTest, AProxyGetsItsGatewayAndNothingElse) {
  Client client(*stub_);
  client.Subscribe();
  EXPECT_EQ(client.ReadToMark(), "default/g default/orders default/shop 1");
  EXPECT_TRUE(Becomes([](const auto& proxy) { return proxy.connected() && proxy.running_revision() == 0; }));
  client.Answer("");
  EXPECT_TRUE(Becomes([](const auto& proxy) { return proxy.running_revision() == 1; }));
  Apply(ClusterAt(9002));
  EXPECT_EQ(client.ReadToMark(), "default/orders 2");
  client.Answer("no such address");
  EXPECT_TRUE(Becomes([](const auto& proxy) {
    return proxy.running_revision() == 1 && proxy.refused_revision() == 2 &&
           proxy.refused_reason() == "no such address";
  }));
  Apply(ClusterAt(9003));
  EXPECT_EQ(client.ReadToMark(), "default/orders 3");
  client.Answer("");
  EXPECT_TRUE(Becomes([](const auto& proxy) {
    return proxy.running_revision() == 3 && proxy.wanted_revision() == 3 && proxy.refused_revision() == 0 &&
           proxy.peer().starts_with("127.0.0.1:") && proxy.identity().empty();
  }));
  client.DoneWriting();
  EXPECT_EQ(client.Finish().first, grpc::StatusCode::OK);
  EXPECT_TRUE(Becomes([](const auto& proxy) { return !proxy.connected(); }));
}

TEST_F(DiscoveryServiceTest, WhatIsWrongIsSaid) {
  const struct {
    const char* name;
    std::string type, gateway;
    grpc::StatusCode code;
    const char* says;
  } kRows[] = {
      {"no gateway", "t", "", grpc::StatusCode::INVALID_ARGUMENT, "cluster"},
      {"no type", "", "default/g", grpc::StatusCode::INVALID_ARGUMENT, "type_url"},
      {"too large", std::string(20'000, 't'), "default/g", grpc::StatusCode::RESOURCE_EXHAUSTED, "10000"},
  };
  for (const auto& row : kRows) {
    std::pair<grpc::StatusCode, std::string> end;
    do {
      Client client(*stub_);
      client.Send(row.type, row.gateway);
      end = client.Finish();
    } while (end.second.starts_with("at most 2 streams"));  // the row before may have its place still
    EXPECT_EQ(end.first, row.code) << row.name;
    EXPECT_NE(end.second.find(row.says), std::string::npos) << end.second;
  }
}

TEST_F(DiscoveryServiceTest, StateOfTheWorldIsNotSpoken) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const grpc::internal::RpcMethod method(
      "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      grpc::internal::RpcMethod::BIDI_STREAMING, channel_);
  using Stream = grpc::ClientReaderWriter<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
  using Factory = grpc::internal::ClientReaderWriterFactory<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
  const std::unique_ptr<Stream> stream(Factory::Create(channel_.get(), method, &context));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_NE(status.error_message().find("DeltaAggregatedResources"), std::string::npos);
}

TEST_F(DiscoveryServiceTest, StreamsAreBounded) {
  Client a(*stub_), b(*stub_);
  a.Subscribe();
  b.Subscribe();
  EXPECT_TRUE(a.ReadOne());
  EXPECT_TRUE(b.ReadOne());
  EXPECT_EQ(Client(*stub_).Finish().first, grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(DiscoveryServiceTest, AStreamMayBeCancelledWhileItIsOwed) {
  for (int port = 9100; port < 9120; ++port) {
    {
      Client client(*stub_);
      client.Subscribe();
      EXPECT_TRUE(Becomes([](const auto& proxy) { return proxy.connected(); }));
      if (port % 2 == 0) EXPECT_TRUE(client.ReadOne());
      Apply(ClusterAt(port));
    }
    EXPECT_TRUE(Becomes([](const auto& proxy) { return !proxy.connected(); }));
  }
}

TEST_F(DiscoveryServiceTest, TheEndEndsStreams) {
  Client open(*stub_), silent(*stub_);
  open.Subscribe();
  open.ReadToMark();
  service_->End();
  service_->End();
  EXPECT_EQ(open.Finish().first, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(silent.Finish().first, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Client(*stub_).Finish().first, grpc::StatusCode::UNAVAILABLE);
  Apply(ClusterAt(9002));  // nobody follows
  EXPECT_TRUE(Becomes([](const auto& proxy) { return !proxy.connected(); }));
}

TEST_F(DiscoveryServiceTest, CountsWhatStreamsDo) {
  {
    Client client(*stub_);
    client.Subscribe();
    client.ReadToMark();
    client.Answer("");
    EXPECT_TRUE(Becomes([](const auto& proxy) { return proxy.running_revision() == 1; }));
    const Counts first = service_->counts();
    EXPECT_EQ(first.streams, 1u);
    EXPECT_EQ(first.marks, 1u);
    EXPECT_GT(first.responses, first.marks);
    EXPECT_GT(first.response_bytes, 200u);
    Apply(ClusterAt(9002));
    client.ReadToMark();
    client.Answer("no such address");
    client.Send("a type of its own", "default/g");
    DeltaDiscoveryRequest answer;
    answer.set_type_url("a type of its own");
    answer.set_response_nonce("1");
    client.Send(answer);
    client.DoneWriting();
    EXPECT_EQ(client.Finish().first, grpc::StatusCode::OK);
  }
  EXPECT_TRUE(Becomes([](const auto& proxy) { return !proxy.connected(); }));
  const Counts last = service_->counts();
  EXPECT_EQ(last.streams, 0u);
  EXPECT_EQ(last.marks, 2u);
  ASSERT_EQ(last.answers.size(), 2u);
  EXPECT_EQ(last.answers.at("Revision").taken, 1u);
  EXPECT_EQ(last.answers.at("Revision").refused, 1u);
  EXPECT_EQ(last.answers.at("other").taken, 1u);
}

// Times that a test can wait for.
class ImpatientServiceTest : public DiscoveryServiceTest {
 protected:
  ImpatientServiceTest()
      : DiscoveryServiceTest({.streams_max = 2, .introduction_timeout_ms = 100, .farewell_timeout_ms = 100}) {}

  // A configuration of more bytes than a client takes that reads nothing.
  void ApplyMuch() {
    std::string text, backends;
    for (int i = 0; i < 15; ++i) {
      std::string endpoints = "{address: 127.0.0.1, port: 1}";
      for (int port = 2; port < 1000; ++port)
        endpoints += Concat(", {address: 127.0.0.1, port: ", port, "}");
      text += Concat("---\nkind: Cluster\nmetadata: {name: c", i, "}\nspec: {endpoints: [", endpoints, "]}\n");
      backends += Concat(i == 0 ? "" : ", ", "{name: c", i, "}");
    }
    Apply(Concat(text,
                 "---\nkind: Route\nmetadata: {name: shop}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: [",
                 backends, "]}]}\n"));
  }
};

TEST_F(ImpatientServiceTest, WhoSaysNothingGoesAndWhoHasSpokenStays) {
  Client spoken(*stub_);
  spoken.Subscribe();
  spoken.ReadToMark();
  EXPECT_EQ(Client(*stub_).Finish(),
            std::pair(grpc::StatusCode::DEADLINE_EXCEEDED,
                      std::string("no request within 100 ms; the first says who asks for which gateway")));
  Apply(ClusterAt(9002));
  EXPECT_EQ(spoken.ReadToMark(), "default/orders 2");
}

TEST_F(ImpatientServiceTest, WhoTakesNothingHoldsNoPlaceOnceFinished) {
  ApplyMuch();
  Client a(*stub_), b(*stub_);
  for (Client* client : {&a, &b}) {
    client->Subscribe();
    client->Send("", "");  // no type: the stream is finished
  }
  std::string read = "the stream ended";
  for (const auto end = std::chrono::steady_clock::now() + kPatience;
       read == "the stream ended" && std::chrono::steady_clock::now() < end;) {
    Client next(*stub_);
    next.Subscribe();
    read = next.ReadToMark();
  }
  EXPECT_EQ(read.substr(0, 9), "default/c");
}

extern "C" size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

TEST_F(ImpatientServiceTest, TheBytesOfARequestAreLetGo) {
  if (__sanitizer_get_current_allocated_bytes == nullptr) GTEST_SKIP() << "nobody counts";
  constexpr size_t kBytes = 3 << 20;
  Client client(*stub_);
  client.Subscribe();
  client.ReadToMark();
  const size_t before = __sanitizer_get_current_allocated_bytes();
  {
    DeltaDiscoveryRequest large;
    large.set_type_url("a type of its own");
    large.mutable_error_detail()->set_message(std::string(kBytes, 'x'));
    client.Send(large);
  }
  EXPECT_TRUE(client.ReadOne());  // the answer, with nothing in it
  size_t held = kBytes;
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
       held > kBytes / 2 && std::chrono::steady_clock::now() < end;) {
    held = __sanitizer_get_current_allocated_bytes() - std::min(before, __sanitizer_get_current_allocated_bytes());
  }
  EXPECT_LE(held, kBytes / 2);
}

}  // namespace
}  // namespace portico::xds
