#include "tools/ctl/change.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "tools/ctl/input.h"
#include "tools/ctl/names.h"
#include "tools/ctl/wait.h"
#include "tools/ctl/wanted.h"

namespace portico::ctl {
namespace {

using portico::v1::ApplyRequest;
using portico::v1::ApplyResponse;
using portico::v1::ResourceChange;

constexpr size_t kNamesMax = 1000;  // of one command line

constexpr char kApplyHelp[] =
    R"(usage: porticoctl apply -f FILE|FOLDER|- [-f …] [--dry-run] [--wait] [--tolerate] [--manager NAME] [--force]
                        [--prune -l KEY=VALUE,…]

Stores resources, all in one new revision or none. Prints a line for each that changes, then the revision. A resource with
a metadata.revision, as get prints it, is stored only if that is still the stored one's; without one whatever is stored
is replaced.

  -f, --file FILE|FOLDER|-  as of validate; - is standard input; repeated: all together
      --dry-run             check everything, say what would become of it, and change nothing
      --wait                until every connected proxy of the gateways that get something of it runs it; fails if one
                            refuses something, if none is connected, or after --timeout; returns at once if no gateway
                            gets anything. On a terminal it shows how many run it so far. Proxies of gateways in
                            namespaces that you may not read are not waited for; a warning names the gateways
      --tolerate            store references to what is not there: the rules that need it answer 500
      --manager NAME        whose the resources are: what is stored anew, or is nobody's and changes, becomes this
                            manager's, and what is another's is refused; default: nobody's
      --force               change what is another manager's, and take it over
      --prune               in the same revision delete what has all labels of -l and is not in the files; what is
                            another manager's stays
  -l, --labels KEY=VALUE,…  of --prune
  -n, --namespace NAMESPACE of --prune: only what stands there; repeated; default: the namespaces that the files name
)";

constexpr char kDeleteHelp[] =
    R"(usage: porticoctl delete KIND NAME… [-n NAMESPACE] [--dry-run] [--manager NAME] [--force]
       porticoctl delete -f FILE|FOLDER|- [-f …] [--dry-run] [--manager NAME] [--force]

Deletes resources, all in one new revision or none.

  -f, --file FILE|FOLDER|-   the resources that stand there; they are read for their names and not judged
  -n, --namespace NAMESPACE  of NAME; default: default
      --dry-run              say what would become of it, and change nothing
      --manager NAME         whose the resources are; what is another's is refused; default: nobody's
      --force                also what is another manager's
)";

constexpr char kRollbackHelp[] =
    R"(usage: porticoctl rollback REVISION [-n NAMESPACE] [--dry-run] [--wait] [--manager NAME] [--force]

Makes a new revision that holds what an old one held. Roles, Tokens and CachePurges stay as they are.

  -n, --namespace NAMESPACE  only what stands there; default: all
      --dry-run              say what would become of it, and change nothing
      --wait                 as of apply
      --manager NAME         whose the resources are; what is another's is refused; default: nobody's
      --force                also what is another manager's
)";

void PrintOutcome(const Call& call, const ApplyResponse& response) {
  PrintWarnings(call, response);
  for (const ResourceChange& change : response.changes()) {
    if (change.kind() == ResourceChange::UNCHANGED) continue;
    call.console.out << NameText(change.name()) << " " << ChangeText(change.kind()) << "\n";
  }
  call.console.out << "revision " << response.revision()
                   << (call.arguments.Has("dry-run") ? " would hold it; nothing was changed\n" : "\n");
}

constexpr std::string_view kWaitForNothing = "--wait and --dry-run do not go together";

int Apply(const Call& call) {
  if (call.arguments.Has("wait") && call.arguments.Has("dry-run")) return call.WrongUsage(kWaitForNothing);
  Wanted wanted = ReadWanted(call);
  if (wanted.code != kGood) return wanted.code;
  for (ApplyRequest& piece : wanted.pieces)
    piece.set_dry_run(call.arguments.Has("dry-run"));
  const Answer<ApplyResponse> answer = call.client->Apply(wanted.pieces);
  if (!answer.ok()) return FailInput(call, std::move(wanted.loaded), answer.status, answer.violations);
  return FinishChange(call, answer.response);
}

int DeleteNames(const Call& call, const portico::v1::DeleteRequest& request) {
  const Answer<ApplyResponse> answer = call.client->Delete(request);
  return answer.ok() ? FinishChange(call, answer.response) : call.Fail(answer.status, answer.violations);
}

int Delete(const Call& call) {
  const std::vector<std::string>& words = call.arguments.words;
  portico::v1::DeleteRequest request;
  request.set_dry_run(call.arguments.Has("dry-run"));
  request.set_manager(call.arguments.Get("manager"));
  request.set_force(call.arguments.Has("force"));
  if (call.arguments.Has("file")) {
    if (!words.empty() || call.arguments.Has("namespace")) {
      return call.WrongUsage("-f names the resources alone: no KIND, NAME or -n beside it");
    }
    const load::Loaded loaded = ReadInput(call);
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
  request.set_namespace_(call.arguments.Get("namespace"));
  request.set_dry_run(call.arguments.Has("dry-run"));
  request.set_manager(call.arguments.Get("manager"));
  request.set_force(call.arguments.Has("force"));
  const Answer<ApplyResponse> answer = call.client->Rollback(request);
  return answer.ok() ? FinishChange(call, answer.response) : call.Fail(answer.status, answer.violations);
}

constexpr base::Flag kDryRun = {.name = "dry-run", .has_value = false};
constexpr base::Flag kWait = {.name = "wait", .has_value = false};
constexpr base::Flag kNamespace = {.name = "namespace", .letter = 'n'};
constexpr base::Flag kManager = {.name = "manager"};
constexpr base::Flag kForce = {.name = "force", .has_value = false};

std::vector<base::Flag> Flags(std::vector<base::Flag> some, const std::vector<base::Flag>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

}  // namespace

int FinishChange(const Call& call, const ApplyResponse& response) {
  PrintOutcome(call, response);
  if (!call.arguments.Has("wait")) return kGood;
  call.console.out.flush();
  return Wait(call, response);
}

const Command kApply = {
    .name = "apply", .help = kApplyHelp, .flags = Flags(WantedFlags(), {kDryRun, kWait}), .run = Apply};

const Command kDelete = {
    .name = "delete",
    .help = kDeleteHelp,
    .flags = {{.name = "file", .letter = 'f', .repeated = true}, kNamespace, kDryRun, kManager, kForce},
    .words_max = kNamesMax,
    .run = Delete};

const Command kRollback = {.name = "rollback",
                           .help = kRollbackHelp,
                           .flags = {kNamespace, kDryRun, kWait, kManager, kForce},
                           .words_max = 1,
                           .run = Rollback};

}  // namespace portico::ctl
