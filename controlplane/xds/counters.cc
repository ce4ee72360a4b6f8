#include "controlplane/xds/counters.h"

#include <algorithm>
#include <string_view>

#include "api/wire/names.h"

namespace portico::xds {
namespace {

// "Route"; a type that we do not have must not become a series of its own: whoever connects chooses it.
std::string KindOf(const std::string& type_url) {
  const auto& types = wire::ResourceTypes();
  const bool known = type_url == wire::kRevisionType || std::find(types.begin(), types.end(), type_url) != types.end();
  return known ? type_url.substr(type_url.rfind('.') + 1) : "other";
}

}  // namespace

void Counters::OnOpened() {
  absl::MutexLock lock(&mutex_);
  ++counts_.streams;
}

void Counters::OnRefused() {
  absl::MutexLock lock(&mutex_);
  ++counts_.refused;
}

void Counters::OnClosed() {
  absl::MutexLock lock(&mutex_);
  --counts_.streams;
}

void Counters::OnResponse(size_t bytes, bool mark) {
  absl::MutexLock lock(&mutex_);
  ++counts_.responses;
  counts_.response_bytes += bytes;
  if (mark) ++counts_.marks;
}

void Counters::OnRequest(const envoy::service::discovery::v3::DeltaDiscoveryRequest& request) {
  if (request.response_nonce().empty()) return;
  const std::string kind = KindOf(request.type_url());
  absl::MutexLock lock(&mutex_);
  Counts::Answers& answers = counts_.answers[kind];
  ++(request.error_detail().code() == 0 ? answers.taken : answers.refused);
}

Counts Counters::Read() const {
  absl::MutexLock lock(&mutex_);
  return counts_;
}

}  // namespace portico::xds
