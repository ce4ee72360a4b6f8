#ifndef PORTICO_DATAPLANE_XDS_CONTROL_PLANE_FOR_TEST_H_
#define PORTICO_DATAPLANE_XDS_CONTROL_PLANE_FOR_TEST_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/arena.h"
#include "api/base/text.h"
#include "dataplane/base/buffer.h"
#include "dataplane/grpc/message_framing.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h2/server_codec.h"
#include "dataplane/xds/served_set_for_test.h"
#include "test/support/scripted_network.h"

namespace portico::xds::for_test {

// A control plane at the far end of one scripted connection: reads requests, and says what it is told. For tests only.
class ControlPlane final : private http::ServerEvents {
 public:
  explicit ControlPlane(std::shared_ptr<test::FarEnd> far) : far_(std::move(far)), codec_(*this, limits_) {
    far_->Open(true);
  }

  // Takes what has come and gives what is to go. False: there was nothing of either.
  bool Turn() {
    const std::string came = far_->TakeWritten();
    if (!came.empty()) EXPECT_TRUE(codec_.Feed(base::Slice::Copy(came))) << codec_.error();
    base::Buffer out;
    codec_.Produce(out);
    if (!out.empty() && !far_->destroyed) far_->Say(out.ToString());
    return !came.empty() || !out.empty();
  }

  void Say(const DeltaDiscoveryResponse& response) {
    base::Buffer content;
    grpc::AppendMessage(response.SerializeAsString(), content);
    codec_.SendContent(stream_.value(), content, false);
  }
  void End(std::string_view grpc_status) {
    http::Fields trailers(arena_);
    trailers.Add("grpc-status", grpc_status);
    codec_.SendTrailers(*std::exchange(stream_, std::nullopt), trailers);
  }

  const net::Address& address() const { return far_->address; }
  bool connected() const { return !far_->destroyed; }
  bool has_stream() const { return connected() && stream_.has_value(); }
  // What was asked and answered since it was taken last, in words.
  std::string Heard() { return base::Join(std::exchange(heard_, {}), "; "); }
  std::string nack;  // the reason of the last

 private:
  base::Arena& OnRequestBegin(http::StreamId) override { return arena_; }
  void OnRequest(http::StreamId id, http::RequestHead) override {
    stream_ = id;
    http::ResponseHead head(arena_);
    head.status = 200;
    head.fields.Add("content-type", "application/grpc");
    codec_.SendResponse(id, head, false);
  }
  void OnBadRequest(http::StreamId, http::MessageError error) override { ADD_FAILURE() << error.detail; }
  void OnContent(http::StreamId id, base::Slice content) override {
    codec_.Consumed(id, content.size());
    unread_.Append(std::move(content));
    for (;;) {
      const absl::StatusOr<std::optional<std::string>> message = reader_.Read(unread_);
      ASSERT_TRUE(message.ok()) << message.status();
      if (!message->has_value()) return;
      DeltaDiscoveryRequest request;
      EXPECT_TRUE(request.ParseFromString(**message));
      heard_.push_back(Words(request));
      if (request.error_detail().code() != 0) nack = request.error_detail().message();
    }
  }
  void OnTrailers(http::StreamId, http::Fields) override { ADD_FAILURE() << "a client has none"; }
  void OnMessageEnd(http::StreamId) override { stream_.reset(); }
  void OnReset(http::StreamId, http::ResetReason) override { stream_.reset(); }
  void OnSendReady(http::StreamId) override {}

  const std::shared_ptr<test::FarEnd> far_;
  const http::Limits limits_;
  base::Arena arena_;
  http::h2::ServerCodec codec_;
  grpc::MessageReader reader_{4 << 20};
  base::Buffer unread_;
  std::optional<http::StreamId> stream_;
  std::vector<std::string> heard_;
};

}  // namespace portico::xds::for_test

#endif  // PORTICO_DATAPLANE_XDS_CONTROL_PLANE_FOR_TEST_H_
