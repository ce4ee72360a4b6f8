#include "dataplane/options.h"

#include <algorithm>

#include "api/base/arguments.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/takeover/channel.h"

namespace portico::proxy {

const std::string_view kVersionText = "portico-proxy 0.1.0\n";

const std::string_view kHelpText = R"(usage: portico-proxy --config=FILE|FOLDER [FLAGS]
       portico-proxy --discovery_address=IP:PORT,... [FLAGS]

An L7 gateway. Serves what one Gateway of the configuration says, and follows it: a change is in force within moments,
one that is wrong is refused with file, line and field, and what was in force goes on.

  --config=FILE|FOLDER        resources, a file or the *.yaml and *.yml of a folder
  --discovery_address=IP:PORT,...
                              or what control planes stream: one of these at a time, 1 to 16; the next one is tried when
                              a stream ends. Beyond loopback it needs the three flags of TLS
  --tls_cert=FILE, --tls_key=FILE
                              PEM: who this proxy is, to the control plane; read anew for each stream
  --ca=FILE                   PEM: who may have signed the control plane's certificate
  --state_dir=FOLDER          where the configuration that was streamed last is kept, to start from when no control plane
                              answers; default: nowhere
  --state_key_file=FILE       what it is sealed with: 64 hexadecimal digits; made (0600) if there is none and nothing is
                              kept yet; required with --state_dir
  --node_id=NAME              what this proxy is called where proxies are listed; default: the host's name
  --gateway=[NAMESPACE/]NAME  which Gateway to serve; default: the only one there is; streamed: default
  --check                     with --config: judge the configuration as a start would, say what is wrong, and end
  --workers=N                 threads, 1 to 256; default: the processors this process may use
  --bind_address=IP           where listeners bind if their Gateway names no address; default: all, IPv4 and IPv6
  --dns_servers=IP:PORT,...   who is asked for the names of Clusters, 1 to 8, one after another; default: the servers of
                              /etc/resolv.conf. /etc/hosts comes first in any case
  --admin_address=IP:PORT     index, /metrics, /snapshot, ...; default: 127.0.0.1:9903; beyond loopback it is
                              read-only; "off": none
  --probe_address=IP:PORT     /ready, /live and /metrics alone, for probes and scrapers; default: none
  --drain_delay=DURATION      after SIGTERM: how long to go on as before while /ready says no; default: 0s
  --drain_timeout=DURATION    after that clients are told to leave, and new ones still served, until none is left or
                              this is over; what remains is cut 2s later; default: 30s
  --takeover=SOCKET           a path: the process that serves there hands its listening sockets over, and when this one's
                              configuration is in force (within a minute) it drains and ends; no connection is lost, and
                              if this one fails before, that one goes on. Then this one serves the path, for the next
                              process of the same user; default: none
  --log_level=LEVEL           error, warning, info or debug, on standard error; default: info
  --help, --version

signals: SIGTERM and SIGINT drain and end, a second one ends at once; SIGHUP reads the file anew and reopens the access
log.
exit codes: 0 good, 1 the operation failed, 2 wrong usage
)";

namespace {

constexpr size_t kWorkersMax = 256;
constexpr size_t kDiscoveryAddressesMax = 16;
constexpr size_t kDnsServersMax = 8;
constexpr size_t kNodeIdBytesMax = 253;  // wire::Node::kTextBytesMax

absl::Status Wrong(std::string_view flag, std::string_view value, std::string_view what) {
  return absl::InvalidArgumentError(base::Concat("--", flag, "=", value, ": ", what));
}

// Reads flags one after another; the first mistake stays.
class Reader {
 public:
  explicit Reader(const base::Arguments& arguments) : arguments_(arguments) {}

  void Address(std::string_view flag, std::optional<net::Address>& into) {
    if (!arguments_.Has(flag)) return;
    const std::string text = arguments_.Get(flag);
    absl::StatusOr<net::Address> address = net::Address::ParseWithPort(text);
    if (!address.ok()) return Fail(Wrong(flag, text, "must be IP:PORT, such as 127.0.0.1:9903 or [::1]:9903"));
    into = *address;
  }

  // With commas between; port 0 is none.
  void Addresses(std::string_view flag, size_t most, std::string_view what, std::vector<net::Address>& into) {
    if (!arguments_.Has(flag)) return;
    const std::string text = arguments_.Get(flag);
    for (const std::string_view one : base::Split(text, ',')) {
      absl::StatusOr<net::Address> address = net::Address::ParseWithPort(one);
      if (!address.ok() || address->port() == 0) return Fail(Wrong(flag, text, what));
      into.push_back(*address);
    }
    if (into.size() > most) Fail(Wrong(flag, text, base::Concat("at most ", most, " addresses")));
  }

  void NodeId(std::string& into) {
    if (!arguments_.Has("node_id")) return;
    into = arguments_.Get("node_id");
    const bool printable = std::all_of(into.begin(), into.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!printable || into.size() > kNodeIdBytesMax) {
      Fail(Wrong("node_id", into,
                 base::Concat("must have 1 to ", kNodeIdBytesMax,
                              " printable characters of ASCII, and "
                              "no spaces")));
    }
  }

  // Which flags go with which.
  void Whole(const Options& options) {
    const bool file = !options.config.empty(), streamed = !options.discovery_addresses.empty();
    if (file == streamed) {
      return Fail(absl::InvalidArgumentError(file ? "--config and --discovery_address: only one of them"
                                                  : "--config or --discovery_address is required"));
    }
    for (const std::string_view flag : {"tls_cert", "tls_key", "ca", "state_dir", "state_key_file"}) {
      if (file && arguments_.Has(flag)) Fail(Needs(flag, "discovery_address"));
    }
    if (streamed && options.check) Fail(Needs("check", "config"));
    Together({"tls_cert", "tls_key", "ca"});
    Together({"state_dir", "state_key_file"});
    for (const net::Address& address : options.discovery_addresses) {
      if (address.IsLoopback() || arguments_.Has("tls_cert")) continue;
      Fail(Wrong("discovery_address", address.ToString(),
                 "beyond loopback it needs --tls_cert, --tls_key and --ca: secrets travel there"));
    }
  }

  void BindAddress(std::optional<net::Address>& into) {
    if (!arguments_.Has("bind_address")) return;
    const std::string text = arguments_.Get("bind_address");
    absl::StatusOr<net::Address> address = net::Address::Parse(text, 0);
    if (!address.ok()) return Fail(Wrong("bind_address", text, "must be an IPv4 or IPv6 address without port"));
    into = *address;
  }

  void Takeover(std::string& into) {
    if (!arguments_.Has("takeover")) return;
    into = arguments_.Get("takeover");
    if (into.size() > takeover::kPathBytesMax) {
      Fail(Wrong("takeover", into,
                 base::Concat("a Unix socket's path has at most ", takeover::kPathBytesMax, " bytes")));
    }
  }

  void Gateway(std::optional<check::ResourceKey>& into) {
    if (!arguments_.Has("gateway")) return;
    const std::string text = arguments_.Get("gateway");
    const size_t slash = text.find('/');
    check::ResourceKey key{"Gateway", std::string(check::kDefaultNamespace), text};
    if (slash != std::string::npos) key = {"Gateway", text.substr(0, slash), text.substr(slash + 1)};
    if (key.name.empty() || key.name_space.empty()) return Fail(Wrong("gateway", text, "must be [NAMESPACE/]NAME"));
    into = std::move(key);
  }

  void Workers(std::optional<size_t>& into) {
    if (!arguments_.Has("workers")) return;
    const std::string text = arguments_.Get("workers");
    const std::optional<uint64_t> number = base::ParseDecimal(text);
    if (!number || *number == 0 || *number > kWorkersMax) {
      return Fail(Wrong("workers", text, base::Concat("must be a number from 1 to ", kWorkersMax)));
    }
    into = *number;
  }

  void Duration(std::string_view flag, base::Duration& into) {
    if (!arguments_.Has(flag)) return;
    const std::string text = arguments_.Get(flag);
    const auto duration = yaml::ParseDuration(text);
    if (!duration) return Fail(Wrong(flag, text, "must be a duration such as 500ms, 30s or 1m30s"));
    into = base::DecodeDuration(*duration);
  }

  void LogLevel(observe::Severity& into) {
    if (!arguments_.Has("log_level")) return;
    const std::string text = arguments_.Get("log_level");
    const auto level = observe::ParseSeverity(text);
    if (!level) return Fail(Wrong("log_level", text, "must be error, warning, info or debug"));
    into = *level;
  }

  // All or none.
  void Together(const std::vector<std::string_view>& flags) {
    for (const std::string_view has : flags) {
      for (const std::string_view other : flags) {
        if (arguments_.Has(has) && !arguments_.Has(other)) return Fail(Needs(has, other));
      }
    }
  }

  static absl::Status Needs(std::string_view flag, std::string_view other) {
    return absl::InvalidArgumentError(base::Concat("--", flag, " needs --", other));
  }

  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  const absl::Status& status() const { return status_; }

 private:
  const base::Arguments& arguments_;
  absl::Status status_;
};

std::vector<base::Flag> Flags() {
  std::vector<base::Flag> flags = {
      {.name = "config"}, {.name = "version", .has_value = false}, {.name = "check", .has_value = false}};
  for (const std::string_view name : {"gateway", "admin_address", "probe_address", "bind_address", "workers", "node_id",
                                      "drain_delay", "drain_timeout", "log_level", "discovery_address", "tls_cert",
                                      "dns_servers", "tls_key", "ca", "state_dir", "state_key_file", "takeover"}) {
    flags.push_back({.name = name});
  }
  return flags;
}

}  // namespace

snapshot::BuildOptions BuildOptionsOf(const Options& options) {
  return {.bind_address = options.bind_address, .ticket_keys = tls::TicketKeys::Generate()};
}

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words) {
  Options options;
  // Asked for alone: what else is required does not matter.
  options.version = words.size() == 1 && words[0] == "--version";
  if (options.version) return options;
  const absl::StatusOr<base::Arguments> arguments = base::ParseArguments(words, Flags());
  if (!arguments.ok()) return arguments.status();
  options.help = arguments->Has("help");
  options.version = arguments->Has("version");
  options.check = arguments->Has("check");
  options.config = arguments->Get("config");
  Reader reader(*arguments);
  reader.Gateway(options.gateway);
  if (arguments->Get("admin_address") != "off") {
    options.admin_address = *net::Address::Parse("127.0.0.1", 9903);
    reader.Address("admin_address", options.admin_address);
  }
  reader.Address("probe_address", options.probe_address);
  reader.BindAddress(options.bind_address);
  reader.Takeover(options.takeover);
  reader.Workers(options.workers);
  reader.Duration("drain_delay", options.drain_delay);
  reader.Duration("drain_timeout", options.drain_timeout);
  reader.LogLevel(options.log_level);
  reader.Addresses(
      "discovery_address", kDiscoveryAddressesMax,
      "must be IP:PORT, such as 127.0.0.1:9901, or several with commas between; names are not supported yet",
      options.discovery_addresses);
  reader.Addresses("dns_servers", kDnsServersMax,
                   "must be IP:PORT, such as 127.0.0.1:53, or several with commas between", options.dns_servers);
  reader.NodeId(options.node_id);
  options.tls_cert = arguments->Get("tls_cert");
  options.tls_key = arguments->Get("tls_key");
  options.ca = arguments->Get("ca");
  options.state_dir = arguments->Get("state_dir");
  options.state_key_file = arguments->Get("state_key_file");
  if (!options.help && !options.version) reader.Whole(options);
  if (!reader.status().ok()) return reader.status();
  return options;
}

}  // namespace portico::proxy
