#include "tools/ctl/command.h"

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "api/base/text.h"
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
      --timeout DURATION       for connecting and answering; default: 30s
)";

constexpr size_t kTlsFileBytesMax = 1 << 20;  // a bundle of all public authorities is 250 kB

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

// What is wrong with the words themselves: kInvalidArgument.
absl::StatusOr<ApiOptions> ParseOptions(const base::Arguments& arguments) {
  ApiOptions options;
  options.address = arguments.Get("api_address", "127.0.0.1:9900");
  const std::string timeout = arguments.Get("timeout", "30s");
  const std::optional<google::protobuf::Duration> duration = yaml::ParseDuration(timeout);
  if (!duration) return Usage("--timeout is a duration like 30s or 500ms, not `", timeout, "`");
  options.timeout_ms = duration->seconds() * 1000 + duration->nanos() / 1'000'000;
  if (options.timeout_ms == 0) return Usage("--timeout must not be 0");
  const int given = arguments.Has("tls_cert") + arguments.Has("tls_key") + arguments.Has("ca");
  if (given != 0 && given != 3) return Usage("--tls_cert, --tls_key and --ca belong together");
  if (given == 3) options.tls.emplace();
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
  const absl::StatusOr<ApiOptions> options = ReadApiOptions(arguments, console.files);
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
    for (const std::string_view name : {"api_address", "tls_cert", "tls_key", "ca", "timeout"})
      flags.push_back({.name = name});
  }
  if (command.prints) flags.push_back({.name = "output", .letter = 'o'});
  return flags;
}

absl::StatusOr<ApiOptions> ReadApiOptions(const base::Arguments& arguments, yaml::FileReader& files) {
  absl::StatusOr<ApiOptions> options = ParseOptions(arguments);
  if (!options.ok() || !options->tls) return options;
  const absl::Status read = ReadTls(arguments, files, *options->tls);
  if (!read.ok()) return read;
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
