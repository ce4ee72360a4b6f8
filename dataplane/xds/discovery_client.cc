#include "dataplane/xds/discovery_client.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/http/codec.h"

namespace portico::xds {
namespace {

constexpr std::string_view kMethod = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

}  // namespace

DiscoveryClient::DiscoveryClient(event::Loop& loop, net::Network& network, base::BlockPool& pool, Options options,
                                 ClientSession& session, Handler& handler)
    : loop_(loop),
      network_(network),
      pool_(pool),
      options_(std::move(options)),
      session_(session),
      handler_(handler),
      random_(options_.seed),
      timer_(loop.timers(), *this),
      clusters_(options_.addresses.size()) {
  PORTICO_CHECK(!options_.addresses.empty());
}

DiscoveryClient::~DiscoveryClient() = default;

std::shared_ptr<upstream::ClusterConfig> DiscoveryClient::ConfigOf(Security security) const {
  auto config = std::make_shared<upstream::ClusterConfig>();
  config->name = base::Concat("control plane ", address().ToString());
  config->endpoints = {address()};
  config->protocol = upstream::ClusterConfig::Protocol::kHttp2;
  config->connect_timeout = std::chrono::seconds(5);
  config->stream_idle_timeout = kSilenceMax;
  config->security = std::move(security.security);
  config->security_identity = std::move(security.identity);
  return config;
}

void DiscoveryClient::Begin() {
  heard_ = false;
  began_at_ = loop_.Now();
  absl::StatusOr<Security> security = options_.secure(address());
  if (!security.ok()) return End(base::ToStd(security.status().message()));
  std::unique_ptr<upstream::Cluster>& cluster = clusters_[next_];
  if (cluster == nullptr) {
    cluster = std::make_unique<upstream::Cluster>(loop_, network_, pool_, ConfigOf(*std::move(security)));
  } else {
    cluster->Update(ConfigOf(*std::move(security)));
  }
  session_.OnStreamStart();
  grpc::StreamHandler& handler = *this;
  stream_ = std::make_unique<grpc::Stream>(
      *cluster, grpc::StreamRequest{.path = kMethod, .authority = address().ToString()}, handler);
  Flush();
}

void DiscoveryClient::Flush() {
  while (stream_ != nullptr && stream_->Unsent() < http::kSendHighMarkBytes) {
    const std::optional<std::string> request = session_.NextRequest();
    if (!request) break;
    stream_->Send(*request);
  }
  if (std::optional<Proposal> proposal = session_.TakeProposal()) {
    pause_ = kPauseMin;  // it answers, and makes sense
    handler_.OnProposal(*std::move(proposal));
  }
}

void DiscoveryClient::OnMessage(std::string message) {
  if (!std::exchange(heard_, true)) handler_.OnStreamBegan(address());
  if (const absl::Status status = session_.OnResponse(message); !status.ok()) {
    return End(base::Concat("what it sent is refused: ", base::ToStd(status.message())));
  }
  Flush();
}

void DiscoveryClient::OnEnd(grpc::Status status) {
  End(status.ok() ? "it ended the stream" : status.ToString());
}

void DiscoveryClient::End(std::string_view why) {
  const std::string reason(why);  // the stream may hold it
  stream_.reset();
  heard_ = false;
  const net::Address ended = address();
  next_ = (next_ + 1) % options_.addresses.size();
  if (loop_.Now() - began_at_ > kPauseMax) pause_ = kPauseMin;
  const auto fifth = static_cast<uint64_t>(pause_.count()) / 5;
  const base::Duration pause = pause_ - base::Duration(fifth) + base::Duration(random_.Below(2 * fifth + 1));
  pause_ = std::min(pause_ * 8 / 5, kPauseMax);
  timer_.Set(loop_.Now() + pause);
  handler_.OnStreamEnded(ended, reason, pause);
}

}  // namespace portico::xds
