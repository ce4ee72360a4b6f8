#include "tools/ctl/watch.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/yaml/print.h"
#include "controlplane/model/encoding.h"
#include "google/protobuf/descriptor.h"
#include "tools/ctl/names.h"
#include "tools/ctl/print_json.h"

namespace portico::ctl {
namespace {

using check::ResourceKey;
using portico::v1::Resource;
using portico::v1::ResourceChange;
using portico::v1::WatchResponse;

constexpr int64_t kPauseLeastMs = 200;
constexpr int64_t kPauseMostMs = 5000;

constexpr char kHelp[] = R"(usage: porticoctl watch [KIND] [-n NAMESPACE] [--after REVISION] [-o table|yaml|json]

Prints each change as it is made, until it is interrupted; a connection that breaks is made again, and what came meanwhile
is told. Revisions that follow closely may be told as one.

  -n, --namespace NAMESPACE  default: all
      --after REVISION       begin behind this one, 0: with everything that is stored; default: with what comes
  -o, --output table|yaml|json
                             table: a line for each change; yaml: a document for each; json: a line for each,
                             {"revision": N, "change": "created|updated|deleted", "resource": {…}}
)";

// A resource that is no more: kind, namespace and name.
Resource Gone(const ResourceKey& key) {
  Resource resource;
  const google::protobuf::Descriptor& type = *Resource::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->message_type()->name() != key.kind) continue;
    resource.GetReflection()->MutableMessage(&resource, type.field(i));
    model::MutableMetadata(resource).set_namespace_(key.name_space);
    model::MutableMetadata(resource).set_name(key.name);
  }
  return resource;
}

class Watcher {
 public:
  Watcher(const Call& call, portico::v1::WatchRequest request) : call_(call), request_(std::move(request)) {}

  // Watches until something is wrong that trying again does not mend.
  absl::Status Run() {
    int64_t pause_ms = kPauseLeastMs;
    while (true) {
      told_ = false;
      gathered_.Clear();
      const absl::Status status = call_.client->Watch(request_, [this](const WatchResponse& response) {
        told_ = true;
        gathered_.MergeFrom(response);
        if (!response.more()) Tell();
        return call_.console.out.good();
      });
      if (status.ok()) return absl::UnavailableError("standard output is closed");
      if (!Resume(status)) return status;
      pause_ms = told_ ? kPauseLeastMs : std::min(pause_ms * 2, kPauseMostMs);
      call_.console.pause_ms(pause_ms);
    }
  }

 private:
  // Whether it is worth another try, from where we are or, if that is not known any more, from the start.
  bool Resume(const absl::Status& status) {
    if (status.code() == absl::StatusCode::kOutOfRange &&
        (request_.after_revision() != 0 || !request_.epoch().empty())) {
      call_.console.error << "porticoctl watch: " << status.message() << ": everything is told again\n";
      request_.clear_after_revision();
      request_.clear_epoch();
      return true;
    }
    if (status.code() != absl::StatusCode::kUnavailable) return false;
    call_.console.error << "porticoctl watch: " << status.message() << "; trying again\n";
    return true;
  }

  // What was gathered is the whole of a revision, or of several.
  void Tell() {
    for (const portico::v1::ResourceName& name : gathered_.deleted())
      Print(gathered_.revision(), ResourceChange::DELETED, ToKey(name), Gone(ToKey(name)));
    for (const Resource& resource : gathered_.resources()) {
      const portico::v1::Metadata& metadata = check::MetadataOf(resource);
      const bool created = metadata.creation_revision() > request_.after_revision();
      Print(metadata.revision(), created ? ResourceChange::CREATED : ResourceChange::UPDATED, check::KeyOf(resource),
            resource);
    }
    call_.console.out.flush();
    request_.set_after_revision(gathered_.revision());
    request_.set_epoch(gathered_.epoch());
    gathered_.Clear();
  }

  void Print(uint64_t revision, ResourceChange::Kind change, const ResourceKey& key, const Resource& resource) {
    const std::string format = call_.arguments.Get("output", "table");
    std::ostream& out = call_.console.out;
    const std::string line = base::Concat("revision ", revision, ": ", NameText(key), " ", ChangeText(change), "\n");
    if (format == "table") {
      out << line;
      return;
    }
    const absl::StatusOr<std::string> text = format == "json" ? ResourceJson(resource) : yaml::Print(resource);
    if (!text.ok()) {
      call_.console.error << "porticoctl watch: " << text.status().message() << ": " << line;
    } else if (format == "json") {
      out << "{\"revision\": " << revision << ", \"change\": \"" << ChangeText(change) << "\", \"resource\": " << *text
          << "}\n";
    } else {
      out << "---\n# " << line << *text;
    }
  }

  const Call& call_;
  portico::v1::WatchRequest request_;
  WatchResponse gathered_;  // pieces of one revision so far
  bool told_ = false;
};

int Watch(const Call& call) {
  portico::v1::WatchRequest request;
  const std::vector<std::string>& words = call.arguments.words;
  if (!words.empty()) {
    const absl::StatusOr<std::string> kind = ParseKind(words[0]);
    if (!kind.ok()) return call.WrongUsage(base::ToStd(kind.status().message()));
    request.set_kind(*kind);
  }
  request.set_namespace_(call.arguments.Get("namespace"));
  const std::optional<uint64_t> after = base::ParseDecimal(call.arguments.Get("after", "0"));
  if (!after) return call.WrongUsage("--after is a number that history shows, or 0");
  // Where we begin; it also says whether anybody is there.
  portico::v1::HistoryRequest newest;
  newest.set_limit(1);
  const Answer<portico::v1::HistoryResponse> now = call.client->History(newest);
  if (!now.ok()) return call.Fail(now.status);
  request.set_after_revision(*after);
  if (!call.arguments.Has("after") && !now.response.revisions().empty()) {
    request.set_after_revision(now.response.revisions(0).revision());
  }
  request.set_epoch(now.response.epoch());
  return call.Fail(Watcher(call, std::move(request)).Run());
}

}  // namespace

const Command kWatch = {.name = "watch",
                        .help = kHelp,
                        .flags = {{.name = "namespace", .letter = 'n'}, {.name = "after"}},
                        .words_max = 1,
                        .prints = true,
                        .run = Watch};

}  // namespace portico::ctl
