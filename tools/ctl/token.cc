#include "tools/ctl/token.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/yaml/timestamp.h"
#include "controlplane/crypto/bearer.h"
#include "google/protobuf/timestamp.pb.h"
#include "tools/ctl/input.h"
#include "tools/ctl/names.h"

namespace portico::ctl {
namespace {

constexpr char kHelp[] = R"(usage: porticoctl token create --name NAME [-n NAMESPACE] [--expires TIME] [--replace]
                               [--manager NAME] [--force]

Makes a bearer token for a program (--token_file), stores its digest as a Token, and prints the token: once, nobody can
show it again. What it may do is for Roles that name it to say; until there is a Role it may do everything.

      --name NAME            of the Token
  -n, --namespace NAMESPACE  default: default
      --expires TIME         not accepted from then on: 2027-01-31T00:00:00Z; default: never
      --replace              in the place of a Token of that name, whose callers are locked out from then on
      --manager NAME         whose the Token is; another one's is not replaced; default: nobody's
      --force                also what is another manager's
)";

constexpr int kTriesMax = 5;  // each is overtaken by somebody who changed something, anything, in a moment

// Of another one that is there nothing is wrong with --replace; without it the change is to be made only if none came
// meanwhile.
absl::Status BeNew(const Call& call, const check::ResourceKey& key, portico::v1::ApplyRequest& request) {
  if (call.arguments.Has("replace")) return absl::OkStatus();
  portico::v1::ListRequest list;
  list.set_kind(key.kind);
  list.set_namespace_(key.name_space);
  const Answer<portico::v1::ListResponse> listed = call.client->List(list);
  if (!listed.ok()) return listed.status;
  for (const portico::v1::Resource& resource : listed.response.resources()) {
    if (check::KeyOf(resource) != key) continue;
    return absl::AlreadyExistsError(
        base::ToAbsl(base::Concat(NameText(key), " is there: --replace locks out who calls with it")));
  }
  request.set_expected_revision(listed.response.revision());
  request.set_expected_epoch(listed.response.epoch());
  return absl::OkStatus();
}

Answer<portico::v1::ApplyResponse> Store(const Call& call, const check::ResourceKey& key,
                                         portico::v1::ApplyRequest request) {
  Answer<portico::v1::ApplyResponse> answer;
  for (int i = 0; i < kTriesMax; ++i) {
    if (answer.status = BeNew(call, key, request); !answer.ok()) return answer;
    answer = call.client->Apply({request});
    if (request.expected_epoch().empty() || !absl::IsAborted(answer.status)) break;
  }
  return answer;
}

int Create(const Call& call) {
  const check::ResourceKey key{"Token", call.arguments.Get("namespace", check::kDefaultNamespace),
                               call.arguments.Get("name")};
  const std::string text = call.console.new_token();
  portico::v1::ApplyRequest request;
  request.set_manager(call.arguments.Get("manager"));
  request.set_force(call.arguments.Has("force"));
  portico::v1::Token& token = *request.add_resources()->mutable_token();
  token.mutable_metadata()->set_name(key.name);
  token.mutable_metadata()->set_namespace_(key.name_space);
  token.mutable_spec()->set_sha256(openssl::BearerDigest(text));
  if (call.arguments.Has("expires")) {
    const std::optional<google::protobuf::Timestamp> expires = yaml::ParseTimestamp(call.arguments.Get("expires"));
    if (!expires) return call.WrongUsage("--expires is a time like 2027-01-31T00:00:00Z");
    *token.mutable_spec()->mutable_expires() = *expires;
  }
  const Answer<portico::v1::ApplyResponse> answer = Store(call, key, request);
  if (!answer.ok()) return call.Fail(answer.status, answer.violations);
  PrintWarnings(call, answer.response);
  call.console.error << NameText(key) << " is stored (revision " << answer.response.revision()
                     << "); this is the token, and nobody can show it again:\n";
  call.console.out << text << "\n";
  return kGood;
}

int Token(const Call& call) {
  if (call.arguments.words != std::vector<std::string>{"create"}) return call.WrongUsage("it takes `create`");
  return Create(call);
}

}  // namespace

const Command kToken = {.name = "token",
                        .help = kHelp,
                        .flags = {{.name = "name", .required = true},
                                  {.name = "namespace", .letter = 'n'},
                                  {.name = "expires"},
                                  {.name = "replace", .has_value = false},
                                  {.name = "manager"},
                                  {.name = "force", .has_value = false}},
                        .words_max = 1,
                        .run = Token};

}  // namespace portico::ctl
