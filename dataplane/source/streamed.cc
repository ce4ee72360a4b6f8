#include "dataplane/source/streamed.h"

#include <utility>

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

const std::string& VersionOf(const Versions& versions, const ResourceKey& key) {
  static const std::string kNone;
  const auto found = versions.find(key);
  return found == versions.end() ? kNone : found->second.version;
}

RefusedVersions Judge(const Versions& last, const StreamedSet& set, const check::KeyPairChecker& key_pairs) {
  RefusedVersions refused = set.unreadable;
  for (const auto& [key, version] : set.resources) {
    if (VersionOf(last, key) == version.version) continue;
    const check::Violations violations =
        check::CheckResource(*version.resource, {.key_pairs = &key_pairs, .system_fields = true});
    if (!violations.empty()) refused[key] = {.version = version.version, .reason = Words(violations.front())};
  }
  return refused;
}

}  // namespace

StreamedCandidate BuildStreamed(const Versions& last, const StreamedSet& set, const check::KeyPairChecker& key_pairs,
                                const snapshot::BuildOptions& options) {
  StreamedCandidate out;
  out.refused = Judge(last, set, key_pairs);
  for (size_t round = 0; round < kRoundsMax; ++round) {
    std::set<ResourceKey> refused;
    for (const auto& [key, why] : out.refused)
      refused.insert(key);
    Settled settled = Settle(last, set.resources, refused);
    check::Configuration configuration;
    for (const auto& [key, version] : settled.effective)
      configuration.Put(version.resource);
    auto snapshot = snapshot::BuildSnapshot(configuration, set.gateway, options);
    if (snapshot.ok()) {
      out.snapshot = *std::move(snapshot);
      out.effective = std::move(settled.effective);
      out.held = std::move(settled.held);
      out.why.clear();
      return out;
    }
    out.why = std::string(base::ToStd(snapshot.status().message()));
    const check::Violation blame = BlameOf(out.why, configuration);
    const auto blamed = set.resources.find(blame.key);
    const bool is_new =
        blamed != set.resources.end() &&
        out.refused.try_emplace(blame.key, RefusedVersion{.version = blamed->second.version, .reason = Words(blame)})
            .second;
    if (!is_new) break;
  }
  if (const auto own = out.refused.find(set.gateway); own != out.refused.end()) {
    out.why = Concat(set.gateway.ToString(), ": ", own->second.reason);
  }
  return out;
}

}  // namespace portico::source
