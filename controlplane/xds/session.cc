#include "controlplane/xds/session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/wire/names.h"
#include "controlplane/fleet/refusals.h"

namespace portico::xds {
namespace {

using base::Concat;
using base::ToAbsl;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<std::string>& field) {
  return {field.begin(), field.end()};
}

// Of what a session may keep.
size_t LongestText(const DeltaDiscoveryRequest& request) {
  size_t longest = request.type_url().size();
  for (const std::string& name : request.resource_names_subscribe())
    longest = std::max(longest, name.size());
  for (const auto& [name, version] : request.initial_resource_versions())
    longest = std::max({longest, name.size(), version.size()});
  return longest;
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
  if (LongestText(request) > kNameBytesMax) {
    return absl::InvalidArgumentError(
        ToAbsl(Concat("names, versions and types have at most ", kNameBytesMax, " bytes")));
  }
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
  if (request.error_detail().code() != 0) {
    running_.refused_revision = revision;
    running_.refused_reason = base::Utf8Prefix(request.error_detail().message(), kReasonBytesMax);
    return;
  }
  OnRunning(revision, request.error_detail());
}

void Session::OnRunning(uint64_t revision, const google::rpc::Status& detail) {
  running_ = {};
  running_.revision = revision;
  std::vector<portico::v1::Refusal> refusals;
  for (const google::protobuf::Any& one : detail.details()) {
    portico::v1::RevisionReport report;
    if (one.UnpackTo(&report)) refusals.insert(refusals.end(), report.refusals().begin(), report.refusals().end());
  }
  running_.refusals = fleet::Shorten(refusals, {});
}

void Session::OnStep(const reach::SetStep& step) {
  for (const auto& [type_url, name] : step.changed) {
    if (Subscription* subscription = Find(type_url); subscription != nullptr) subscription->OnChange(name);
  }
  unsealed_ = true;  // also if it comes to nothing: the mark has another number
}

std::optional<Session::Response> Session::Next() {
  if (batch_.empty() && marks_.size() < kMarksMax) Gather();
  if (batch_.empty()) return std::nullopt;
  Response response = std::move(batch_.front());
  batch_.pop_front();
  return response;
}

// A gateway that is not there: who asks is told that there is nothing, and nothing is taken away from who has
// something.
void Session::AnswerNothing() {
  for (auto& [type_url, subscription] : subscriptions_) {
    if (subscription.TakeAnswer()) batch_.push_back({Head(type_url, {}), {}});
  }
}

void Session::Gather() {
  if (!set_.known()) return AnswerNothing();
  for (const std::string& type_url : wire::ResourceTypes()) {
    Subscription* subscription = Find(type_url);
    if (subscription != nullptr && Take(type_url, *subscription)) unsealed_ = true;
  }
  const std::string mark_type(wire::kRevisionType);
  // Types that we do not have: whoever asks is told that there is nothing.
  for (auto& [type_url, subscription] : subscriptions_) {
    if (type_url != mark_type) Take(type_url, subscription);
  }
  Subscription* marks = Find(mark_type);
  if (marks == nullptr) return;
  if (unsealed_) marks->Again(wire::ResourceName(set_.gateway()));
  if (!Take(mark_type, *marks)) return;
  batch_.back().mark = true;
  unsealed_ = false;
  marks_[last_nonce_] = set_.revision();
  sent_revision_ = set_.revision();
}

std::string Session::Head(const std::string& type_url, std::vector<std::string> removed) {
  DeltaDiscoveryResponse head;
  head.set_system_version_info(Concat(set_.revision()));
  head.set_type_url(type_url);
  head.set_nonce(Concat(++last_nonce_));
  for (std::string& name : removed)
    *head.add_removed_resources() = std::move(name);
  return head.SerializeAsString();
}

bool Session::Take(const std::string& type_url, Subscription& subscription) {
  bool any = false;
  while (subscription.owes()) {
    Subscription::Response next = subscription.Next(set_.OfType(type_url), kBytesMax);
    if (!next.send) continue;
    any = any || !next.fields.empty() || !next.removed.empty();
    batch_.push_back({Head(type_url, std::move(next.removed)), std::move(next.fields)});
  }
  return any;
}

}  // namespace portico::xds
