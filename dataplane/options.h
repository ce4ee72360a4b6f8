#ifndef PORTICO_DATAPLANE_OPTIONS_H_
#define PORTICO_DATAPLANE_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "dataplane/base/time.h"
#include "dataplane/net/address.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/snapshot/snapshot_config.h"

namespace portico::proxy {

// What a command line of portico-proxy says. kHelpText documents each flag.
struct Options {
  bool help = false;
  bool version = false;
  bool check = false;
  std::string config;                         // a file or folder
  std::optional<check::ResourceKey> gateway;  // nullopt: the configuration's only one
  std::optional<net::Address> admin_address;  // nullopt: "off"
  std::optional<net::Address> probe_address;
  std::optional<net::Address> bind_address;
  std::optional<size_t> workers;  // nullopt: as many as there are processors
  base::Duration drain_delay = std::chrono::seconds(0);
  base::Duration drain_timeout = std::chrono::seconds(30);
  observe::Severity log_level = observe::Severity::kInfo;
};

extern const std::string_view kHelpText;
extern const std::string_view kVersionText;

// What of it a snapshot needs; with fresh ticket keys.
snapshot::BuildOptions BuildOptionsOf(const Options& options);

// kInvalidArgument: what is wrong with which flag, in words for a user.
absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words);

}  // namespace portico::proxy

#endif  // PORTICO_DATAPLANE_OPTIONS_H_
