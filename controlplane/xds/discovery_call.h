#ifndef PORTICO_CONTROLPLANE_XDS_DISCOVERY_CALL_H_
#define PORTICO_CONTROLPLANE_XDS_DISCOVERY_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "controlplane/xds/counters.h"
#include "controlplane/xds/mailbox.h"

namespace portico::xds {

// One stream of gRPC's. Lives until gRPC is done with it and the feed has let go.
//
// A client that opens a stream and says nothing is finished after introduction_timeout_ms. One that takes nothing of
// what it is sent keeps gRPC from being done even after Finish: farewell_timeout_ms later the stream is cancelled.
class DiscoveryCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public Outlet,
                            public std::enable_shared_from_this<DiscoveryCall> {
 public:
  // What all streams have in common.
  struct Setting {
    std::shared_ptr<Mailbox> mailbox;
    std::shared_ptr<Counters> counters;
    std::shared_ptr<const std::string> signature;  // bytes that end every response: who sends it
    size_t request_bytes_max = 0;
    int64_t introduction_timeout_ms = 0;
    int64_t farewell_timeout_ms = 0;
  };

  // What is returned belongs to gRPC. A stream that is not taken in is finished at once.
  static DiscoveryCall* Make(std::shared_ptr<const Setting> setting, grpc::CallbackServerContext& context, Peer peer);

  void Write(Session::Response response) override;
  void Read() override;
  void Finish(const absl::Status& status) override;

 private:
  DiscoveryCall(std::shared_ptr<const Setting> setting, grpc::CallbackServerContext& context)
      : setting_(std::move(setting)), context_(context) {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // What was read, whose bytes are let go.
  absl::StatusOr<Feed::Request> TakeRequest();
  void SetAlarm(grpc::Alarm& alarm, int64_t timeout_ms, void (DiscoveryCall::*on_alarm)());
  void OnSilence();
  void OnStalled();

  const std::shared_ptr<const Setting> setting_;
  grpc::CallbackServerContext& context_;  // until OnDone
  uint64_t id_ = 0;                       // 0: it was not taken in
  std::shared_ptr<DiscoveryCall> self_;   // gRPC's hold on it
  grpc::Alarm silence_, stalled_;
  absl::Mutex mutex_;
  bool introduced_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer request_;   // gRPC's between Read and OnReadDone
  grpc::ByteBuffer response_;  // gRPC's between Write and OnWriteDone
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_DISCOVERY_CALL_H_
