#include "dataplane/xds/stream_source.h"

#include <chrono>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/crypto/digest.h"

namespace portico::xds {

using base::Concat;
using observe::Severity;

namespace {

source::StreamedSet SetOf(const check::ResourceKey& gateway, const Proposal& proposal) {
  source::StreamedSet set{.gateway = gateway, .resources = {}, .unreadable = {}};
  for (const auto& [key, received] : *proposal.resources) {
    if (received->resource != nullptr) set.resources[key] = {received->version, received->resource};
  }
  for (const Refusal& refusal : proposal.refused)
    set.unreadable[refusal.key] = {refusal.version, refusal.reason, /*unreadable=*/true};
  return set;
}

// Those that could be read; of the others the session knows.
std::vector<Refusal> RefusalsOf(const source::StreamedCandidate& candidate) {
  std::vector<Refusal> refusals;
  for (const auto& [key, why] : candidate.refused)
    if (!why.unreadable) refusals.push_back({key, why.version, why.reason});
  return refusals;
}

Resources ResourcesOf(const source::Versions& versions) {
  Resources resources;
  for (const auto& [key, version] : versions) {
    auto received = std::make_shared<Received>();
    received->version = version.version;
    received->resource = version.resource;
    received->bytes = version.resource->ByteSizeLong();
    resources[key] = std::move(received);
  }
  return resources;
}

}  // namespace

StreamSource::StreamSource(event::LibeventLoop& loop, net::Network& network, base::BlockPool& pool, Options options,
                           const check::KeyPairChecker& key_pairs, observe::ProcessLog& log, Handler& handler)
    : loop_(loop),
      options_(std::move(options)),
      key_pairs_(key_pairs),
      log_(log),
      handler_(handler),
      session_(options_.node, crypto::Sha256),
      client_(loop, network, pool, options_.discovery, session_, *this),
      save_timer_(loop.timers(), *this),
      builds_("portico-build", loop, /*waiting_max=*/1),
      saves_("portico-state", loop, /*waiting_max=*/1) {}

StreamSource::~StreamSource() = default;

// Whoever is asked next is told what runs, so that has to be settled first.
void StreamSource::Start() {
  if (!options_.state || !BuildState()) client_.Start();
}

bool StreamSource::BuildState() {
  absl::StatusOr<source::SavedState> state = options_.state->Read();
  if (absl::IsNotFound(state.status())) {
    log_.Write(Severity::kInfo, Concat(options_.state->path(), ": nothing is kept yet"));
    return false;
  }
  if (!state.ok()) {
    log_.Write(Severity::kError, Concat(base::ToStd(state.status().message()), "; it is not served"));
    return false;
  }
  Build({.epoch = state->epoch, .number = state->revision, .digest = state->digest},
        {options_.node.gateway, std::move(state->resources), {}});
  return true;
}

void StreamSource::OnProposal(Proposal proposal) {
  proposed_ = true;
  Build(proposal.mark, SetOf(options_.node.gateway, proposal));
}

void StreamSource::Build(const Mark& mark, source::StreamedSet set) {
  mark_ = mark;
  const bool accepted = builds_.TryRun<source::StreamedCandidate>(
      [this, last = in_force_, set = std::move(set)] {
        return source::BuildStreamed(last, set, key_pairs_, options_.build);
      },
      [this](source::StreamedCandidate candidate) { OnBuilt(std::move(candidate)); });
  PORTICO_CHECK(accepted, "one at a time");
}

void StreamSource::OnBuilt(source::StreamedCandidate candidate) {
  for (const auto& [key, why] : candidate.refused)
    log_.Write(Severity::kError, Concat(Name(), ": ", key.ToString(), " is refused: ", why.reason));
  for (const check::ResourceKey& key : candidate.held)
    log_.Write(Severity::kWarning, Concat(Name(), ": ", key.ToString(), " waits for what is refused"));
  candidate_ = std::move(candidate);
  if (candidate_.snapshot == nullptr) return Answer(absl::InvalidArgumentError(base::ToAbsl(candidate_.why)));
  for (const check::Violation& fault : candidate_.snapshot->faults) {
    log_.Write(Severity::kWarning, Concat(Name(), ": ", fault.key.ToString(), ": ", fault.path, ": ", fault.message));
  }
  handler_.OnSnapshot(std::move(candidate_.snapshot), Name());
}

void StreamSource::OnPublished(const absl::Status& status) {
  Answer(status);
}

// The verdict on what was built, with what it was built of.
void StreamSource::Answer(const absl::Status& status) {
  if (!status.ok()) {
    log_.Write(Severity::kError, Concat(Name(), " is refused: ", base::ToStd(status.message())));
    handler_.OnRefused();
  } else {
    in_force_ = std::move(candidate_.effective);
    // Else what is in force is not what the mark means, and whoever starts from it has to be told the mark again.
    if (!candidate_.refused.empty() || !candidate_.held.empty()) mark_.digest.clear();
  }
  const std::vector<Refusal> refusals = RefusalsOf(candidate_);
  candidate_ = {};
  if (std::exchange(proposed_, false)) {
    if (status.ok()) {
      session_.Accept(refusals);
      in_force_mark_ = mark_;
      SaveSoon();
    } else {
      session_.Reject(base::ToStd(status.message()));
    }
    return client_.Flush();
  }
  if (status.ok()) {
    const absl::Status restored = session_.Restore(ResourcesOf(in_force_), {mark_, refusals});
    if (!restored.ok()) log_.Write(Severity::kWarning, base::ToStd(restored.message()));
  }
  client_.Start();
}

void StreamSource::OnStreamBegan(const net::Address& address) {
  log_.Write(Severity::kInfo, Concat("control plane at ", address.ToString(), ": it answers"));
  last_end_.clear();
}

// The same trouble over and over is one line.
void StreamSource::OnStreamEnded(const net::Address& address, std::string_view why, base::Duration pause) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
  const std::string end = Concat("control plane at ", address.ToString(), ": ", why);
  const Severity severity = end == last_end_ ? Severity::kDebug : Severity::kWarning;
  log_.Write(severity, Concat(end, "; trying again in ", milliseconds, " ms"));
  last_end_ = end;
}

void StreamSource::SaveSoon() {
  if (!options_.state) return;
  unsaved_ = true;
  if (!saving_ && !save_timer_.deadline()) save_timer_.Set(loop_.Now() + kSavePause);
}

void StreamSource::OnTimer(event::Timer&) {
  unsaved_ = false;
  saving_ = true;
  source::SavedState state{.gateway = options_.node.gateway,
                           .epoch = in_force_mark_.epoch,
                           .revision = in_force_mark_.number,
                           .digest = in_force_mark_.digest,
                           .resources = in_force_};
  const bool accepted =
      saves_.TryRun<absl::Status>([this, state = std::move(state)] { return options_.state->Write(state); },
                                  [this](const absl::Status& status) { OnSaved(status); });
  PORTICO_CHECK(accepted, "one at a time");
}

void StreamSource::OnSaved(const absl::Status& status) {
  saving_ = false;
  if (!status.ok()) log_.Write(Severity::kError, Concat("the state is not kept: ", base::ToStd(status.message())));
  if (unsaved_) SaveSoon();
}

std::string StreamSource::Name() const {
  return Concat("revision ", mark_.number);
}

}  // namespace portico::xds
