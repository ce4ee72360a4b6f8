#include "dataplane/source/streamed.h"

#include <utility>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/resource/resource.h"
#include "api/resolve/resolve.h"
#include "dataplane/source/blame.h"

namespace portico::source {
namespace {

using base::Concat;
using check::ResourceKey;

std::string Words(const check::Violation& violation) {
  return violation.path.empty() ? violation.message : Concat(violation.path, ": ", violation.message);
}

RefusedVersions Judge(const Versions& last, const StreamedSet& set, const check::KeyPairChecker& key_pairs) {
  RefusedVersions refused = set.unreadable;
  const auto judge = [&](const ResourceKey& key, const Version* before, const Version* after) {
    if (after == nullptr || (before != nullptr && before->version == after->version)) return;
    const check::Violations violations =
        check::CheckResource(*after->resource, {.key_pairs = &key_pairs, .system_fields = true});
    if (!violations.empty()) refused[key] = {.version = after->version, .reason = Words(violations.front())};
  };
  base::Compare(last, set.resources, judge);
  return refused;
}

// The configuration of `effective`, made of the one in force.
check::Configuration ConfigurationOf(const InForce& last, const Versions& effective) {
  check::Configuration configuration;
  if (last.snapshot != nullptr) configuration = last.snapshot->resolved.configuration;
  base::Compare(last.snapshot == nullptr ? Versions() : last.versions, effective,
                [&configuration](const ResourceKey& key, const Version*, const Version* after) {
                  if (after == nullptr) {
                    configuration.Remove(key);
                  } else {
                    configuration.Put(after->resource);
                  }
                });
  return configuration;
}

// Of a whole that is refused `why` is all that the control plane is told.
void SayWhatIsRefused(const ResourceKey& gateway, StreamedCandidate& out) {
  constexpr size_t kNamedMax = 3;
  if (const auto own = out.refused.find(gateway); own != out.refused.end()) {
    out.why = Concat(gateway.ToString(), ": ", own->second.reason);
  }
  size_t others = 0;
  for (const auto& [key, refused] : out.refused) {
    if (key == gateway || others++ >= kNamedMax) continue;
    out.why += Concat("; ", key.ToString(), " is refused: ", refused.reason);
  }
  if (others > kNamedMax) out.why += Concat("; and ", others - kNamedMax, " more are refused");
}

}  // namespace

StreamedCandidate BuildStreamed(const InForce& last, const StreamedSet& set, const check::KeyPairChecker& key_pairs,
                                const snapshot::BuildOptions& options) {
  StreamedCandidate out;
  out.refused = Judge(last.versions, set, key_pairs);
  for (size_t round = 0; round < kRoundsMax; ++round) {
    std::set<ResourceKey> refused;
    for (const auto& [key, why] : out.refused)
      refused.insert(key);
    Settled settled = Settle(last.versions, set.resources, refused);
    const check::Configuration configuration = ConfigurationOf(last, settled.effective);
    auto snapshot = snapshot::BuildSnapshot(configuration, set.gateway, options, last.snapshot.get());
    if (snapshot.ok()) {
      out.snapshot = *std::move(snapshot);
      out.effective = std::move(settled.effective);
      out.held = std::move(settled.held);
      out.why.clear();
      return out;
    }
    out.why = std::string(base::ToStd(snapshot.status().message()));
    const check::Violation blame = BlameOf(out.why, configuration);
    const Version* blamed = set.resources.Find(blame.key);
    const bool is_new =
        blamed != nullptr &&
        out.refused.try_emplace(blame.key, RefusedVersion{.version = blamed->version, .reason = Words(blame)}).second;
    if (!is_new) break;
  }
  SayWhatIsRefused(set.gateway, out);
  return out;
}

}  // namespace portico::source
