// portico-proxy: the composition root of the data plane. README.md tells the way of a request through what is joined
// here.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "api/yaml/disk.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/event/clock.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/export/log_file.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/options.h"
#include "dataplane/proxy.h"
#include "dataplane/source/candidate.h"

namespace {

using portico::observe::Severity;

constexpr int kGood = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

// What a start would make of the configuration, without starting.
int Check(const portico::proxy::Options& options, portico::yaml::FileReader& files,
          const portico::check::KeyPairChecker& key_pairs) {
  const portico::source::Candidate candidate =
      portico::source::BuildCandidate(options.config, files, key_pairs, options.gateway,
                                      portico::proxy::BuildOptionsOf(options), portico::event::ReadWallClock());
  for (const portico::load::Finding& finding : candidate.findings)
    std::cerr << finding.ToString() << "\n";
  if (candidate.snapshot == nullptr) return kFailed;
  std::cout << options.config << ": good\n";
  return kGood;
}

// A descriptor below 3 that is closed would be given to the first socket, and what is printed would go to a client.
bool OpenStandardStreams() {
  for (;;) {
    const int fd = open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO) return close(fd) == 0;
    if (fd < 0) return false;
  }
}

// As many files as the system lets this process have: every client is one, and most need one more to an origin.
void RaiseOpenFiles() {
  struct rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  if (!OpenStandardStreams()) return kFailed;
  const auto options = portico::proxy::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.ok()) {
    std::cerr << "portico-proxy: " << options.status().message() << "; see --help\n";
    return kWrongUsage;
  }
  if (options->help || options->version) {
    std::cout << (options->help ? portico::proxy::kHelpText : portico::proxy::kVersionText);
    return kGood;
  }

  portico::yaml::DiskReader files;
  const portico::crypto::BoringKeyPairChecker key_pairs;
  if (options->check) return Check(*options, files, key_pairs);

  std::signal(SIGPIPE, SIG_IGN);
  RaiseOpenFiles();
  portico::observe::ProcessLog log(STDERR_FILENO, portico::event::ReadWallClock);
  log.set_level(options->log_level);
  portico::exporting::LogFile access_log([&log](const std::string& what) { log.Write(Severity::kWarning, what); });
  portico::event::LibeventLoop loop;
  portico::proxy::Proxy proxy(loop, *options, log, access_log, files, key_pairs);
  if (proxy.Start()) loop.Run();
  return proxy.exit_code();
}
