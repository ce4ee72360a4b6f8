#include "controlplane/xds/session.h"

#include <charconv>
#include <utility>

#include "api/base/text.h"
#include "api/wire/names.h"

namespace portico::xds {
namespace {

using base::Concat;
using base::ToAbsl;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<std::string>& field) {
  return {field.begin(), field.end()};
}

std::optional<uint64_t> NonceOf(const std::string& text) {
  uint64_t nonce = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nonce);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return nonce;
}

}  // namespace

Subscription* Session::Find(const std::string& type_url) {
  const auto found = subscriptions_.find(type_url);
  return found == subscriptions_.end() ? nullptr : &found->second;
}

absl::Status Session::OnRequest(const DeltaDiscoveryRequest& request) {
  const std::string& type_url = request.type_url();
  if (type_url.empty()) return absl::InvalidArgumentError("a request must name its type_url");
  Subscription::Request names;
  names.first = Find(type_url) == nullptr;
  if (names.first && subscriptions_.size() == kTypesMax) {
    return absl::ResourceExhaustedError(ToAbsl(Concat("at most ", kTypesMax, " types on one stream")));
  }
  Subscription& subscription = subscriptions_[type_url];
  names.subscribe = Texts(request.resource_names_subscribe());
  names.unsubscribe = Texts(request.resource_names_unsubscribe());
  if (names.first)
    names.has.insert(request.initial_resource_versions().begin(), request.initial_resource_versions().end());
  subscription.OnRequest(names, set_.OfType(type_url));
  if (type_url == wire::kRevisionType && names.first) OnReturn(request);
  if (type_url == wire::kRevisionType && !names.first) OnAnswer(request);
  size_t all = 0;
  for (const auto& [type, one] : subscriptions_)
    all += one.names();
  if (all <= kNamesMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(ToAbsl(Concat("at most ", kNamesMax, " names on one stream")));
}

void Session::OnReturn(const DeltaDiscoveryRequest& request) {
  const auto held = request.initial_resource_versions().find(wire::ResourceName(set_.gateway()));
  if (held == request.initial_resource_versions().end() || held->second != set_.digest()) return;
  sent_revision_ = set_.revision();
  OnRunning(set_.revision(), request.error_detail());
}

// An ACK of the mark is what "runs" means. One of a later mark covers the earlier ones.
void Session::OnAnswer(const DeltaDiscoveryRequest& request) {
  if (request.response_nonce().empty()) return;
  const std::optional<uint64_t> nonce = NonceOf(request.response_nonce());
  const auto mark = nonce.has_value() ? marks_.find(*nonce) : marks_.end();
  if (mark == marks_.end()) return;
  const uint64_t revision = mark->second;
  marks_.erase(marks_.begin(), std::next(mark));
  if (request.has_error_detail() && request.error_detail().code() != 0) {
    // It stays with what it had, and says why.
    portico::v1::Refusal refusal;
    refusal.set_resource(Concat("revision ", revision));
    refusal.set_reason(request.error_detail().message());
    running_.refusals = {refusal};
    return;
  }
  OnRunning(revision, request.error_detail());
}

void Session::OnRunning(uint64_t revision, const google::rpc::Status& detail) {
  running_.revision = revision;
  running_.refusals.clear();
  for (const google::protobuf::Any& one : detail.details()) {
    portico::v1::RevisionReport report;
    if (!one.UnpackTo(&report)) continue;
    running_.refusals.insert(running_.refusals.end(), report.refusals().begin(), report.refusals().end());
  }
}

void Session::OnStep(const reach::SetStep& step) {
  for (const auto& [type_url, name] : step.changed) {
    if (Subscription* subscription = Find(type_url); subscription != nullptr) subscription->OnChange(name);
  }
  if (Subscription* marks = Find(std::string(wire::kRevisionType)); marks != nullptr) {
    marks->OnChange(wire::ResourceName(set_.gateway()));
  }
}

std::optional<Session::Response> Session::Next() {
  for (const std::string& type_url : wire::ResourceTypes()) {
    Subscription* subscription = Find(type_url);
    if (subscription == nullptr) continue;
    if (std::optional<Response> response = Take(type_url, *subscription); response.has_value()) return response;
  }
  // Types that we do not have: whoever asks is told that there is nothing.
  for (auto& [type_url, subscription] : subscriptions_) {
    if (type_url == wire::kRevisionType) continue;
    if (std::optional<Response> response = Take(type_url, subscription); response.has_value()) return response;
  }
  const std::string mark_type(wire::kRevisionType);
  Subscription* marks = marks_.size() < kMarksMax ? Find(mark_type) : nullptr;
  if (marks == nullptr) return std::nullopt;
  std::optional<Response> response = Take(mark_type, *marks);
  if (response.has_value() && !response->fields.empty()) {
    marks_[last_nonce_] = set_.revision();
    sent_revision_ = set_.revision();
  }
  return response;
}

std::optional<Session::Response> Session::Take(const std::string& type_url, Subscription& subscription) {
  if (!subscription.owes()) return std::nullopt;
  Subscription::Response next = subscription.Next(set_.OfType(type_url), kBytesMax);
  if (!next.send) return std::nullopt;
  DeltaDiscoveryResponse head;
  head.set_system_version_info(base::Concat(set_.revision()));
  head.set_type_url(type_url);
  head.set_nonce(base::Concat(++last_nonce_));
  for (std::string& name : next.removed)
    *head.add_removed_resources() = std::move(name);
  return Response{head.SerializeAsString(), std::move(next.fields)};
}

}  // namespace portico::xds
