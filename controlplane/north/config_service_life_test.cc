#include <grpcpp/grpcpp.h>

#include <future>
#include <memory>

#include "api/base/text.h"
#include "controlplane/change/codec.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/north/config_service.h"
#include "controlplane/store/memory/memory_store.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

using base::Concat;
using test::AnyKeyPair;

// A watch whose caller has left may still wait for its turn when everything else has gone.
TEST(ConfigServiceLifeTest, NoTaskOutlivesTheService) {
  const AnyKeyPair key_pairs;
  const std::unique_ptr<change::Changes> changes = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs, [] { return int64_t{1'000'000}; }, {100});
  const Gatekeeper gatekeeper(*changes, {});
  std::promise<void> disk;
  Writer writer;
  writer.Post([ready = disk.get_future().share()] { ready.wait(); });
  {
    ConfigService service(*changes, gatekeeper, writer);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    const auto stub = portico::v1::ConfigService::NewStub(
        grpc::CreateChannel(Concat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
    portico::v1::WatchRequest of_another_store;
    of_another_store.set_epoch("0123");
    for (int i = 0; i < 20; ++i) {
      grpc::ClientContext context, next_context;
      const auto watch = stub->Watch(&context, {});
      EXPECT_FALSE(stub->Watch(&next_context, of_another_store)->Finish().ok());  // by then the first one is there
      context.TryCancel();
      watch->Finish();
    }
    service.End();
    server->Shutdown();
  }
  disk.set_value();
  writer.End();
  EXPECT_FALSE(writer.Post([] {}));
}

}  // namespace
}  // namespace portico::north
