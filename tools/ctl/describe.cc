#include "tools/ctl/describe.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/check/outgoing.h"
#include "api/check/targets.h"
#include "api/yaml/print.h"
#include "google/protobuf/util/time_util.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/names.h"
#include "tools/ctl/plain.h"
#include "tools/ctl/policy_text.h"
#include "tools/ctl/rollout.h"

namespace portico::ctl {
namespace {

using base::Concat;
using check::ResourceKey;
using google::protobuf::util::TimeUtil;
using portico::v1::Resource;
using Gateways = std::vector<resolve::ResolvedGateway>;

constexpr uint32_t kRevisionsMax = 1000;
constexpr uint32_t kPageRevisions = 100;  // of one answer: each may name as many resources as a change may have

constexpr char kHelp[] = R"(usage: porticoctl describe KIND NAME [-n NAMESPACE]

A resource with all that the rest of the configuration makes of it: what it refers to and what refers to it, what is surely
not meant, and the revisions that changed it (of the newest 1000 that are kept). Of a Route: for each rule, on each
listener, the policies that hold and where they come from. Of a policy: the rules that it holds for. Of a Gateway: its
Routes, and the proxies that serve it with what they run. Of a Cluster: its endpoints, if they are listed elsewhere.

  -n, --namespace NAMESPACE  default: default
)";

std::string RuleText(const resolve::ResolvedGateway& gateway, const resolve::ResolvedRule& rule) {
  const std::string& name = rule.message().name();
  return Concat("rule ", name.empty() ? Concat(rule.index) : name, " on ", gateway.key.ToString(), ", listener ",
                gateway.listeners[rule.listener].name);
}

// One description: sections under heads, those that are empty left out.
class Description {
 public:
  // All must outlive it.
  Description(const ResourceKey& key, const Fetched& stored)
      : key_(key), stored_(stored), gateways_(ResolveAll(stored.configuration)) {}

  absl::Status Begin(std::ostream& out) const {
    const Resource& resource = *stored_.configuration.Find(key_);
    const absl::StatusOr<std::string> text = yaml::Print(Plain(resource));
    if (!text.ok()) return text.status();
    const portico::v1::Metadata& metadata = check::MetadataOf(resource);
    out << NameText(key_) << "\nrevision " << metadata.revision() << ", first stored at revision "
        << metadata.creation_revision() << "; the configuration is at revision " << stored_.revision << "\n\n"
        << *text;
    return absl::OkStatus();
  }

  void References(std::ostream& out) const {
    std::vector<std::string> to, from;
    for (const auto& [key, resource] : stored_.configuration.resources()) {
      const check::Outgoing outgoing = check::OutgoingOf(key, *resource);
      if (key != key_) {
        if (outgoing.needs.contains(key_)) from.push_back(NameText(key));
        if (outgoing.guards.contains(key_)) from.push_back(Concat(NameText(key), " (guards it)"));
        continue;
      }
      for (const auto* keys : {&outgoing.needs, &outgoing.guards}) {
        for (const ResourceKey& other : *keys) {
          const bool there = stored_.configuration.Find(other) != nullptr;
          to.push_back(Concat(NameText(other), there ? "" : " (does not exist)"));
        }
      }
    }
    Section(out, "refers to", to);
    Section(out, "is referred to by", from);
  }

  void Effects(std::ostream& out) const {
    if (key_.kind == "Route") Section(out, "effective policies", Policies());
    if (check::IsPolicyKind(key_.kind)) Section(out, "holds for", Guarded());
    if (key_.kind == "Gateway") Section(out, "routes", Routes());
    if (key_.kind == "Cluster") Section(out, "endpoints", Endpoints());
    Section(out, "notices", Notices());
  }

  static void Section(std::ostream& out, std::string_view head, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out << "\n" << head << ":\n";
    for (const std::string& line : lines)
      out << "  " << line << "\n";
  }

 private:
  std::vector<std::string> Policies() const {
    std::vector<std::string> lines;
    for (const resolve::ResolvedGateway& gateway : gateways_) {
      const resolve::SharedRoute* route = gateway.routes.Find(key_);
      if (route == nullptr) continue;
      for (const resolve::SharedRule& rule : (*route)->rules) {
        lines.push_back(RuleText(gateway, *rule));
        for (const auto& [part, text] : PolicyLines(rule->policies))
          lines.push_back(Concat("  ", part, ": ", text));
      }
    }
    if (lines.empty()) lines.push_back("it is attached to no Gateway");
    return lines;
  }

  std::vector<std::string> Guarded() const {
    std::vector<std::string> lines;
    for (const resolve::ResolvedGateway& gateway : gateways_) {
      for (const auto& [key, route] : gateway.routes) {
        for (const resolve::SharedRule& rule : route->rules)
          AddGuarded(gateway, *rule, lines);
      }
    }
    if (lines.empty()) lines.push_back("no rule");
    return lines;
  }

  void AddGuarded(const resolve::ResolvedGateway& gateway, const resolve::ResolvedRule& rule,
                  std::vector<std::string>& lines) const {
    const std::vector<std::string> parts = PartsOf(rule.policies, key_);
    if (parts.empty()) return;
    lines.push_back(Concat(NameText(rule.route), ", ", RuleText(gateway, rule), ": ", base::Join(parts, " and ")));
  }

  std::vector<std::string> Routes() const {
    std::set<std::string> lines;
    for (const resolve::ResolvedGateway& gateway : gateways_) {
      if (gateway.key != key_) continue;
      for (const auto& [key, route] : gateway.routes) {
        for (const resolve::SharedRule& rule : route->rules)
          lines.insert(Concat(NameText(key), " on listener ", gateway.listeners[rule->listener].name));
      }
    }
    return {lines.begin(), lines.end()};
  }

  // Those that are listed elsewhere; its own are in its text.
  std::vector<std::string> Endpoints() const {
    const portico::v1::ClusterSpec& spec = stored_.configuration.Find(key_)->cluster().spec();
    if (!spec.has_endpoints_from()) return {};
    const auto& reference = spec.endpoints_from();
    const Resource* found = stored_.configuration.Find(
        {"Endpoints", check::ReferredNamespace(reference.namespace_(), key_), reference.name()});
    std::vector<std::string> lines;
    if (found != nullptr) {
      for (const portico::v1::Endpoint& endpoint : found->endpoints().spec().endpoints()) {
        const bool is_v6 = endpoint.address().find(':') != std::string::npos;
        lines.push_back(
            base::Printable(Concat(is_v6 ? "[" : "", endpoint.address(), is_v6 ? "]:" : ":", endpoint.port())));
        if (endpoint.has_weight()) lines.back() += Concat(", weight ", endpoint.weight());
      }
    }
    if (lines.empty()) lines.push_back("none: requests are answered 503");
    return lines;
  }

  std::vector<std::string> Notices() const {
    std::set<std::string> lines;
    for (const resolve::ResolvedGateway& gateway : gateways_) {
      for (const auto& [notice, none] : gateway.notices) {
        if (notice.resource != key_ && gateway.key != key_) continue;
        lines.insert(
            Concat(NameText(notice.resource), ": ", notice.path, notice.path.empty() ? "" : ": ", notice.message));
      }
    }
    return {lines.begin(), lines.end()};
  }

  const ResourceKey& key_;
  const Fetched& stored_;
  const Gateways gateways_;
};

absl::Status PrintProxies(const Call& call, const ResourceKey& key) {
  portico::v1::ListProxiesRequest request;
  request.add_gateways(Concat(key.name_space, "/", key.name));
  const Answer<portico::v1::ListProxiesResponse> answer = call.client->ListProxies(request);
  if (!answer.ok()) return answer.status;
  std::vector<std::string> lines;
  for (const portico::v1::Proxy& proxy : answer.response.proxies()) {
    lines.push_back(base::Printable(Concat(proxy.node_id(), " runs revision ", proxy.running_revision(), " of ",
                                           proxy.wanted_revision(), ": ", StateText(proxy))));
    for (const std::string& line : RefusalLines(proxy))
      lines.push_back("  " + line);
  }
  if (lines.empty()) lines.push_back("none");
  Description::Section(call.console.out, "proxies", lines);
  return absl::OkStatus();
}

void AppendChanges(const portico::v1::RevisionRecord& record, const ResourceKey& key, std::vector<std::string>& lines) {
  for (const portico::v1::ResourceChange& change : record.changes()) {
    if (change.kind() == portico::v1::ResourceChange::UNCHANGED || ToKey(change.name()) != key) continue;
    lines.push_back(
        base::Printable(Concat(record.revision(), ": ", ChangeText(change.kind()), " ",
                               TimeUtil::ToString(record.time()), " by ", record.author(), " from ", record.peer())));
  }
}

absl::Status PrintRevisions(const Call& call, const ResourceKey& key) {
  portico::v1::HistoryRequest request;
  request.set_limit(kPageRevisions);
  std::vector<std::string> lines;
  for (uint32_t pages = 0; pages < kRevisionsMax / kPageRevisions; ++pages) {
    const Answer<portico::v1::HistoryResponse> answer = call.client->History(request);
    if (!answer.ok()) return answer.status;
    for (const portico::v1::RevisionRecord& record : answer.response.revisions())
      AppendChanges(record, key, lines);
    if (answer.response.revisions_size() < static_cast<int>(kPageRevisions)) break;
    request.set_before(answer.response.revisions().rbegin()->revision());
  }
  Description::Section(call.console.out, "revisions", lines);
  return absl::OkStatus();
}

int Describe(const Call& call) {
  const std::vector<std::string>& words = call.arguments.words;
  if (words.size() != 2) return call.WrongUsage("it takes KIND and NAME");
  const absl::StatusOr<std::string> kind = ParseKind(words[0]);
  if (!kind.ok()) return call.WrongUsage(base::ToStd(kind.status().message()));
  const ResourceKey key{*kind, call.arguments.Get("namespace", check::kDefaultNamespace), words[1]};
  const absl::StatusOr<Fetched> stored = Fetch(*call.client, {});
  if (!stored.ok()) return call.Fail(stored.status());
  WarnOfPart(call, stored->partial);
  if (stored->configuration.Find(key) == nullptr) {
    return call.Fail(absl::NotFoundError(base::ToAbsl(Concat("there is no ", NameText(key)))));
  }
  const Description description(key, *stored);
  if (const absl::Status status = description.Begin(call.console.out); !status.ok()) return call.Fail(status);
  description.References(call.console.out);
  description.Effects(call.console.out);
  if (key.kind == "Gateway") {
    if (const absl::Status status = PrintProxies(call, key); !status.ok()) return call.Fail(status);
  }
  const absl::Status status = PrintRevisions(call, key);
  return status.ok() ? kGood : call.Fail(status);
}

}  // namespace

const Command kDescribe = {.name = "describe",
                           .help = kHelp,
                           .flags = {{.name = "namespace", .letter = 'n'}},
                           .words_max = 2,
                           .run = Describe};

}  // namespace portico::ctl
