#ifndef PORTICO_CONTROLPLANE_XDS_DISCOVERY_CALL_H_
#define PORTICO_CONTROLPLANE_XDS_DISCOVERY_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "controlplane/xds/mailbox.h"

namespace portico::xds {

// One stream of gRPC's. Lives until gRPC is done with it and the feed has let go.
class DiscoveryCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public Outlet {
 public:
  // What is returned belongs to gRPC. A stream that is not taken in is finished at once.
  static DiscoveryCall* Make(std::shared_ptr<Mailbox> mailbox, Peer peer, size_t request_bytes_max);

  void Write(Session::Response response) override;
  void Read() override;
  void Finish(const absl::Status& status) override;

 private:
  DiscoveryCall(std::shared_ptr<Mailbox> mailbox, size_t request_bytes_max)
      : mailbox_(std::move(mailbox)), request_bytes_max_(request_bytes_max) {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  const std::shared_ptr<Mailbox> mailbox_;
  const size_t request_bytes_max_;
  uint64_t id_ = 0;                      // 0: it was not taken in
  std::shared_ptr<DiscoveryCall> self_;  // gRPC's hold on it
  absl::Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer request_;   // gRPC's between Read and OnReadDone
  grpc::ByteBuffer response_;  // gRPC's between Write and OnWriteDone
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_DISCOVERY_CALL_H_
