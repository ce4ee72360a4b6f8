#include "dataplane/xds/stream_source.h"

#include <chrono>
#include <utility>

#include "api/base/check.h"
#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "dataplane/crypto/digest.h"

namespace portico::xds {

using base::Concat;
using observe::Severity;

namespace {

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
    resources.Put(key, std::move(received));
  }
  return resources;
}

}  // namespace

StreamSource::StreamSource(event::Loop& loop, net::Network& network, base::BlockPool& pool, Options options,
                           const check::KeyPairChecker& key_pairs, observe::ProcessLog& log, Handler& handler)
    : options_(std::move(options)),
      key_pairs_(key_pairs),
      log_(log),
      handler_(handler),
      session_(options_.node, crypto::Sha256),
      client_(loop, network, pool, options_.discovery, session_, *this),
      builds_("portico-build", loop, /*waiting_max=*/1) {
  if (options_.state) keeper_.emplace(loop, *options_.state, log);
}

StreamSource::~StreamSource() = default;

// Whoever is asked next is told what runs, so that has to be settled first.
void StreamSource::Start() {
  if (keeper_) keeper_->Start();
  if (!options_.state || !BuildState()) client_.Start();
}

void StreamSource::Stop() {
  stopped_ = true;
  client_.Stop();
  if (keeper_) keeper_->Finish();
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
  base::Compare(received_, proposal.resources, [this](const check::ResourceKey& key, const auto*, const auto* now) {
    if (now == nullptr || (*now)->resource == nullptr) {
      versions_.Erase(key);
    } else {
      versions_.Put(key, {(*now)->version, (*now)->resource});
    }
  });
  received_ = std::move(proposal.resources);
  source::StreamedSet set{.gateway = options_.node.gateway, .resources = versions_, .unreadable = {}};
  for (const Refusal& refusal : proposal.refused)
    set.unreadable[refusal.key] = {refusal.version, refusal.reason, /*unreadable=*/true};
  Build(proposal.mark, std::move(set));
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
  if (stopped_) return;
  WriteRefusals(candidate);
  candidate_ = std::move(candidate);
  if (candidate_.snapshot == nullptr) return Answer(absl::InvalidArgumentError(base::ToAbsl(candidate_.why)));
  handler_.OnSnapshot(candidate_.snapshot, Name());
}

void StreamSource::WriteRefusals(const source::StreamedCandidate& candidate) {
  const auto write = [&](Severity severity, const auto& list, std::string_view what, const auto& words) {
    size_t count = 0;
    for (const auto& one : list) {
      if (count++ == kLoggedMax)
        return log_.Write(severity, Concat(Name(), ": and ", list.size() - kLoggedMax, " more ", what));
      log_.Write(severity, Concat(Name(), ": ", words(one)));
    }
  };
  write(Severity::kError, candidate.refused, "are refused",
        [](const auto& one) { return Concat(one.first.ToString(), " is refused: ", one.second.reason); });
  write(Severity::kWarning, candidate.held, "wait for what is refused",
        [](const check::ResourceKey& key) { return Concat(key.ToString(), " waits for what is refused"); });
  if (candidate.snapshot == nullptr) return;
  write(Severity::kWarning, candidate.snapshot->faults, "fail closed", [](const check::Violation& fault) {
    return Concat(fault.key.ToString(), ": ", fault.path, ": ", fault.message);
  });
}

void StreamSource::OnPublished(const absl::Status& status) {
  if (!stopped_) Answer(status);
}

// The verdict on what was built, with what it was built of.
void StreamSource::Answer(const absl::Status& status) {
  if (!status.ok()) {
    log_.Write(Severity::kError, Concat(Name(), " is refused: ", base::ToStd(status.message())));
    handler_.OnRefused();
  } else {
    in_force_ = {std::move(candidate_.effective), std::move(candidate_.snapshot)};
    // Else what is in force is not what the mark means, and whoever starts from it has to be told the mark again.
    if (!candidate_.refused.empty() || !candidate_.held.empty()) mark_.digest.clear();
  }
  const std::vector<Refusal> refusals = RefusalsOf(candidate_);
  candidate_ = {};
  if (std::exchange(proposed_, false)) {
    if (status.ok()) {
      session_.Accept(refusals);
      in_force_mark_ = mark_;
      Keep();
    } else {
      session_.Reject(base::ToStd(status.message()));
    }
    return client_.Flush();
  }
  if (status.ok()) {
    const absl::Status restored = session_.Restore(ResourcesOf(in_force_.versions), {mark_, refusals});
    if (!restored.ok()) log_.Write(Severity::kWarning, base::ToStd(restored.message()));
  }
  client_.Start();
}

void StreamSource::OnStreamBegan(const net::Address& address) {
  log_.Write(Severity::kInfo, Concat("control plane at ", address.ToString(), ": it answers"));
  ends_.erase(address);
}

// The same trouble over and over is one line for each of them.
void StreamSource::OnStreamEnded(const net::Address& address, std::string_view why, base::Duration pause) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
  std::string& end = ends_[address];
  const Severity severity = end == why ? Severity::kDebug : Severity::kWarning;
  log_.Write(severity,
             Concat("control plane at ", address.ToString(), ": ", why, "; trying again in ", milliseconds, " ms"));
  end = why;
}

void StreamSource::Keep() {
  if (!keeper_) return;
  keeper_->Keep({.gateway = options_.node.gateway,
                 .epoch = in_force_mark_.epoch,
                 .revision = in_force_mark_.number,
                 .digest = in_force_mark_.digest,
                 .resources = in_force_.versions});
}

std::string StreamSource::Name() const {
  return Concat("revision ", mark_.number);
}

}  // namespace portico::xds
