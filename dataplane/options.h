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
  // Where the configuration comes from: one of the two.
  std::string config;                             // a file or folder
  std::vector<net::Address> discovery_addresses;  // of control planes
  std::optional<check::ResourceKey> gateway;      // nullopt: the configuration's only one; streamed: default/default
  std::string node_id;                            // "": the host's name
  std::string tls_cert, tls_key, ca;              // files, of the connection to a control plane; all or none
  std::string state_dir, state_key_file;          // both or none
  std::optional<net::Address> admin_address;      // nullopt: "off"
  std::optional<net::Address> probe_address;
  std::optional<net::Address> bind_address;
  std::vector<net::Address> dns_servers;  // none: those of the system
  std::string takeover;           // where this process's sockets can be had, and those of the one before; "": nowhere
  std::optional<size_t> workers;  // nullopt: as many as there are processors
  base::Duration drain_delay = std::chrono::seconds(0);
  base::Duration drain_timeout = std::chrono::seconds(30);
  observe::Severity log_level = observe::Severity::kInfo;
};

inline constexpr std::string_view kVersion = "0.1.0";
extern const std::string_view kHelpText;
extern const std::string_view kVersionText;

// What of it a snapshot needs; with fresh ticket keys.
snapshot::BuildOptions BuildOptionsOf(const Options& options);

// kInvalidArgument: what is wrong with which flag, in words for a user.
absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words);

}  // namespace portico::proxy

#endif  // PORTICO_DATAPLANE_OPTIONS_H_
