#ifndef PORTICO_CONTROLPLANE_OPTIONS_H_
#define PORTICO_CONTROLPLANE_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "controlplane/access/rights.h"
#include "controlplane/north/server_certificates.h"

namespace portico::controlplane {

// What a command line of portico-controlplane says. kHelpText documents each flag.
struct Options {
  bool help = false;
  bool version = false;
  std::string api_address = "127.0.0.1:9900";                   // IP:PORT
  std::string discovery_address = "127.0.0.1:9901";             // IP:PORT
  std::optional<std::string> admin_address = "127.0.0.1:9902";  // nullopt: "off"
  std::optional<std::string> store_file = "portico.db";         // nullopt: in memory
  std::string secrets_key_file;        // empty only with a store in memory, a backup or a restore
  std::optional<north::TlsFiles> tls;  // nullopt only if both addresses are loopback
  uint64_t revisions_kept = 1000;
  std::string admin_token_file = "portico.db.admin-token";
  bool admin_token_file_given = false;
  bool new_admin_token = false;  // one is made whatever Roles say
  // What callers on loopback without TLS may do that show no token. nullopt: everything, until there is a Role.
  std::optional<access::RoleName> anonymous_role;
  std::string backup_to;     // a file; empty: no backup is asked for
  std::string restore_from;  // likewise
};

extern const std::string_view kHelpText;
extern const std::string_view kVersionText;

// kInvalidArgument: what is wrong with which flag, in words for a user. What would be unsafe is wrong here: an address
// other than loopback without TLS, and a store on a disk without a key for its secrets.
absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words);

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_OPTIONS_H_
