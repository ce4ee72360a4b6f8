#include "tools/ctl/wait.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "tools/ctl/rollout.h"

namespace portico::ctl {
namespace {

using portico::v1::ApplyResponse;
using portico::v1::ListProxiesResponse;

constexpr std::string_view kClearLine = "\r\x1b[K";

std::string Ratio(const Rollout& rollout) {
  return base::Concat(rollout.Count(ProxyState::kRuns), "/", rollout.connected(), " proxies");
}

absl::Status Follow(const Call& call, const ApplyResponse& made, Rollout& rollout) {
  const Console& console = call.console;
  portico::v1::ListProxiesRequest request;
  *request.mutable_gateways() = made.gateways();
  bool shown = false;
  const absl::Status status = call.client->WatchProxies(request, [&](const ListProxiesResponse& response) {
    rollout.OnProxies(response);
    if (console.terminal && !rollout.ended()) {
      shown = true;
      console.error << kClearLine << "revision " << made.revision() << " runs on " << Ratio(rollout) << " …";
      console.error.flush();
    }
    return !rollout.ended();
  });
  if (shown) console.error << kClearLine;
  return status;
}

// Takes those away whose proxies the caller may not see, and returns them.
std::vector<std::string> TakeHidden(const Call& call, ApplyResponse& made) {
  std::vector<std::string> hidden, seen;
  for (const std::string& gateway : made.gateways()) {
    portico::v1::ListProxiesRequest request;
    request.add_gateways(gateway);
    const bool is_hidden = absl::IsPermissionDenied(call.client->ListProxies(request).status);
    (is_hidden ? hidden : seen).push_back(gateway);
  }
  made.mutable_gateways()->Assign(seen.begin(), seen.end());
  return hidden;
}

}  // namespace

int Wait(const Call& call, const ApplyResponse& made) {
  if (made.gateways().empty()) {
    call.console.out << "no gateway gets anything of it: there is nothing to wait for\n";
    return kGood;
  }
  const int64_t begin = call.console.now_ms();
  Rollout rollout(made.revision(), made.epoch());
  absl::Status status = Follow(call, made, rollout);
  if (absl::IsPermissionDenied(status)) {
    // A team's Routes may be at a Gateway of another namespace: that they are stored is all that it may know there.
    ApplyResponse seen = made;
    const std::vector<std::string> hidden = TakeHidden(call, seen);
    if (hidden.empty()) return call.Fail(status);
    call.console.error << "warning: revision " << made.revision() << " is stored; you may not see the proxies of "
                       << base::Join(hidden, ", ") << ", so they are not waited for\n";
    if (seen.gateways().empty()) return kGood;
    status = Follow(call, seen, rollout);
  }
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
  call.console.out << "revision " << made.revision() << " runs on " << Ratio(rollout) << " ("
                   << call.console.now_ms() - begin << " ms)\n";
  return rollout.good() ? kGood : kFailed;
}

}  // namespace portico::ctl
