#include "controlplane/xds/discovery_call.h"

#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"

namespace portico::xds {
namespace {

using Shared = std::shared_ptr<const std::string>;

// The bytes themselves, kept until the last stream has sent them.
grpc::Slice SliceOf(const Shared& bytes) {
  const auto release = [](void* held) { delete static_cast<Shared*>(held); };
  return grpc::Slice(const_cast<char*>(bytes->data()), bytes->size(), release, new Shared(bytes));
}

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(base::ToStd(status.message()))};
}

}  // namespace

DiscoveryCall* DiscoveryCall::Make(std::shared_ptr<Mailbox> mailbox, Peer peer, size_t request_bytes_max) {
  const std::shared_ptr<DiscoveryCall> call(new DiscoveryCall(std::move(mailbox), request_bytes_max));
  call->self_ = call;
  const absl::StatusOr<uint64_t> id = call->mailbox_->Open(call, std::move(peer));
  if (id.ok()) {
    call->id_ = *id;
    call->Read();
  } else {
    call->Finish(id.status());
  }
  return call.get();
}

void DiscoveryCall::Write(Session::Response response) {
  std::vector<grpc::Slice> slices;
  slices.reserve(response.fields.size() + 1);
  slices.emplace_back(response.head);
  for (const Shared& field : response.fields)
    slices.push_back(SliceOf(field));
  absl::MutexLock lock(&mutex_);
  if (finished_) return;
  response_ = grpc::ByteBuffer(slices.data(), slices.size());
  StartWrite(&response_);
}

void DiscoveryCall::Read() {
  absl::MutexLock lock(&mutex_);
  if (!finished_) StartRead(&request_);
}

// The last that is done with gRPC: whoever comes later finds it finished.
void DiscoveryCall::Finish(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(finished_, true)) return;
  }
  ServerBidiReactor::Finish(ToGrpc(status));
}

void DiscoveryCall::OnReadDone(bool ok) {
  if (!ok) return Finish(absl::OkStatus());  // the client says that it is done
  if (request_.Length() > request_bytes_max_) {
    return Finish(absl::ResourceExhaustedError(
        base::ToAbsl(base::Concat("a request of ", request_.Length(), " bytes; at most ", request_bytes_max_))));
  }
  grpc::ProtoBufferReader reader(&request_);
  Feed::Request request;
  if (!reader.status().ok() || !request.ParseFromZeroCopyStream(&reader)) {
    return Finish(absl::InvalidArgumentError("not a DeltaDiscoveryRequest"));
  }
  mailbox_->OnRequest(id_, std::move(request));
}

void DiscoveryCall::OnWriteDone(bool ok) {
  if (!ok) return Finish(absl::CancelledError());
  mailbox_->OnWritten(id_);
}

void DiscoveryCall::OnCancel() {
  Finish(absl::CancelledError());
}

void DiscoveryCall::OnDone() {
  const std::shared_ptr<DiscoveryCall> last = std::move(self_);
  if (id_ != 0) mailbox_->OnClosed(id_);
}

}  // namespace portico::xds
