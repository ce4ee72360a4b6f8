// portico-controlplane: the composition root of the control plane. README.md tells the life of a change through what is
// joined here.
#include <pthread.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "controlplane/control_plane.h"
#include "controlplane/crypto/key_pair.h"
#include "controlplane/options.h"
#include "controlplane/storage.h"

namespace {

using portico::base::Concat;
using portico::base::ToStd;
using portico::controlplane::ControlPlane;
using portico::controlplane::Options;

constexpr int kGood = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int64_t Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// In one piece, so that lines of several threads do not mix.
void Log(std::string_view line) {
  std::cerr << Concat("portico-controlplane: ", line, "\n");
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

int Copy(const Options& options) {
  const absl::StatusOr<std::string> done = portico::controlplane::CopyStore(options);
  if (!done.ok()) {
    Log(ToStd(done.status().message()));
    return kFailed;
  }
  std::cout << *done << "\n";
  return kGood;
}

int Serve(const Options& options) {
  // Before the first thread, so that all have it: signals come to this one alone, when it asks.
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  RaiseOpenFiles();
  const portico::openssl::KeyPairChecker key_pairs;
  const auto control_plane = ControlPlane::Start(options, key_pairs, Now, Log);
  if (!control_plane.ok()) {
    Log(ToStd(control_plane.status().message()));
    return kFailed;
  }
  std::cout << (*control_plane)->AddressLines() << std::flush;
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends at once
  (*control_plane)->Stop();
  return kGood;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = portico::controlplane::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.ok()) {
    Log(Concat(ToStd(options.status().message()), "; see --help"));
    return kWrongUsage;
  }
  if (options->help || options->version) {
    std::cout << (options->help ? portico::controlplane::kHelpText : portico::controlplane::kVersionText);
    return kGood;
  }
  if (!options->backup_to.empty() || !options->restore_from.empty()) return Copy(*options);
  return Serve(*options);
}
