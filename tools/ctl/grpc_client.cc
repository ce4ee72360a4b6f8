#include "tools/ctl/grpc_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "api/base/text.h"
#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "api/portico/v1/config_service.grpc.pb.h"
#include "api/portico/v1/fleet_service.grpc.pb.h"

namespace portico::ctl {
namespace {

using portico::v1::ApplyResponse;

std::vector<ApiViolation> ViolationsOf(const grpc::Status& status) {
  std::vector<ApiViolation> out;
  google::rpc::Status detail;
  if (!detail.ParseFromString(status.error_details())) return out;
  for (const auto& any : detail.details()) {
    google::rpc::BadRequest request;
    if (!any.UnpackTo(&request)) continue;
    for (const auto& violation : request.field_violations()) {
      const std::string& field = violation.field();
      const size_t colon = field.find(": ");
      out.push_back(
          {field.substr(0, colon), colon == std::string::npos ? "" : field.substr(colon + 2), violation.description()});
    }
  }
  return out;
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ApiOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.tls->authorities;
  ssl.pem_private_key = options.tls->key;
  ssl.pem_cert_chain = options.tls->certificate;
  return grpc::SslCredentials(ssl);
}

constexpr int kAnswerBytesMax = 64 << 20;  // of one message: a record of a revision names all that it changed

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  // http_proxy is for the web: in clear the token would go through it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A watch may be quiet for days: who is behind it must not be gone all the while. Servers of gRPC bear a ping in five
  // minutes.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 360'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  return arguments;
}

class GrpcClient final : public ApiClient {
 public:
  explicit GrpcClient(const ApiOptions& options)
      : address_(options.address),
        timeout_(options.timeout_ms),
        authorization_(options.token.empty() ? "" : base::Concat("Bearer ", options.token)),
        channel_(grpc::CreateCustomChannel(options.address, CredentialsOf(options), ChannelArguments())),
        config_(portico::v1::ConfigService::NewStub(channel_)),
        fleet_(portico::v1::FleetService::NewStub(channel_)) {}

  Answer<ApplyResponse> Apply(const std::vector<portico::v1::ApplyRequest>& requests) override {
    grpc::ClientContext context;
    Prepare(context);
    Answer<ApplyResponse> answer;
    const auto writer = config_->Apply(&context, &answer.response);
    for (const portico::v1::ApplyRequest& request : requests) {
      if (!writer->Write(request)) break;  // Finish says why
    }
    writer->WritesDone();
    return Finish(writer->Finish(), std::move(answer));
  }

  Answer<ApplyResponse> Delete(const portico::v1::DeleteRequest& request) override {
    return Unary<ApplyResponse>(*config_, &ConfigStub::Delete, request);
  }
  Answer<ApplyResponse> Rollback(const portico::v1::RollbackRequest& request) override {
    return Unary<ApplyResponse>(*config_, &ConfigStub::Rollback, request);
  }
  Answer<portico::v1::GetResponse> Get(const portico::v1::GetRequest& request) override {
    return Unary<portico::v1::GetResponse>(*config_, &ConfigStub::Get, request);
  }
  Answer<portico::v1::HistoryResponse> History(const portico::v1::HistoryRequest& request) override {
    return Unary<portico::v1::HistoryResponse>(*config_, &ConfigStub::History, request);
  }
  Answer<portico::v1::ListProxiesResponse> ListProxies(const portico::v1::ListProxiesRequest& request) override {
    return Unary<portico::v1::ListProxiesResponse>(*fleet_, &FleetStub::ListProxies, request);
  }

  Answer<portico::v1::ListResponse> List(const portico::v1::ListRequest& request) override {
    grpc::ClientContext context;
    Prepare(context);
    Answer<portico::v1::ListResponse> answer;
    const auto reader = config_->List(&context, request);
    for (portico::v1::ListResponse piece; reader->Read(&piece);)
      answer.response.MergeFrom(piece);
    return Finish(reader->Finish(), std::move(answer));
  }

  absl::Status WatchProxies(const portico::v1::ListProxiesRequest& request,
                            const std::function<bool(const portico::v1::ListProxiesResponse&)>& next) override {
    grpc::ClientContext context;
    Prepare(context);
    return ReadAll<portico::v1::ListProxiesResponse>(context, *fleet_->WatchProxies(&context, request), next);
  }

  absl::Status Watch(const portico::v1::WatchRequest& request,
                     const std::function<bool(const portico::v1::WatchResponse&)>& next) override {
    if (!channel_->WaitForConnected(std::chrono::system_clock::now() + timeout_)) {
      return Finish(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, ""), Answer<int>()).status;
    }
    grpc::ClientContext context;
    ShowToken(context);
    const absl::Status status = ReadAll<portico::v1::WatchResponse>(context, *config_->Watch(&context, request), next);
    if (status.code() != absl::StatusCode::kCancelled) return status;
    return absl::UnavailableError("the control plane cancelled the call");  // as it does when it ends
  }

 private:
  using ConfigStub = portico::v1::ConfigService::Stub;
  using FleetStub = portico::v1::FleetService::Stub;

  void Prepare(grpc::ClientContext& context) const {
    context.set_deadline(std::chrono::system_clock::now() + timeout_);
    ShowToken(context);
  }
  void ShowToken(grpc::ClientContext& context) const {
    if (!authorization_.empty()) context.AddMetadata("authorization", authorization_);
  }

  template <typename Response, typename Stub, typename Request>
  Answer<Response> Unary(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                         const Request& request) {
    grpc::ClientContext context;
    Prepare(context);
    Answer<Response> answer;
    const grpc::Status status = (stub.*method)(&context, request, &answer.response);
    return Finish(status, std::move(answer));
  }

  template <typename Response>
  absl::Status ReadAll(grpc::ClientContext& context, grpc::ClientReader<Response>& reader,
                       const std::function<bool(const Response&)>& next) {
    for (Response response; reader.Read(&response);) {
      if (next(response)) continue;
      context.TryCancel();
      reader.Finish();
      return absl::OkStatus();
    }
    return Finish(reader.Finish(), Answer<int>()).status;
  }

  // A call that ran out of time before there was a connection did not reach anybody.
  template <typename Response>
  Answer<Response> Finish(const grpc::Status& status, Answer<Response> answer) const {
    if (status.ok()) return answer;
    const bool connected = channel_->GetState(false) == GRPC_CHANNEL_READY;
    auto code = static_cast<absl::StatusCode>(status.error_code());
    std::string message = status.error_message();
    if (code == absl::StatusCode::kDeadlineExceeded) {
      message = base::Concat(connected ? "no answer" : "no connection", " within ", timeout_.count(), " ms");
    }
    if (!connected && (code == absl::StatusCode::kDeadlineExceeded || code == absl::StatusCode::kUnavailable)) {
      code = absl::StatusCode::kUnavailable;
      message = base::Concat("control plane unreachable at ", address_, ": ", message);
    }
    answer.status = absl::Status(code, base::ToAbsl(message));
    answer.violations = ViolationsOf(status);
    return answer;
  }

  const std::string address_;
  const std::chrono::milliseconds timeout_;
  const std::string authorization_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<ConfigStub> config_;
  const std::unique_ptr<FleetStub> fleet_;
};

}  // namespace

std::unique_ptr<ApiClient> MakeGrpcClient(const ApiOptions& options) {
  return std::make_unique<GrpcClient>(options);
}

}  // namespace portico::ctl
