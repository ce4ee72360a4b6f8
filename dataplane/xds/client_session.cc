#include "dataplane/xds/client_session.h"

#include <algorithm>
#include <map>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/google/rpc/status.pb.h"
#include "api/wire/names.h"
#include "api/wire/unknown_field.h"

namespace portico::xds {
namespace {

using base::Concat;
using base::ToAbsl;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

constexpr int kInvalidArgument = 3;  // google.rpc.Code
constexpr const char* kEverything = "*";

DeltaDiscoveryRequest Answer(const std::string& type_url, const std::string& nonce) {
  DeltaDiscoveryRequest request;
  request.set_type_url(type_url);
  request.set_response_nonce(nonce);
  return request;
}

void AddReport(const std::vector<Refusal>& refusals, google::rpc::Status& detail) {
  portico::v1::RevisionReport report;
  for (const Refusal& refusal : refusals) {
    if (static_cast<size_t>(report.refusals_size()) == ClientSession::kRefusalsMax) break;
    portico::v1::Refusal& told = *report.add_refusals();
    told.set_resource(Concat(refusal.key.kind, " ", wire::ResourceName(refusal.key)));
    told.set_version(refusal.version);
    told.set_reason(base::Utf8Prefix(refusal.reason, ClientSession::kReasonBytesMax));
  }
  detail.add_details()->PackFrom(report);
}

std::string KindOf(const std::string& type_url) {
  return type_url.substr(wire::kTypePrefix.size());
}

bool IsOurs(const std::string& type_url) {
  const std::vector<std::string>& types = wire::ResourceTypes();
  return std::find(types.begin(), types.end(), type_url) != types.end();
}

}  // namespace

absl::Status ClientSession::Restore(const Resources& resources, InForce in_force) {
  for (const auto& [key, received] : resources) {
    if (absl::Status status = received_.Put(key, received); !status.ok()) return status;
  }
  if (!in_force.mark.digest.empty()) in_force_ = std::move(in_force);
  return absl::OkStatus();
}

void ClientSession::OnStreamStart() {
  requests_.clear();
  withheld_.clear();
  asked_again_.clear();
  if (waiting_.has_value() && !waiting_->fault.empty()) waiting_.reset();
  for (std::optional<Sealed>* sealed : {&waiting_, &awaited_}) {
    if (!sealed->has_value()) continue;
    (*sealed)->answers.clear();
    (*sealed)->nonce.clear();
  }
  // The mark last: else one might come that seals what was not asked for yet.
  for (const std::string& type_url : wire::ResourceTypes())
    AskAtFirst(type_url);
  DeltaDiscoveryRequest& mark = requests_.emplace_back(Answer(std::string(wire::kRevisionType), ""));
  mark.add_resource_names_subscribe(kEverything);
  if (in_force_.has_value()) {
    (*mark.mutable_initial_resource_versions())[wire::ResourceName(node_.gateway)] = in_force_->mark.digest;
    AddReport(in_force_->refusals, *mark.mutable_error_detail());
  }
  *requests_.front().mutable_node() = wire::ToMessage(node_);
}

// All or nothing of what is held: of what is not named nobody would say that it is gone.
void ClientSession::AskAtFirst(const std::string& type_url) {
  DeltaDiscoveryRequest& request = requests_.emplace_back(Answer(type_url, ""));
  request.add_resource_names_subscribe(kEverything);
  const std::string kind = KindOf(type_url);
  const Resources& resources = received_.resources();
  size_t bytes = 0;
  for (auto held = resources.lower_bound(check::ResourceKey{kind, "", ""});
       held != resources.end() && held->first.kind == kind; ++held) {
    const std::string name = wire::ResourceName(held->first);
    bytes += name.size() + held->second->version.size();
    (*request.mutable_initial_resource_versions())[name] = held->second->version;
  }
  if (bytes <= kReturnBytesMax) return;
  request.clear_initial_resource_versions();
  received_.Clear(kind);
}

absl::Status ClientSession::OnResponse(std::string_view bytes) {
  if (bytes.size() > kResponseBytesMax)
    return absl::ResourceExhaustedError(ToAbsl(Concat("a response of more than ", kResponseBytesMax, " bytes")));
  DeltaDiscoveryResponse response;
  if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::InvalidArgumentError("what came is no DeltaDiscoveryResponse");
  if (response.nonce().empty() || response.nonce().size() > kTextBytesMax)
    return absl::InvalidArgumentError("a response without a nonce, or with one that is too long");
  if (response.type_url() == wire::kRevisionType) return OnMark(response);
  if (IsOurs(response.type_url())) return OnResources(response);
  return absl::InvalidArgumentError("a response of a type that was not asked for");
}

absl::Status ClientSession::OnResources(const Response& response) {
  for (const auto& resource : response.resources()) {
    const std::optional<check::ResourceKey> key = wire::KeyOf(response.type_url(), resource.name());
    const size_t longest = std::max(resource.name().size(), resource.version().size());
    if (!key.has_value() || resource.version().empty() || longest > kTextBytesMax)
      return absl::InvalidArgumentError("a resource whose name or version is none of ours");
    if (absl::Status status = received_.Put(*key, ReadResource(*key, resource)); !status.ok()) return status;
  }
  for (const std::string& name : response.removed_resources()) {
    if (const auto key = wire::KeyOf(response.type_url(), name); key.has_value()) received_.Remove(*key);
  }
  return Withhold(response, response.resources_size() + response.removed_resources_size() > 0);
}

// What changes nothing may be followed by no mark, and is answered at once; but no answer overtakes another.
absl::Status ClientSession::Withhold(const Response& response, bool changed) {
  DeltaDiscoveryRequest answer = Answer(response.type_url(), response.nonce());
  if (!changed && withheld_.empty() && !waiting_.has_value() && !awaited_.has_value()) {
    requests_.push_back(std::move(answer));
    return absl::OkStatus();
  }
  const size_t count = withheld_.size() + (waiting_.has_value() ? waiting_->answers.size() : 0);
  if (count >= kWithheldMax)
    return absl::ResourceExhaustedError(ToAbsl(Concat("more than ", kWithheldMax, " responses without a mark")));
  withheld_.push_back(std::move(answer));
  return absl::OkStatus();
}

absl::Status ClientSession::OnMark(const Response& response) {
  if (response.resources_size() == 0) return Withhold(response, false);
  Sealed sealed;
  if (waiting_.has_value()) sealed.answers = std::move(waiting_->answers);
  sealed.answers.insert(sealed.answers.end(), withheld_.begin(), withheld_.end());
  withheld_.clear();
  sealed.nonce = response.nonce();
  ReadMark(response, sealed);
  // Once more might be for ever, as fast as the wire is; whoever starts streams does so ever more slowly.
  for (const std::string& kind : sealed.kinds_else) {
    if (asked_again_.count(kind) == 0) continue;
    received_.Clear(kind);
    return absl::DataLossError(ToAbsl(sealed.fault));
  }
  if (sealed.fault.empty()) {
    asked_again_.clear();
    sealed.resources = received_.resources();
    sealed.refused = Refused();
  }
  waiting_ = std::move(sealed);
  Advance();
  return absl::OkStatus();
}

void ClientSession::ReadMark(const Response& response, Sealed& sealed) const {
  const auto& resource = response.resources(0);
  portico::v1::Revision revision;
  if (response.resources_size() != 1 || resource.name() != wire::ResourceName(node_.gateway)) {
    sealed.fault = "the mark is not one of this gateway";
  } else if (!resource.resource().UnpackTo(&revision)) {
    sealed.fault = "the mark can't be read as a Revision";
  } else if (const auto unknown = wire::FindUnknownField(revision); unknown.has_value()) {
    sealed.fault = Concat("the mark: ", *unknown, "; this proxy is older than the control plane");
  } else {
    sealed.mark = {revision.epoch(), revision.number(), resource.version()};
    Compare(revision, sealed);
  }
}

void ClientSession::Compare(const portico::v1::Revision& revision, Sealed& sealed) const {
  std::map<std::string, portico::v1::TypeDigest> wanted;
  for (const portico::v1::TypeDigest& type : revision.types()) {
    if (!IsOurs(type.type_url())) {
      sealed.fault = Concat("it has resources of the type ", type.type_url(), ", which this proxy does not know");
      return;
    }
    wanted[KindOf(type.type_url())] = type;
  }
  for (const std::string& type_url : wire::ResourceTypes()) {
    const std::string kind = KindOf(type_url);
    const ReceivedSet::TypeSum held = received_.OfKind(kind);
    const auto found = wanted.find(kind);
    const uint32_t count = found == wanted.end() ? 0 : found->second.count();
    if (held.count == count && (count == 0 || held.digest.ToString() == found->second.digest())) continue;
    sealed.kinds_else.insert(kind);
    base::AppendTo(sealed.fault, Concat(sealed.fault.empty() ? "" : "; ", "not the mark's set of ", kind, ": ",
                                        held.count, " resources with the digest ", held.digest.ToString()));
  }
  if (sealed.fault.empty() && received_.digest() != sealed.mark.digest)
    sealed.fault = "the mark's version is not the digest of its types";
}

std::vector<Refusal> ClientSession::Refused() const {
  std::vector<Refusal> refused;
  for (const check::ResourceKey& key : received_.refused()) {
    const Received& received = *received_.resources().find(key)->second;
    refused.push_back({key, received.version, received.reason});
  }
  return refused;
}

void ClientSession::Advance() {
  if (awaited_.has_value() || !waiting_.has_value()) return;
  Sealed sealed = *std::exchange(waiting_, std::nullopt);
  if (!sealed.fault.empty()) {
    const std::string fault = sealed.fault;
    return Refuse(std::move(sealed), fault);
  }
  if (in_force_.has_value() && in_force_->mark.digest == sealed.mark.digest) return Acknowledge(std::move(sealed));
  awaited_ = std::move(sealed);
  proposal_taken_ = false;
}

std::optional<Proposal> ClientSession::TakeProposal() {
  if (!awaited_.has_value() || std::exchange(proposal_taken_, true)) return std::nullopt;
  return Proposal{awaited_->mark, awaited_->resources, awaited_->refused};
}

void ClientSession::Accept(std::vector<Refusal> refusals) {
  PORTICO_CHECK(awaited_.has_value() && proposal_taken_);
  Sealed sealed = *std::exchange(awaited_, std::nullopt);
  in_force_ = InForce{sealed.mark, sealed.refused};
  for (Refusal& refusal : refusals)
    in_force_->refusals.push_back(std::move(refusal));
  Acknowledge(std::move(sealed));
  Advance();
}

void ClientSession::Reject(std::string_view reason) {
  PORTICO_CHECK(awaited_.has_value() && proposal_taken_);
  Refuse(*std::exchange(awaited_, std::nullopt), reason);
  Advance();
}

// What is in force is the mark's set.
void ClientSession::Acknowledge(Sealed sealed) {
  in_force_->mark = sealed.mark;
  for (DeltaDiscoveryRequest& answer : sealed.answers)
    requests_.push_back(std::move(answer));
  if (sealed.nonce.empty()) return;
  DeltaDiscoveryRequest answer = Answer(std::string(wire::kRevisionType), sealed.nonce);
  if (!in_force_->refusals.empty()) AddReport(in_force_->refusals, *answer.mutable_error_detail());
  requests_.push_back(std::move(answer));
}

void ClientSession::Refuse(Sealed sealed, std::string_view reason) {
  for (DeltaDiscoveryRequest& answer : sealed.answers)
    requests_.push_back(std::move(answer));
  if (sealed.nonce.empty()) return;
  for (const std::string& kind : sealed.kinds_else)
    AskAgain(kind);
  DeltaDiscoveryRequest answer = Answer(std::string(wire::kRevisionType), sealed.nonce);
  answer.mutable_error_detail()->set_code(kInvalidArgument);
  answer.mutable_error_detail()->set_message(base::Utf8Prefix(reason, kReasonBytesMax));
  // Nothing else might bring the mark again, if nothing is left of that kind.
  if (!sealed.kinds_else.empty()) answer.add_resource_names_subscribe(wire::ResourceName(node_.gateway));
  requests_.push_back(std::move(answer));
}

// Whoever lets go of everything and then asks for it is sent it as if for the first time.
void ClientSession::AskAgain(const std::string& kind) {
  received_.Clear(kind);
  asked_again_.insert(kind);
  DeltaDiscoveryRequest request = Answer(wire::TypeUrl(kind), "");
  request.add_resource_names_unsubscribe(kEverything);
  requests_.push_back(request);
  request.clear_resource_names_unsubscribe();
  request.add_resource_names_subscribe(kEverything);
  requests_.push_back(std::move(request));
}

std::optional<std::string> ClientSession::NextRequest() {
  if (requests_.empty()) return std::nullopt;
  std::string bytes = requests_.front().SerializeAsString();
  requests_.pop_front();
  return bytes;
}

}  // namespace portico::xds
