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
      pause_timer_(loop.timers(), *this),
      silence_timer_(loop.timers(), *this),
      clusters_(options_.addresses.size()) {
  PORTICO_CHECK(!options_.addresses.empty());
  if (options_.secure) files_.emplace("portico-tls", loop, /*waiting_max=*/1);
}

DiscoveryClient::~DiscoveryClient() = default;

std::shared_ptr<upstream::ClusterConfig> DiscoveryClient::ConfigOf(Security security) const {
  auto config = std::make_shared<upstream::ClusterConfig>();
  config->name = base::Concat("control plane ", address().ToString());
  config->endpoints = {address()};
  config->protocol = upstream::ClusterConfig::Protocol::kHttp2;
  config->connect_timeout = std::chrono::seconds(5);
  config->stream_idle_timeout = 2 * kSilenceMax;  // ours comes first
  config->security = std::move(security.security);
  config->security_identity = std::move(security.identity);
  return config;
}

void DiscoveryClient::OnTimer(event::Timer& timer) {
  if (&timer == &pause_timer_) return Begin();
  OnSilence();
}

void DiscoveryClient::Begin() {
  heard_ = false;
  began_at_ = loop_.Now();
  if (!files_.has_value()) return Connect(Security{});
  const bool accepted = files_->TryRun<absl::StatusOr<Security>>(
      [this, address = address()] { return options_.secure(address); },
      [this](absl::StatusOr<Security> security) { Connect(std::move(security)); });
  PORTICO_CHECK(accepted, "one at a time");
}

void DiscoveryClient::Connect(absl::StatusOr<Security> security) {
  if (stopped_) return;
  if (!security.ok()) return End(base::ToStd(security.status().message()));
  std::unique_ptr<upstream::Cluster>& cluster = clusters_[next_];
  if (cluster == nullptr) {
    cluster = std::make_unique<upstream::Cluster>(loop_, network_, pool_, random_, ConfigOf(*std::move(security)));
  } else {
    cluster->Update(ConfigOf(*std::move(security)));
  }
  session_.OnStreamStart();
  silence_timer_.Set(loop_.Now() + Spread(kSilenceMax));
  grpc::StreamHandler& handler = *this;
  stream_ = std::make_unique<grpc::Stream>(
      *cluster, grpc::StreamRequest{.path = kMethod, .authority = address().ToString()}, handler);
  Flush();
}

void DiscoveryClient::Stop() {
  stopped_ = true;
  stream_.reset();
  pause_timer_.Forget();
  silence_timer_.Forget();
}

void DiscoveryClient::Flush() {
  if (stopped_) return;
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
  heard_ = true;
  silence_timer_.Set(loop_.Now() + Spread(kSilenceMax));
  if (!std::exchange(began_, true)) handler_.OnStreamBegan(address());
  if (const absl::Status status = session_.OnResponse(message); !status.ok()) {
    return End(base::Concat("what it sent is refused: ", base::ToStd(status.message())));
  }
  Flush();
}

void DiscoveryClient::OnEnd(grpc::Status status) {
  End(status.ok() ? "it ended the stream" : status.ToString());
}

// A fleet that heard its last word at the same moment does not come back in step.
base::Duration DiscoveryClient::Spread(base::Duration pause) {
  const auto fifth = static_cast<uint64_t>(pause.count()) / 5;
  return pause - base::Duration(fifth) + base::Duration(random_.Below(2 * fifth + 1));
}

// Its connection may be to nobody, so another is made: that fails within moments if it is.
void DiscoveryClient::OnSilence() {
  if (!heard_) return End("it says nothing");
  stream_.reset();
  clusters_[next_].reset();
  Begin();
}

void DiscoveryClient::End(std::string_view why) {
  const std::string reason(why);  // the stream may hold it
  stream_.reset();
  silence_timer_.Cancel();
  heard_ = began_ = false;
  const net::Address ended = address();
  next_ = (next_ + 1) % options_.addresses.size();
  if (loop_.Now() - began_at_ > kPauseMax) pause_ = kPauseMin;
  const base::Duration pause = Spread(pause_);
  pause_ = std::min(pause_ * 8 / 5, kPauseMax);
  pause_timer_.Set(loop_.Now() + pause);
  handler_.OnStreamEnded(ended, reason, pause);
}

}  // namespace portico::xds
