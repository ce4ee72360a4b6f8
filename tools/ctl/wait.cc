#include "tools/ctl/wait.h"

#include <cstdint>
#include <string>

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

}  // namespace

int Wait(const Call& call, const ApplyResponse& made) {
  if (made.gateways().empty()) {
    call.console.out << "no gateway gets anything of it: there is nothing to wait for\n";
    return kGood;
  }
  const int64_t begin = call.console.now_ms();
  Rollout rollout(made.revision(), made.epoch());
  const absl::Status status = Follow(call, made, rollout);
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
