#include "tools/ctl/diff.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/yaml/print.h"
#include "controlplane/north/shown.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/input.h"
#include "tools/ctl/names.h"
#include "tools/ctl/plain.h"
#include "tools/ctl/unified_diff.h"
#include "tools/ctl/wanted.h"

namespace portico::ctl {
namespace {

using check::ResourceKey;
using portico::v1::ApplyRequest;
using portico::v1::ApplyResponse;
using portico::v1::Resource;
using portico::v1::ResourceChange;

constexpr int kSame = 0;
constexpr int kDiffers = 1;

constexpr char kHelp[] =
    R"(usage: porticoctl diff -f FILE|FOLDER|- [-f …] [--tolerate] [--manager NAME] [--force] [--prune -l KEY=VALUE,…]

What apply with the same flags would change: a unified diff for each resource, between what is stored and what would be.
What Secrets hold is shown as digests. It changes nothing; what apply would refuse is an error here as well.

  -f, --file FILE|FOLDER|-  as of apply, like the others
      --tolerate
      --manager NAME
      --force
      --prune
  -l, --labels KEY=VALUE,…
  -n, --namespace NAMESPACE

exit codes: 0 nothing would change, 1 something would, 2 an error or wrong usage
)";

// As people may see it. "" for nullptr.
absl::StatusOr<std::string> TextOf(const Resource* resource) {
  if (resource == nullptr) return "";
  return yaml::Print(Plain(*resource));
}

class Comparison {
 public:
  // All must outlive it.
  Comparison(const Call& call, const load::Loaded& loaded, const Fetched& stored)
      : call_(call), loaded_(loaded), stored_(stored) {}

  absl::Status Print(const ResourceKey& key) {
    const Resource* wanted = loaded_.configuration.Find(key);
    std::optional<Resource> shown;
    if (wanted != nullptr) shown = north::Shown(*wanted);
    const Resource* stored = stored_.configuration.Find(key);
    const absl::StatusOr<std::string> before = TextOf(stored);
    const absl::StatusOr<std::string> after = TextOf(shown ? &*shown : nullptr);
    if (!before.ok()) return before.status();
    if (!after.ok()) return after.status();
    const std::string diff = UnifiedDiff(*before, *after);
    if (diff.empty()) return absl::OkStatus();  // somebody else has done it meanwhile
    differs_ = true;
    call_.console.out << "--- " << OldHead(key, stored) << "\n+++ " << NewHead(key, wanted, stored) << "\n" << diff;
    return absl::OkStatus();
  }

  bool differs() const { return differs_; }

 private:
  static std::string OldHead(const ResourceKey& key, const Resource* stored) {
    if (stored == nullptr) return "/dev/null";
    return base::Concat(NameText(key), " (revision ", check::MetadataOf(*stored).revision(), ")");
  }

  std::string NewHead(const ResourceKey& key, const Resource* wanted, const Resource* stored) const {
    if (wanted == nullptr) return "/dev/null";
    const uint64_t seen = check::MetadataOf(*wanted).revision();
    const uint64_t now = stored == nullptr ? 0 : check::MetadataOf(*stored).revision();
    return base::Concat(NameText(key), " (", loaded_.places.at(key).file,
                        seen == 0 || seen == now ? "" : base::Concat(", of revision ", seen, ": apply would refuse it"),
                        ")");
  }

  const Call& call_;
  const load::Loaded& loaded_;
  const Fetched& stored_;
  bool differs_ = false;
};

int Compare(const Call& call, const load::Loaded& loaded, const std::set<ResourceKey>& changed) {
  if (changed.empty()) return kSame;
  const absl::StatusOr<Fetched> stored = Fetch(*call.client, {});
  if (!stored.ok()) return call.Fail(stored.status());
  Comparison comparison(call, loaded, *stored);
  for (const ResourceKey& key : changed) {
    if (const absl::Status status = comparison.Print(key); !status.ok()) return call.Fail(status);
  }
  return comparison.differs() ? kDiffers : kSame;
}

int Diff(const Call& call) {
  Wanted wanted = ReadWanted(call);
  if (wanted.code != kGood) return wanted.code;
  for (ApplyRequest& piece : wanted.pieces) {
    piece.set_dry_run(true);
    // Of an outdated file people want to see what differs.
    for (Resource& resource : *piece.mutable_resources())
      resource = Plain(std::move(resource));
  }
  const Answer<ApplyResponse> answer = call.client->Apply(wanted.pieces);
  if (!answer.ok()) return FailInput(call, std::move(wanted.loaded), answer.status, answer.violations);
  PrintWarnings(call, answer.response);
  std::set<ResourceKey> changed;
  for (const ResourceChange& change : answer.response.changes()) {
    if (change.kind() != ResourceChange::UNCHANGED) changed.insert(ToKey(change.name()));
  }
  return Compare(call, wanted.loaded, changed);
}

}  // namespace

const Command kDiff = {.name = "diff", .help = kHelp, .flags = WantedFlags(), .failed = kWrongUsage, .run = Diff};

}  // namespace portico::ctl
