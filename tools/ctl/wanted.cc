#include "tools/ctl/wanted.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/input.h"
#include "tools/ctl/names.h"

namespace portico::ctl {
namespace {

using check::ResourceKey;
using portico::v1::ApplyRequest;
using portico::v1::Resource;

// A message may have 4 MiB; a single resource that has more is the control plane's to refuse.
constexpr size_t kPieceBytesMax = 3 << 20;

bool HasLabels(const Resource& resource, const Labels& labels) {
  const auto& own = check::MetadataOf(resource).labels();
  return std::all_of(labels.begin(), labels.end(), [&own](const auto& label) {
    const auto found = own.find(label.first);
    return found != own.end() && found->second == label.second;
  });
}

// nullopt: they are good.
std::optional<std::string> CheckWords(const base::Arguments& arguments) {
  const std::optional<Labels> labels = ParseLabels(arguments.Get("labels"));
  if (!labels) return "-l is KEY=VALUE,…";
  if (arguments.Has("prune") && labels->empty()) {
    return "--prune needs -l KEY=VALUE,…: it deletes whatever has those labels and is not in the files";
  }
  if (!arguments.Has("prune") && (arguments.Has("labels") || arguments.Has("namespace"))) {
    return "-l and -n belong to --prune";
  }
  return std::nullopt;
}

std::vector<ApplyRequest> Pieces(const load::Loaded& loaded, const ApplyRequest& options) {
  std::vector<ApplyRequest> pieces = {options};
  size_t bytes = 0;
  for (const auto& [key, resource] : loaded.configuration.resources()) {
    const size_t more = resource->ByteSizeLong();
    if (bytes > 0 && bytes + more > kPieceBytesMax) {
      pieces.push_back(options);
      bytes = 0;
    }
    *pieces.back().add_resources() = *resource;
    bytes += more;
  }
  return pieces;
}

class Pruner {
 public:
  Pruner(const Call& call, const load::Loaded& loaded)
      : call_(call), loaded_(loaded), labels_(ParseLabels(call.arguments.Get("labels")).value_or(Labels())) {
    const std::vector<std::string>& asked = call.arguments.All("namespace");
    namespaces_.insert(asked.begin(), asked.end());
    if (!asked.empty()) return;
    for (const auto& [key, resource] : loaded.configuration.resources())
      namespaces_.insert(key.name_space);
  }

  // Adds to the last piece what is to go. Returns the exit code.
  int Run(std::vector<ApplyRequest>& pieces) const {
    if (loaded_.configuration.resources().empty()) {
      return call_.Fail(absl::FailedPreconditionError("--prune with no resource in the files would delete them all"));
    }
    WarnOfLabels();
    portico::v1::ListRequest request;
    request.mutable_labels()->insert(labels_.begin(), labels_.end());
    const absl::StatusOr<Fetched> stored = Fetch(*call_.client, request);
    if (!stored.ok()) return call_.Fail(stored.status());
    WarnOfPart(call_, stored->partial);
    bool prunes = false;
    for (const auto& [key, resource] : stored->configuration.resources()) {
      if (!IsToGo(key, *resource)) continue;
      prunes = true;
      *pieces.back().add_deletes() = ToResourceName(key);
    }
    for (ApplyRequest& piece : pieces) {
      if (!prunes) break;
      piece.set_expected_revision(stored->revision);
      piece.set_expected_epoch(stored->epoch);
    }
    return kGood;
  }

 private:
  bool IsToGo(const ResourceKey& key, const Resource& resource) const {
    const std::string& manager = check::MetadataOf(resource).manager();
    return namespaces_.contains(key.name_space) && loaded_.configuration.Find(key) == nullptr &&
           (manager.empty() || manager == call_.arguments.Get("manager"));
  }

  void WarnOfLabels() const {
    for (const auto& [key, resource] : loaded_.configuration.resources()) {
      if (HasLabels(*resource, labels_)) continue;
      call_.console.error << "warning: " << NameText(key) << ": lacks labels of -l: no later --prune will find it\n";
    }
  }

  const Call& call_;
  const load::Loaded& loaded_;
  const Labels labels_;
  std::set<std::string> namespaces_;
};

}  // namespace

std::vector<base::Flag> WantedFlags() {
  return {{.name = "file", .letter = 'f', .repeated = true, .required = true},
          {.name = "tolerate", .has_value = false},
          {.name = "manager"},
          {.name = "force", .has_value = false},
          {.name = "prune", .has_value = false},
          {.name = "labels", .letter = 'l'},
          {.name = "namespace", .letter = 'n', .repeated = true}};
}

Wanted ReadWanted(const Call& call) {
  Wanted wanted;
  if (const std::optional<std::string> wrong = CheckWords(call.arguments)) {
    wanted.code = call.WrongUsage(*wrong);
    return wanted;
  }
  wanted.loaded = LoadInput(call);
  if (wanted.loaded.errors() > 0) {
    wanted.code = FailInput(call, wanted.loaded);
    return wanted;
  }
  ApplyRequest options;
  if (call.arguments.Has("tolerate")) options.set_references(portico::v1::REFERENCE_RULE_TOLERATE);
  options.set_manager(call.arguments.Get("manager"));
  options.set_force(call.arguments.Has("force"));
  wanted.pieces = Pieces(wanted.loaded, options);
  if (call.arguments.Has("prune")) wanted.code = Pruner(call, wanted.loaded).Run(wanted.pieces);
  return wanted;
}

}  // namespace portico::ctl
