// portico-controlplane: the composition root of the control plane. README.md tells the life of a change through what is
// joined here.
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "controlplane/control_plane.h"
#include "controlplane/crypto/key_pair.h"
#include "controlplane/line_log.h"
#include "controlplane/options.h"
#include "controlplane/storage.h"

namespace {

using portico::base::Concat;
using portico::base::ToStd;
using portico::controlplane::ControlPlane;
using portico::controlplane::LineLog;
using portico::controlplane::Options;

constexpr int kGood = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

// What runs is answered or cancelled within 3 s; a disk that answers nothing must not hold up the end.
constexpr unsigned kStopSecondsMax = 10;

int64_t Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// As many files as the system lets this process have: every client is one.
void RaiseOpenFiles() {
  struct rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// In a signal handler: with what may be called there, and without waiting for a reader.
void GiveUp(int) {
  constexpr std::string_view kWords = "portico-controlplane: something hangs; it ends without waiting for it\n";
  pollfd errors = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&errors, 1, 0) == 1 && write(STDERR_FILENO, kWords.data(), kWords.size()) < 0) _exit(kFailed);
  _exit(kFailed);
}

int Fail(LineLog& log, const absl::Status& status) {
  log.Write(ToStd(status.message()));
  return kFailed;
}

int Copy(const Options& options, LineLog& log) {
  const absl::StatusOr<std::string> done = portico::controlplane::CopyStore(options);
  if (!done.ok()) return Fail(log, done.status());
  std::cout << *done << "\n";
  return kGood;
}

int Serve(const Options& options, LineLog& log) {
  // Before the first thread, so that all have it: signals come to this one alone, when it asks.
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGALRM, GiveUp);
  RaiseOpenFiles();
  const portico::openssl::KeyPairChecker key_pairs;
  const auto control_plane =
      ControlPlane::Start(options, key_pairs, Now, [&log](std::string_view line) { log.Write(line); });
  if (!control_plane.ok()) return Fail(log, control_plane.status());
  std::cout << (*control_plane)->AdminLine() << std::flush;
  // A large store takes its time. Nobody is served yet, and what is on the disk stands being broken off.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  absl::Status status = (*control_plane)->Open();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (status.ok()) status = (*control_plane)->Serve();
  if (!status.ok()) return Fail(log, status);
  std::cout << (*control_plane)->AddressLines() << std::flush;
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends at once
  alarm(kStopSecondsMax);
  (*control_plane)->Stop();
  return kGood;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  LineLog log(STDERR_FILENO, "portico-controlplane");
  const auto options = portico::controlplane::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.ok()) {
    log.Write(Concat(ToStd(options.status().message()), "; see --help"));
    return kWrongUsage;
  }
  if (options->help || options->version) {
    std::cout << (options->help ? portico::controlplane::kHelpText : portico::controlplane::kVersionText);
    return kGood;
  }
  if (!options->backup_to.empty() || !options->restore_from.empty()) return Copy(*options, log);
  return Serve(*options, log);
}
