#include "tools/ctl/show.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/yaml/print.h"
#include "google/protobuf/util/time_util.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/names.h"
#include "tools/ctl/plain.h"
#include "tools/ctl/print_json.h"
#include "tools/ctl/rollout.h"
#include "tools/ctl/table.h"

namespace portico::ctl {
namespace {

using google::protobuf::util::TimeUtil;
using portico::v1::Resource;

constexpr uint64_t kHistoryMax = 1000;  // the API's own bound

constexpr char kGetHelp[] =
    R"(usage: porticoctl get KIND [NAME] [-n NAMESPACE] [-l KEY=VALUE,…] [--revision N] [--plain] [-o table|yaml|json]
       porticoctl get all …

What is stored. A Secret is shown as its digest.

  -n, --namespace NAMESPACE  default: default for a NAME, all for a list
  -l, --labels KEY=VALUE,…   only resources that have all of these labels
      --revision N           as of a revision that is still kept; default: now
      --plain                without what the system writes (revisions, status)
  -o, --output table|yaml|json

What yaml prints can be applied again. It holds metadata.revision, so that apply refuses it if the resource was changed
meanwhile; with --plain it does not, as for files that are kept. A Secret needs its text put in the place of the digest.
)";

constexpr char kHistoryHelp[] = R"(usage: porticoctl history [--limit N] [-o table|yaml|json]

The revisions that are still kept, the newest first: who made each, when and from where.

      --limit N  at most so many, 1 to 1000; default: 20
)";

constexpr char kStatusHelp[] = R"(usage: porticoctl status [-o table|yaml|json]

The proxies that the control plane knows, what they run and what they are to run; then what they refused and why (in yaml
and json: in `refusals`, a line each). Exits 1 if a connected one is behind or refused something.
)";

int PrintResources(const Call& call, std::vector<Resource> resources, bool one) {
  const std::string format = call.arguments.Get("output", "table");
  if (call.arguments.Has("plain") && format != "table") {
    for (Resource& resource : resources)
      resource = Plain(std::move(resource));
  }
  if (format == "json") {
    const absl::StatusOr<std::string> json = one ? ResourceJson(resources[0]) : ResourcesJson(resources);
    if (!json.ok()) return call.Fail(json.status());
    call.console.out << *json << (one ? "\n" : "");
    return kGood;
  }
  Table table{{"KIND", "NAMESPACE", "NAME", "REVISION"}, {}};
  std::string yaml;
  for (const Resource& resource : resources) {
    const check::ResourceKey key = check::KeyOf(resource);
    table.rows.push_back({key.kind, key.name_space, key.name, base::Concat(check::MetadataOf(resource).revision())});
    if (format != "yaml") continue;
    const absl::StatusOr<std::string> text = yaml::Print(resource);
    if (!text.ok()) return call.Fail(text.status());
    yaml += base::Concat(yaml.empty() ? "" : "---\n", *text);
  }
  call.console.out << (format == "yaml" ? yaml : Print(table, format));
  return kGood;
}

int GetOne(const Call& call, const check::ResourceKey& key, uint64_t revision) {
  portico::v1::GetRequest request;
  *request.mutable_name() = ToResourceName(key);
  request.set_revision(revision);
  const Answer<portico::v1::GetResponse> answer = call.client->Get(request);
  if (!answer.ok()) return call.Fail(answer.status, answer.violations);
  return PrintResources(call, {answer.response.resource()}, true);
}

int Get(const Call& call) {
  const std::vector<std::string>& words = call.arguments.words;
  if (words.empty()) return call.WrongUsage("it takes KIND, or all");
  const std::optional<uint64_t> revision = base::ParseDecimal(call.arguments.Get("revision", "0"));
  if (!revision) return call.WrongUsage("--revision is a number that history shows");
  portico::v1::ListRequest request;
  if (!base::EqualsIgnoreCase(words[0], "all")) {
    const absl::StatusOr<std::string> kind = ParseKind(words[0]);
    if (!kind.ok()) return call.WrongUsage(base::ToStd(kind.status().message()));
    request.set_kind(*kind);
  }
  const std::optional<Labels> labels = ParseLabels(call.arguments.Get("labels"));
  if (!labels) return call.WrongUsage("-l is KEY=VALUE,…");
  request.mutable_labels()->insert(labels->begin(), labels->end());
  if (words.size() == 2) {
    if (request.kind().empty()) return call.WrongUsage("a NAME needs its KIND");
    if (!request.labels().empty()) return call.WrongUsage("-l is for lists, not for a NAME");
    return GetOne(call, {request.kind(), call.arguments.Get("namespace", check::kDefaultNamespace), words[1]},
                  *revision);
  }
  request.set_namespace_(call.arguments.Get("namespace"));
  request.set_revision(*revision);
  const Answer<portico::v1::ListResponse> answer = call.client->List(request);
  if (!answer.ok()) return call.Fail(answer.status, answer.violations);
  WarnOfPart(call, answer.response.partial());
  return PrintResources(call, {answer.response.resources().begin(), answer.response.resources().end()}, false);
}

// "2 created, 1 deleted".
std::string Summary(const portico::v1::RevisionRecord& record) {
  size_t counts[portico::v1::ResourceChange::Kind_ARRAYSIZE] = {};
  for (const portico::v1::ResourceChange& change : record.changes()) {
    if (portico::v1::ResourceChange::Kind_IsValid(change.kind())) ++counts[change.kind()];
  }
  std::string out = record.rollback_of() == 0 ? "" : base::Concat("rollback to ", record.rollback_of());
  for (const auto kind : {portico::v1::ResourceChange::CREATED, portico::v1::ResourceChange::UPDATED,
                          portico::v1::ResourceChange::DELETED}) {
    if (counts[kind] == 0) continue;
    const std::string word = base::LowerAscii(portico::v1::ResourceChange::Kind_Name(kind));
    out += base::Concat(out.empty() ? "" : ", ", counts[kind], " ", word);
  }
  return out;
}

int History(const Call& call) {
  const std::optional<uint64_t> limit = base::ParseDecimal(call.arguments.Get("limit", "20"));
  if (!limit || *limit == 0 || *limit > kHistoryMax) return call.WrongUsage("--limit is 1 to 1000");
  portico::v1::HistoryRequest request;
  request.set_limit(static_cast<uint32_t>(*limit));
  const Answer<portico::v1::HistoryResponse> answer = call.client->History(request);
  if (!answer.ok()) return call.Fail(answer.status, answer.violations);
  Table table{{"REVISION", "TIME", "AUTHOR", "PEER", "CHANGES"}, {}};
  for (const portico::v1::RevisionRecord& record : answer.response.revisions()) {
    table.rows.push_back({base::Concat(record.revision()), TimeUtil::ToString(record.time()), record.author(),
                          record.peer(), Summary(record)});
  }
  call.console.out << Print(table, call.arguments.Get("output", "table"));
  return kGood;
}

int Status(const Call& call) {
  const Answer<portico::v1::ListProxiesResponse> answer = call.client->ListProxies({});
  if (!answer.ok()) return call.Fail(answer.status, answer.violations);
  const std::string format = call.arguments.Get("output", "table");
  Table table{{"NODE", "GATEWAY", "RUNNING", "WANTED", "LAG", "STATE", "SINCE"}, {}};
  if (format != "table") table.heads.push_back("REFUSALS");  // a table has them below
  std::string refusals;
  int code = kGood;
  for (const portico::v1::Proxy& proxy : answer.response.proxies()) {
    const uint64_t running = proxy.running_revision();
    const uint64_t wanted = proxy.wanted_revision();
    const std::string state = StateText(proxy);
    if (state != "good" && state != "gone") code = kFailed;
    table.rows.push_back({proxy.node_id(), proxy.gateway(), base::Concat(running), base::Concat(wanted),
                          base::Concat(wanted > running ? wanted - running : 0), state,
                          TimeUtil::ToString(proxy.since())});
    const std::string lines = base::Join(RefusalLines(proxy), "\n");
    if (format != "table") table.rows.back().push_back(lines);
    refusals += lines + (lines.empty() ? "" : "\n");
  }
  call.console.out << Print(table, format) << (format == "table" ? refusals : "");
  return code;
}

}  // namespace

const Command kGet = {.name = "get",
                      .help = kGetHelp,
                      .flags = {{.name = "namespace", .letter = 'n'},
                                {.name = "labels", .letter = 'l'},
                                {.name = "revision"},
                                {.name = "plain", .has_value = false}},
                      .words_max = 2,
                      .prints = true,
                      .run = Get};

const Command kHistory = {
    .name = "history", .help = kHistoryHelp, .flags = {{.name = "limit"}}, .prints = true, .run = History};

const Command kStatus = {.name = "status", .help = kStatusHelp, .flags = {}, .prints = true, .run = Status};

}  // namespace portico::ctl
