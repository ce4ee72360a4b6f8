#include "tools/ctl/command.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/yaml/read.h"
#include "api/yaml/scalar.h"
#include "google/protobuf/duration.pb.h"

namespace portico::ctl {
namespace {

constexpr char kCommonHelp[] = R"(
of every command that asks a control plane:
      --api_address HOST:PORT  default: 127.0.0.1:9900
      --tls_cert, --tls_key, --ca FILE
                               PEM: who asks, and who signs control planes; all three, or none: in clear, which
                               is for loopback alone
      --token_file FILE        a bearer token (porticoctl token create): who asks; over TLS --ca is enough with it;
                               default: the file that PORTICO_TOKEN_FILE names
      --timeout DURATION       for connecting and answering; default: 30s
)";

constexpr size_t kTlsFileBytesMax = 1 << 20;  // a bundle of all public authorities is 250 kB
constexpr size_t kTokenBytesMax = 1024;       // what control planes take

template <typename... Pieces>
absl::Status Usage(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

// As far as its text says: "127.example" is a name, and anybody's.
bool IsLoopback(std::string_view address) {
  const std::string_view host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos;
}

std::string TokenFile(const base::Arguments& arguments, const Console& console) {
  return arguments.Get("token_file", console.token_file);
}

// What is wrong with the words themselves: kInvalidArgument.
absl::StatusOr<ApiOptions> ParseOptions(const base::Arguments& arguments, bool has_token) {
  ApiOptions options;
  options.address = arguments.Get("api_address", "127.0.0.1:9900");
  const std::string timeout = arguments.Get("timeout", "30s");
  const std::optional<google::protobuf::Duration> duration = yaml::ParseDuration(timeout);
  if (!duration) return Usage("--timeout is a duration like 30s or 500ms, not `", timeout, "`");
  options.timeout_ms = duration->seconds() * 1000 + duration->nanos() / 1'000'000;
  if (options.timeout_ms == 0) return Usage("--timeout must not be 0");
  const int given = arguments.Has("tls_cert") + arguments.Has("tls_key") + arguments.Has("ca");
  const bool by_token = has_token && given == 1 && arguments.Has("ca");
  if (given != 0 && given != 3 && !by_token) {
    return Usage("--tls_cert, --tls_key and --ca belong together; with a token --ca alone will do");
  }
  if (given > 0) options.tls.emplace();
  if (given == 0 && !IsLoopback(options.address)) {
    return Usage("--api_address=", options.address,
                 ": beyond loopback it needs --tls_cert, --tls_key and --ca: secrets travel there");
  }
  return options;
}

absl::Status ReadTls(const base::Arguments& arguments, yaml::FileReader& files, ApiOptions::Tls& tls) {
  const struct {
    std::string_view flag;
    std::string& text;
  } kFiles[] = {{"tls_cert", tls.certificate}, {"tls_key", tls.key}, {"ca", tls.authorities}};
  for (const auto& [flag, text] : kFiles) {
    if (!arguments.Has(flag)) continue;
    const std::string path = arguments.Get(flag);
    const absl::StatusOr<std::string> read = files.Read(path, kTlsFileBytesMax);
    if (!read.ok()) {
      return absl::FailedPreconditionError(
          base::ToAbsl(base::Concat("--", flag, "=", path, ": ", base::ToStd(read.status().message()))));
    }
    text = *read;
  }
  return absl::OkStatus();
}

// The file's only line. Nothing of it is shown, whatever else it may be.
absl::StatusOr<std::string> ReadToken(const std::string& path, yaml::FileReader& files) {
  const auto wrong = [&path](std::string_view what) {
    return absl::FailedPreconditionError(base::ToAbsl(base::Concat("--token_file=", path, ": ", what)));
  };
  const absl::StatusOr<std::string> read = files.Read(path, kTlsFileBytesMax);
  if (!read.ok()) return wrong(base::ToStd(read.status().message()));
  std::string_view token = *read;
  if (token.ends_with('\n')) token.remove_suffix(1);
  if (token.ends_with('\r')) token.remove_suffix(1);
  const bool plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
  if (token.empty() || token.size() > kTokenBytesMax || !plain) return wrong("holds no token");
  return std::string(token);
}

absl::Status CheckOutput(const base::Arguments& arguments) {
  const std::string output = arguments.Get("output", "table");
  if (output == "table" || output == "yaml" || output == "json") return absl::OkStatus();
  return Usage("-o is table, yaml or json, not `", output, "`");
}

// Everything before the command itself.
absl::StatusOr<std::unique_ptr<ApiClient>> Prepare(const Command& command, const base::Arguments& arguments,
                                                   const Console& console) {
  if (command.prints) {
    if (absl::Status status = CheckOutput(arguments); !status.ok()) return status;
  }
  if (!command.asks) return nullptr;
  const absl::StatusOr<ApiOptions> options = ReadApiOptions(arguments, console);
  if (!options.ok()) return options.status();
  return console.connect(*options);
}

}  // namespace

int Call::WrongUsage(std::string_view what) const {
  console.error << "porticoctl " << command << ": " << what << "; see --help\n";
  return kWrongUsage;
}

int Call::Fail(const absl::Status& status) const {
  console.error << "porticoctl " << command << ": " << status.message() << "\n";
  return failed;
}

int Call::Fail(const absl::Status& status, const std::vector<ApiViolation>& violations) const {
  for (const ApiViolation& violation : violations) {
    console.error << base::Printable(base::Concat(violation.resource, ": ", violation.path,
                                                  violation.path.empty() ? "" : ": ", violation.message))
                  << "\n";
  }
  return Fail(status);
}

std::vector<base::Flag> FlagsOf(const Command& command) {
  std::vector<base::Flag> flags = command.flags;
  if (command.asks) {
    for (const std::string_view name : {"api_address", "tls_cert", "tls_key", "ca", "token_file", "timeout"})
      flags.push_back({.name = name});
  }
  if (command.prints) flags.push_back({.name = "output", .letter = 'o'});
  return flags;
}

absl::StatusOr<ApiOptions> ReadApiOptions(const base::Arguments& arguments, const Console& console) {
  const std::string token_file = TokenFile(arguments, console);
  absl::StatusOr<ApiOptions> options = ParseOptions(arguments, !token_file.empty());
  if (!options.ok()) return options;
  const absl::Status read = options->tls ? ReadTls(arguments, console.files, *options->tls) : absl::OkStatus();
  if (!read.ok()) return read;
  if (token_file.empty()) return options;
  absl::StatusOr<std::string> token = ReadToken(token_file, console.files);
  if (!token.ok()) return token.status();
  options->token = *std::move(token);
  return options;
}

int RunCommand(const Command& command, const std::vector<std::string>& words, const Console& console) {
  const auto wrong = [&](const absl::Status& status) {
    const bool usage = status.code() == absl::StatusCode::kInvalidArgument;
    console.error << "porticoctl " << command.name << ": " << status.message() << (usage ? "; see --help\n" : "\n");
    return usage ? kWrongUsage : command.failed;
  };
  const absl::StatusOr<base::Arguments> arguments = base::ParseArguments(words, FlagsOf(command), command.words_max);
  if (!arguments.ok()) return wrong(arguments.status());
  if (arguments->Has("help")) {
    console.out << command.help << (command.asks ? kCommonHelp : "");
    return kGood;
  }
  const absl::StatusOr<std::unique_ptr<ApiClient>> client = Prepare(command, *arguments, console);
  if (!client.ok()) return wrong(client.status());
  return command.run({command.name, *arguments, console, client->get(), command.failed});
}

}  // namespace portico::ctl
