#include "tools/ctl/change.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "tools/ctl/input.h"
#include "tools/ctl/names.h"
#include "tools/ctl/rollout.h"

namespace portico::ctl {
namespace {

using portico::v1::ApplyRequest;
using portico::v1::ApplyResponse;
using portico::v1::ResourceChange;

// A message may have 4 MiB; a single resource that has more is the control plane's to refuse.
constexpr size_t kPieceBytesMax = 3 << 20;
constexpr size_t kNamesMax = 1000;  // of one command line

constexpr char kApplyHelp[] = R"(usage: porticoctl apply -f FILE|FOLDER|- [-f …] [--dry-run] [--wait] [--tolerate]

Stores resources, all in one new revision or none. Prints a line for each that changes, then the revision.

  -f, --file FILE|FOLDER|-  as of validate; - is standard input; repeated: all together
      --dry-run             check everything, say what would become of it, and change nothing
      --wait                until every connected proxy of the gateways that get something of it runs it; fails if one
                            refuses something, if none is connected, or after --timeout
      --tolerate            store references to what is not there: the rules that need it answer 500
)";

constexpr char kDeleteHelp[] = R"(usage: porticoctl delete KIND NAME… [-n NAMESPACE] [--dry-run]
       porticoctl delete -f FILE|FOLDER|- [-f …] [--dry-run]

Deletes resources, all in one new revision or none.

  -f, --file FILE|FOLDER|-   the resources that stand there
  -n, --namespace NAMESPACE  of NAME; default: default
      --dry-run              say what would become of it, and change nothing
)";

constexpr char kRollbackHelp[] = R"(usage: porticoctl rollback REVISION [--dry-run] [--wait]

Makes a new revision that holds what an old one held.

      --dry-run  say what would become of it, and change nothing
      --wait     as of apply
)";

std::string_view KindText(ResourceChange::Kind kind) {
  switch (kind) {
    case ResourceChange::CREATED:
      return "created";
    case ResourceChange::UPDATED:
      return "updated";
    case ResourceChange::DELETED:
      return "deleted";
    default:
      return "unchanged";
  }
}

void PrintOutcome(const Call& call, const ApplyResponse& response) {
  for (const portico::v1::Warning& warning : response.warnings()) {
    call.console.error << "warning: " << NameText(warning.name()) << ": " << warning.path()
                       << (warning.path().empty() ? "" : ": ") << warning.message() << "\n";
  }
  for (const ResourceChange& change : response.changes()) {
    if (change.kind() == ResourceChange::UNCHANGED) continue;
    call.console.out << NameText(change.name()) << " " << KindText(change.kind()) << "\n";
  }
  call.console.out << "revision " << response.revision()
                   << (call.arguments.Has("dry-run") ? " would hold it; nothing was changed\n" : "\n");
}

int Wait(const Call& call, const ApplyResponse& made) {
  const int64_t begin = call.console.now_ms();
  Rollout rollout(made.revision(), made.epoch());
  portico::v1::ListProxiesRequest request;
  *request.mutable_gateways() = made.gateways();  // none: the change is nothing to them, and all are asked
  const absl::Status status = call.client.WatchProxies(request, [&](const portico::v1::ListProxiesResponse& response) {
    rollout.OnProxies(response);
    return !rollout.ended();
  });
  for (const std::string& line : rollout.Lines())
    call.console.error << line << "\n";
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return call.Fail(absl::DeadlineExceededError(base::ToAbsl(
        base::Concat("revision ", made.revision(), " does not run everywhere yet; the time of --timeout is over"))));
  }
  if (!status.ok()) return call.Fail(status);
  if (!rollout.ended()) return call.Fail(absl::UnavailableError("the control plane ended before all was told"));
  if (rollout.connected() == 0) {
    return call.Fail(absl::FailedPreconditionError("no proxy is connected that would run it"));
  }
  call.console.out << "revision " << made.revision() << " runs on " << rollout.Count(ProxyState::kRuns) << "/"
                   << rollout.connected() << " proxies (" << call.console.now_ms() - begin << " ms)\n";
  return rollout.good() ? kGood : kFailed;
}

int Made(const Call& call, const ApplyResponse& response) {
  PrintOutcome(call, response);
  if (!call.arguments.Has("wait")) return kGood;
  call.console.out.flush();
  return Wait(call, response);
}

std::vector<ApplyRequest> Pieces(const load::Loaded& loaded, const ApplyRequest& options) {
  std::vector<ApplyRequest> pieces = {options};
  size_t bytes = 0;
  for (const auto& [key, resource] : loaded.configuration.resources()) {
    const size_t more = resource->ByteSizeLong();
    if (bytes > 0 && bytes + more > kPieceBytesMax) {
      pieces.push_back(options);
      bytes = 0;
    }
    *pieces.back().add_resources() = *resource;
    bytes += more;
  }
  return pieces;
}

constexpr std::string_view kWaitForNothing = "--wait and --dry-run do not go together";

int Apply(const Call& call) {
  if (call.arguments.Has("wait") && call.arguments.Has("dry-run")) return call.WrongUsage(kWaitForNothing);
  load::Loaded loaded = LoadInput(call);
  if (loaded.errors() > 0) return FailInput(call, loaded);
  ApplyRequest options;
  options.set_dry_run(call.arguments.Has("dry-run"));
  if (call.arguments.Has("tolerate")) options.set_references(portico::v1::REFERENCE_RULE_TOLERATE);
  const Answer<ApplyResponse> answer = call.client.Apply(Pieces(loaded, options));
  if (!answer.ok()) return FailInput(call, std::move(loaded), answer.status, answer.violations);
  return Made(call, answer.response);
}

int DeleteNames(const Call& call, const portico::v1::DeleteRequest& request) {
  const Answer<ApplyResponse> answer = call.client.Delete(request);
  return answer.ok() ? Made(call, answer.response) : call.Fail(answer.status, answer.violations);
}

int Delete(const Call& call) {
  const std::vector<std::string>& words = call.arguments.words;
  portico::v1::DeleteRequest request;
  request.set_dry_run(call.arguments.Has("dry-run"));
  if (call.arguments.Has("file")) {
    if (!words.empty() || call.arguments.Has("namespace")) {
      return call.WrongUsage("-f names the resources alone: no KIND, NAME or -n beside it");
    }
    const load::Loaded loaded = LoadInput(call);
    if (loaded.errors() > 0) return FailInput(call, loaded);
    for (const auto& [key, resource] : loaded.configuration.resources())
      *request.add_names() = ToResourceName(key);
    return DeleteNames(call, request);
  }
  if (words.size() < 2) return call.WrongUsage("it takes KIND and NAME, or -f");
  const absl::StatusOr<std::string> kind = ParseKind(words[0]);
  if (!kind.ok()) return call.WrongUsage(base::ToStd(kind.status().message()));
  for (size_t i = 1; i < words.size(); ++i) {
    *request.add_names() = ToResourceName({*kind, call.arguments.Get("namespace", check::kDefaultNamespace), words[i]});
  }
  return DeleteNames(call, request);
}

int Rollback(const Call& call) {
  if (call.arguments.Has("wait") && call.arguments.Has("dry-run")) return call.WrongUsage(kWaitForNothing);
  const std::vector<std::string>& words = call.arguments.words;
  const std::optional<uint64_t> revision = base::ParseDecimal(words.empty() ? "" : words[0]);
  if (!revision || *revision == 0) return call.WrongUsage("it takes REVISION, a number that history shows");
  portico::v1::RollbackRequest request;
  request.set_revision(*revision);
  request.set_dry_run(call.arguments.Has("dry-run"));
  const Answer<ApplyResponse> answer = call.client.Rollback(request);
  return answer.ok() ? Made(call, answer.response) : call.Fail(answer.status, answer.violations);
}

constexpr base::Flag kDryRun = {.name = "dry-run", .has_value = false};
constexpr base::Flag kWait = {.name = "wait", .has_value = false};

}  // namespace

const ApiCommand kApply = {.name = "apply",
                           .help = kApplyHelp,
                           .flags = {{.name = "file", .letter = 'f', .repeated = true, .required = true},
                                     kDryRun,
                                     kWait,
                                     {.name = "tolerate", .has_value = false}},
                           .run = Apply};

const ApiCommand kDelete = {
    .name = "delete",
    .help = kDeleteHelp,
    .flags = {{.name = "file", .letter = 'f', .repeated = true}, {.name = "namespace", .letter = 'n'}, kDryRun},
    .words_max = kNamesMax,
    .run = Delete};

const ApiCommand kRollback = {
    .name = "rollback", .help = kRollbackHelp, .flags = {kDryRun, kWait}, .words_max = 1, .run = Rollback};

}  // namespace portico::ctl
