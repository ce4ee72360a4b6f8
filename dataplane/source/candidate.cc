#include "dataplane/source/candidate.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/check/violation.h"
#include "api/load/choose_gateway.h"
#include "api/resolve/resolve.h"
#include "dataplane/source/blame.h"

namespace portico::source {
namespace {

using check::ResourceKey;

void AddRefusal(std::string_view words, const std::string& path, load::Loaded& loaded) {
  const auto [key, field, message] = BlameOf(words, loaded.configuration);
  if (key.kind.empty()) {
    loaded.findings.push_back({true, path, 0, "", message});
  } else {
    loaded.Add(true, key, field, message);
  }
}

// "2026-11-26"
std::string Date(base::WallTime time) {
  const std::chrono::sys_days days(std::chrono::floor<std::chrono::days>(time.time_since_epoch()));
  const std::chrono::year_month_day date(days);
  const unsigned month = static_cast<unsigned>(date.month());
  const unsigned day = static_cast<unsigned>(date.day());
  return base::Concat(static_cast<int>(date.year()), month < 10 ? "-0" : "-", month, day < 10 ? "-0" : "-", day);
}

void WarnOfDates(const snapshot::Snapshot& snapshot, base::WallTime now, load::Loaded& loaded) {
  for (const auto& [secret, not_before, not_after] : snapshot.certificates) {
    std::string words;
    if (now >= not_after) {
      words = base::Concat("the certificate has expired on ", Date(not_after));
    } else if (now < not_before) {
      words = base::Concat("the certificate is not valid before ", Date(not_before));
    } else if (not_after - now < kExpiryWarning) {
      words = base::Concat("the certificate expires on ", Date(not_after));
    }
    if (!words.empty()) loaded.Add(false, secret, "spec.tls.certificate", words);
  }
}

std::shared_ptr<snapshot::Snapshot> Build(const std::string& path, const std::optional<ResourceKey>& gateway,
                                          const snapshot::BuildOptions& options, base::WallTime now,
                                          load::Loaded& loaded) {
  const absl::StatusOr<ResourceKey> key = load::ChooseGateway(loaded.configuration, gateway);
  if (!key.ok()) {
    loaded.findings.push_back({true, path, 0, "", std::string(base::ToStd(key.status().message()))});
    return nullptr;
  }
  const absl::StatusOr<resolve::ResolvedGateway> resolved = resolve::Resolve(loaded.configuration, *key);
  PORTICO_CHECK(resolved.ok(), "the gateway was chosen among those that are there");
  for (const auto& [notice, none] : resolved->notices)
    loaded.Add(false, notice.resource, notice.path, notice.message);
  auto snapshot = snapshot::BuildSnapshotOf(*resolved, options);
  if (!snapshot.ok()) {
    AddRefusal(base::ToStd(snapshot.status().message()), path, loaded);
    return nullptr;
  }
  WarnOfDates(**snapshot, now, loaded);
  for (const check::Violation& fault : (*snapshot)->faults)
    loaded.Add(true, fault.key, fault.path, fault.message);
  return (*snapshot)->faults.empty() ? *std::move(snapshot) : nullptr;
}

}  // namespace

Candidate BuildCandidate(const std::string& path, yaml::FileReader& files, const check::KeyPairChecker& key_pairs,
                         const std::optional<ResourceKey>& gateway, const snapshot::BuildOptions& options,
                         base::WallTime now) {
  load::Loaded loaded = load::Load({path}, files, key_pairs);
  Candidate out;
  if (loaded.errors() == 0) out.snapshot = Build(path, gateway, options, now, loaded);
  out.findings = std::move(loaded.findings);
  return out;
}

}  // namespace portico::source
