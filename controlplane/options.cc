#include "controlplane/options.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <utility>

#include "api/base/arguments.h"
#include "api/base/text.h"

namespace portico::controlplane {

const std::string_view kVersionText = "portico-controlplane 0.1.0\n";

const std::string_view kHelpText = R"(usage: portico-controlplane [FLAGS]

Keeps the configuration of gateways: people and programs change it through ConfigService, every change is one revision
or nothing, and proxies are sent what concerns them.

  --api_address=IP:PORT        ConfigService, gRPC health and reflection; [::1]:9900 for IPv6; port 0: a free one;
                               default: 127.0.0.1:9900
  --discovery_address=IP:PORT  where proxies ask for their configuration; default: 127.0.0.1:9901
  --admin_address=IP:PORT      /ready, /live and /metrics in clear for probes and scrapers, read-only and without names
                               of resources; "off": none; default: 127.0.0.1:9902
  --store=sqlite:FILE|memory:  where revisions are kept: a file that one process at a time may have, made if it is not
                               there; or nowhere, for trying things out; default: sqlite:portico.db
  --secrets_key_file=FILE      64 hexadecimal digits, mode 0600, that seal the values of Secrets in the store; made with
                               a new store if it is not there; required with sqlite: (keep a copy apart from backups)
  --tls_cert=FILE              PEM, the server's certificate chain, its own first, for both addresses
  --tls_key=FILE               PEM, its private key
  --client_ca=FILE             PEM, who signs the certificates that clients must have (those of the API may show a token
                               instead); one with the URI
                               portico://gateway/NAMESPACE/NAME is a proxy's, and good for that gateway's discovery alone
                               the three are needed together, on an address other than loopback always; the files are
                               read again at each new connection, and what is wrong then leaves the last good ones
  --admin_token_file=FILE      where the one-time admin token is written (mode 0600) at the first start, and at any other
                               while nobody is Admin in all namespaces; the first such Admin ends it; default: the
                               store's file and `.admin-token`; with memory: portico.admin-token
  --new_admin_token            make a new one at this start whoever is Admin, for those who are locked out; good until a
                               change makes somebody Admin in all namespaces, at most until the next start
  --anonymous_role=ROLE        None, Viewer, Editor or Admin: of callers on loopback without TLS that show no token;
                               default: Admin until there is a Role, then None
  --revisions_kept=N           how many revisions `rollback` can name, 1 to 1000000; default: 1000
  --backup=FILE                copy the store (it may be open elsewhere) to a new file, and end
  --restore=FILE               put such a copy in the place of the store, keeping the old one beside it, and end
  --help, --version

It prints `admin_address=IP:PORT` on standard output when probes are answered and, once it serves, `api_address=IP:PORT` and
`discovery_address=IP:PORT`, with the ports that they have. What happens is told on standard error, a line for each change;
lines that nobody reads are dropped and counted.
signals: SIGTERM and SIGINT end it once running calls are answered, at most 3 s later, and after 10 s (exit code 1) if a
disk hangs; a second one ends it at once, as does one before it serves.
exit codes: 0 good, 1 the operation failed, 2 wrong usage (also what would be unsafe)
)";

namespace {

constexpr uint64_t kRevisionsKeptMax = 1'000'000;  // each is a row, and what it changed
constexpr std::string_view kSqlite = "sqlite:", kMemory = "memory:", kEtcd = "etcd:";

template <typename... Pieces>
absl::Status Usage(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

// True: loopback. nullopt: it is not IP:PORT.
std::optional<bool> IsLoopback(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> port = base::ParseDecimal(address.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string ip(address.substr(0, colon));
  if (ip.starts_with('[') && ip.ends_with(']')) {
    in6_addr v6;
    if (inet_pton(AF_INET6, ip.substr(1, ip.size() - 2).c_str(), &v6) != 1) return std::nullopt;
    return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  }
  in_addr v4;
  if (inet_pton(AF_INET, ip.c_str(), &v4) != 1) return std::nullopt;
  return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

absl::Status ReadStore(const base::Arguments& arguments, Options& options) {
  if (!arguments.Has("store")) return absl::OkStatus();
  const std::string text = arguments.Get("store");
  if (text.starts_with(kEtcd)) return Usage("--store=", text, ": etcd is not supported yet");
  if (text == kMemory) {
    options.store_file.reset();
    return absl::OkStatus();
  }
  if (!text.starts_with(kSqlite) || text.size() == kSqlite.size()) {
    return Usage("--store=", text, ": must be sqlite:FILE or memory:");
  }
  options.store_file = text.substr(kSqlite.size());
  return absl::OkStatus();
}

absl::Status ReadRevisionsKept(const base::Arguments& arguments, Options& options) {
  if (!arguments.Has("revisions_kept")) return absl::OkStatus();
  const std::string text = arguments.Get("revisions_kept");
  const std::optional<uint64_t> number = base::ParseDecimal(text);
  if (!number || *number == 0 || *number > kRevisionsKeptMax) {
    return Usage("--revisions_kept=", text, ": must be a number from 1 to ", kRevisionsKeptMax);
  }
  options.revisions_kept = *number;
  return absl::OkStatus();
}

void ReadAdminTokenFile(const base::Arguments& arguments, Options& options) {
  options.new_admin_token = arguments.Has("new_admin_token");
  options.admin_token_file_given = arguments.Has("admin_token_file");
  options.admin_token_file =
      arguments.Get("admin_token_file", base::Concat(options.store_file.value_or("portico"), ".admin-token"));
}

absl::Status ReadAnonymousRole(const base::Arguments& arguments, Options& options) {
  if (!arguments.Has("anonymous_role")) return absl::OkStatus();
  const std::string text = arguments.Get("anonymous_role");
  for (const auto& [name, role] :
       {std::pair{"None", portico::v1::ROLE_NAME_UNSPECIFIED}, std::pair{"Viewer", portico::v1::ROLE_NAME_VIEWER},
        std::pair{"Editor", portico::v1::ROLE_NAME_EDITOR}, std::pair{"Admin", portico::v1::ROLE_NAME_ADMIN}}) {
    if (text == name) options.anonymous_role = role;
  }
  if (options.anonymous_role) return absl::OkStatus();
  return Usage("--anonymous_role=", text, ": must be None, Viewer, Editor or Admin");
}

// The three together or none. Returns which are missing: "--tls_key and --client_ca".
std::string ReadTls(const base::Arguments& arguments, Options& options) {
  north::TlsFiles tls;
  std::vector<std::string> missing;
  for (const auto& [name, file] : {std::pair{"tls_cert", &tls.certificate}, std::pair{"tls_key", &tls.key},
                                   std::pair{"client_ca", &tls.client_ca}}) {
    *file = arguments.Get(name);
    if (!arguments.Has(name)) missing.push_back(base::Concat("--", name));
  }
  if (missing.empty()) {
    options.tls = std::move(tls);
    return "";
  }
  const std::string last = std::move(missing.back());
  missing.pop_back();
  return missing.empty() ? last : base::Concat(base::Join(missing, ", "), " and ", last);
}

absl::Status CheckAddresses(const Options& options, const std::string& tls_missing) {
  if (options.admin_address && !IsLoopback(*options.admin_address)) {
    return Usage("--admin_address=", *options.admin_address, ": must be IP:PORT, such as 127.0.0.1:9902, or off");
  }
  for (const auto& [flag, address] : {std::pair{"--api_address=", &options.api_address},
                                      std::pair{"--discovery_address=", &options.discovery_address}}) {
    const std::optional<bool> loopback = IsLoopback(*address);
    if (!loopback) return Usage(flag, *address, ": must be IP:PORT, such as 127.0.0.1:9900 or [::1]:9900");
    if (!*loopback && !options.tls) {
      return Usage(flag, *address, ": an address other than loopback needs TLS and clients with certificates; ",
                   tls_missing, " missing");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTogether(const base::Arguments& arguments, const Options& options) {
  const bool copies = arguments.Has("backup") || arguments.Has("restore");
  if (arguments.Has("backup") && arguments.Has("restore")) return Usage("--backup and --restore exclude each other");
  if (copies && options.new_admin_token) return Usage("--new_admin_token is for a start that serves");
  if (copies && !options.store_file) return Usage("--store=memory: has nothing to back up or to restore");
  if (options.store_file && options.secrets_key_file.empty() && !copies) {
    return Usage("--secrets_key_file is required with --store=sqlite:", *options.store_file,
                 ": the values of Secrets are sealed with its key; name a file, which is made if the store is new");
  }
  return absl::OkStatus();
}

std::vector<base::Flag> Flags() {
  std::vector<base::Flag> flags = {{.name = "version", .has_value = false},
                                   {.name = "new_admin_token", .has_value = false}};
  for (const std::string_view name :
       {"api_address", "discovery_address", "admin_address", "store", "secrets_key_file", "tls_cert", "tls_key",
        "client_ca", "revisions_kept", "backup", "restore", "admin_token_file", "anonymous_role"}) {
    flags.push_back({.name = name});
  }
  return flags;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words) {
  const absl::StatusOr<base::Arguments> arguments = base::ParseArguments(words, Flags());
  if (!arguments.ok()) return arguments.status();
  Options options;
  options.help = arguments->Has("help");
  options.version = arguments->Has("version");
  if (options.help || options.version) return options;  // what else is required does not matter
  options.api_address = arguments->Get("api_address", options.api_address);
  options.discovery_address = arguments->Get("discovery_address", options.discovery_address);
  options.admin_address = arguments->Get("admin_address", *options.admin_address);
  if (options.admin_address == "off") options.admin_address.reset();
  options.secrets_key_file = arguments->Get("secrets_key_file");
  options.backup_to = arguments->Get("backup");
  options.restore_from = arguments->Get("restore");
  if (absl::Status status = ReadStore(*arguments, options); !status.ok()) return status;
  if (absl::Status status = ReadRevisionsKept(*arguments, options); !status.ok()) return status;
  if (absl::Status status = ReadAnonymousRole(*arguments, options); !status.ok()) return status;
  ReadAdminTokenFile(*arguments, options);
  const std::string tls_missing = ReadTls(*arguments, options);
  if (absl::Status status = CheckAddresses(options, tls_missing); !status.ok()) return status;
  const bool some_tls = arguments->Has("tls_cert") || arguments->Has("tls_key") || arguments->Has("client_ca");
  if (some_tls && !options.tls)
    return Usage("--tls_cert, --tls_key and --client_ca are needed together; ", tls_missing, " missing");
  if (absl::Status status = CheckTogether(*arguments, options); !status.ok()) return status;
  return options;
}

}  // namespace portico::controlplane
