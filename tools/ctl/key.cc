#include "tools/ctl/key.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/check/qualified_name.h"
#include "api/yaml/scalar.h"
#include "api/yaml/timestamp.h"
#include "controlplane/crypto/bearer.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "tools/ctl/input.h"
#include "tools/ctl/names.h"
#include "tools/ctl/wait.h"

namespace portico::ctl {
namespace {

using base::Concat;
using google::protobuf::Timestamp;
using portico::v1::ApplyRequest;
using portico::v1::ApplyResponse;

constexpr char kHelp[] =
    R"(usage: porticoctl key create [--consumer [NAMESPACE/]NAME [--create]] [--expires DURATION|TIME] [--wait]
                             [--manager NAME] [--force]

Makes a caller's key of 256 random bits and prints it on standard output, once: only its digest is stored. Every other
word goes to standard error, so KEY=$(porticoctl key create …) is the key and nothing else.

      --consumer [NAMESPACE/]NAME  adds it to the credentials of that Consumer, beside those that are there: they hold
                                   together until one expires or is taken out. Without it nothing is stored, and
                                   the credential to write into a Consumer is shown on standard error
      --create                     makes the Consumer if there is none
      --expires DURATION|TIME      not accepted from then on: 90d, 12h or 2027-01-31T00:00:00Z; default: never ends
      --wait                       as of apply
      --manager NAME               whose the Consumer is; another one's is not changed; default: nobody's
      --force                      also what is another manager's
)";

constexpr std::string_view kPrefix = "pk";  // a Portico key
constexpr uint64_t kDaysMax = 36'500;

// "90d", or a duration as everywhere.
std::optional<int64_t> SecondsOf(const std::string& text) {
  if (text.ends_with('d')) {
    const std::optional<uint64_t> days = base::ParseDecimal(std::string_view(text).substr(0, text.size() - 1));
    return days && *days <= kDaysMax ? std::optional(static_cast<int64_t>(*days) * 86'400) : std::nullopt;
  }
  const std::optional<google::protobuf::Duration> duration = yaml::ParseDuration(text);
  return duration ? std::optional(duration->seconds()) : std::nullopt;
}

// nullopt: it is neither, or not in the future.
std::optional<Timestamp> EndOf(const std::string& text, int64_t now_seconds) {
  if (std::optional<Timestamp> time = yaml::ParseTimestamp(text)) {
    return time->seconds() > now_seconds ? time : std::nullopt;
  }
  const std::optional<int64_t> seconds = SecondsOf(text);
  if (!seconds || *seconds <= 0) return std::nullopt;
  Timestamp end;
  end.set_seconds(now_seconds + *seconds);
  return end;
}

// The Consumer as it is stored, or a new one, in a change that is made only if nobody made another meanwhile.
absl::StatusOr<ApplyRequest> ChangeOf(const Call& call, const check::ResourceKey& consumer) {
  ApplyRequest request;
  portico::v1::GetRequest get;
  *get.mutable_name() = ToResourceName(consumer);
  const Answer<portico::v1::GetResponse> stored = call.client->Get(get);
  if (stored.ok()) {
    *request.add_resources() = stored.response.resource();
    request.set_expected_epoch(stored.response.epoch());
    return request;
  }
  if (stored.status.code() != absl::StatusCode::kNotFound || !call.arguments.Has("create")) return stored.status;
  portico::v1::ListRequest list;
  list.set_kind(consumer.kind);
  list.set_namespace_(consumer.name_space);
  const Answer<portico::v1::ListResponse> listed = call.client->List(list);
  if (!listed.ok()) return listed.status;
  auto& metadata = *request.add_resources()->mutable_consumer()->mutable_metadata();
  metadata.set_namespace_(consumer.name_space);
  metadata.set_name(consumer.name);
  request.set_expected_revision(listed.response.revision());
  request.set_expected_epoch(listed.response.epoch());
  return request;
}

// With standard error in the place of standard output, which is the key's alone.
int Store(const Call& call, const check::ResourceKey& consumer, const portico::v1::ApiKeyCredential& credential,
          const std::string& key) {
  absl::StatusOr<ApplyRequest> request = ChangeOf(call, consumer);
  if (!request.ok()) return call.Fail(request.status());
  request->set_manager(call.arguments.Get("manager"));
  request->set_force(call.arguments.Has("force"));
  *request->mutable_resources(0)->mutable_consumer()->mutable_spec()->add_credentials()->mutable_api_key() = credential;
  const Answer<ApplyResponse> answer = call.client->Apply({*request});
  if (!answer.ok()) return call.Fail(answer.status, answer.violations);
  const Console& console = call.console;
  console.out << key << "\n";
  console.out.flush();
  PrintWarnings(call, answer.response);
  for (const auto& change : answer.response.changes())
    console.error << NameText(change.name()) << " " << ChangeText(change.kind()) << "\n";
  console.error << "revision " << answer.response.revision() << "\n";
  if (!call.arguments.Has("wait")) return kGood;
  // What it says goes where every other word does.
  const Console quiet{console.error,    console.error,      console.files,     console.key_pairs,
                      console.in,       console.connect,    console.now_ms,    console.pause_ms,
                      console.terminal, console.token_file, console.new_token, console.time_micros};
  return Wait({call.command, call.arguments, quiet, call.client, call.failed}, answer.response);
}

void Show(const Call& call, const portico::v1::ApiKeyCredential& credential, const std::string& key) {
  call.console.out << key << "\n";
  call.console.error << "credentials:\n- apiKey:\n    sha256: \"" << credential.sha256() << "\"\n";
  if (credential.has_expires()) {
    call.console.error << "    expires: " << *yaml::FormatTimestamp(credential.expires()) << "\n";
  }
}

int Key(const Call& call) {
  const base::Arguments& arguments = call.arguments;
  if (arguments.words.empty() || arguments.words[0] != "create") return call.WrongUsage("it is `key create`");
  const bool stores = arguments.Has("consumer");
  for (const char* flag : {"create", "wait", "manager", "force"}) {
    if (arguments.Has(flag) && !stores) return call.WrongUsage(Concat("--", flag, " goes with --consumer"));
  }
  const check::ResourceKey consumer =
      check::ReadQualifiedName("Consumer", check::kDefaultNamespace, arguments.Get("consumer"));
  if (stores && (consumer.name.empty() || consumer.name_space.empty())) {
    return call.WrongUsage("--consumer is NAME or NAMESPACE/NAME");
  }
  portico::v1::ApiKeyCredential credential;
  if (arguments.Has("expires")) {
    const std::optional<Timestamp> end = EndOf(arguments.Get("expires"), call.console.time_micros() / 1'000'000);
    if (!end) return call.WrongUsage("--expires is 90d, 12h or a time such as 2027-01-31T00:00:00Z, in the future");
    *credential.mutable_expires() = *end;
  }
  const std::string key = openssl::NewBearer(kPrefix);
  credential.set_sha256(openssl::BearerDigest(key));
  if (stores) return Store(call, consumer, credential, key);
  Show(call, credential, key);
  return kGood;
}

}  // namespace

const Command kKey = {.name = "key",
                      .help = kHelp,
                      .flags = {{.name = "consumer"},
                                {.name = "create", .has_value = false},
                                {.name = "expires"},
                                {.name = "wait", .has_value = false},
                                {.name = "manager"},
                                {.name = "force", .has_value = false}},
                      .words_max = 1,
                      .run = Key};

}  // namespace portico::ctl
