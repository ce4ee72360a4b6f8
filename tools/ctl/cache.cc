#include "tools/ctl/cache.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/check/qualified_name.h"
#include "controlplane/crypto/bearer.h"
#include "tools/ctl/change.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/names.h"

namespace portico::ctl {
namespace {

using check::ResourceKey;
using portico::v1::ApplyRequest;
using portico::v1::CachePurgeSpec;

constexpr char kHelp[] =
    R"(usage: porticoctl cache purge [--gateway [NAMESPACE/]NAME] [--host HOST] [--path-prefix /PATH] [--wait]

What the proxies of a gateway have stored is not given again. It is ordered by a resource (CachePurge), one for each gateway,
host and path, so that a proxy that is away obeys when it is back; orders that are older than anything that can still be stored
go with the next one.

      --gateway [NAMESPACE/]NAME  default: default
      --host HOST                 that was asked for, without port; default: every host
      --path-prefix /PATH         whole segments: /a is /a and /a/b, not /ab; default: /
      --wait                      as of apply
)";

constexpr std::string_view kKind = "CachePurge";
// Of a stored response (dataplane/cache/storable.h, kLifetimeMax): an older order has done all that it can.
constexpr int64_t kLongestLifeSeconds = 24 * 3600;
// Of one gateway: each is looked at by each proxy. Over that one order for everything stands in the place of all.
constexpr size_t kPurgesMax = 256;
constexpr int kTriesMax = 5;  // somebody else may purge at the same time

struct Order {
  ResourceKey gateway;
  std::string host;
  std::string path_prefix;
  int64_t at_micros = 0;
};

// The same order has the same name.
ResourceKey NameOf(const Order& order) {
  const std::string text = base::Concat(order.gateway.name, "\n", order.host, "\n", order.path_prefix);
  return {std::string(kKind), order.gateway.name_space,
          base::Concat("purge-", openssl::BearerDigest(text).substr(0, 32))};
}

void Add(const Order& order, ApplyRequest& request) {
  portico::v1::CachePurge& purge = *request.add_resources()->mutable_cache_purge();
  const ResourceKey name = NameOf(order);
  purge.mutable_metadata()->set_namespace_(name.name_space);
  purge.mutable_metadata()->set_name(name.name);
  CachePurgeSpec& spec = *purge.mutable_spec();
  spec.mutable_target_ref()->set_kind("Gateway");
  spec.mutable_target_ref()->set_name(order.gateway.name);
  spec.set_host(order.host);
  spec.set_path_prefix(order.path_prefix);
  spec.mutable_at()->set_seconds(order.at_micros / 1'000'000);
  spec.mutable_at()->set_nanos(static_cast<int32_t>(order.at_micros % 1'000'000 * 1000));
}

// The order, and what goes for it. Returns whether everything is purged instead.
bool Plan(Order order, const Fetched& stored, ApplyRequest& request) {
  std::vector<ResourceKey> live, old;
  for (const auto& [key, resource] : stored.configuration.resources()) {
    const CachePurgeSpec& spec = resource->cache_purge().spec();
    if (spec.target_ref().name() != order.gateway.name || key == NameOf(order)) continue;
    const bool done = spec.at().seconds() < order.at_micros / 1'000'000 - kLongestLifeSeconds;
    (done ? old : live).push_back(key);
  }
  const bool everything = live.size() + 1 > kPurgesMax;
  if (everything) {
    order.host = "";
    order.path_prefix = "/";
    old.insert(old.end(), live.begin(), live.end());
    std::erase(old, NameOf(order));
  }
  Add(order, request);
  for (const ResourceKey& key : old)
    *request.add_deletes() = ToResourceName(key);
  if (old.empty()) return everything;
  request.set_expected_revision(stored.revision);
  request.set_expected_epoch(stored.epoch);
  return everything;
}

int Purge(const Call& call, const Order& order) {
  portico::v1::ListRequest list;
  list.set_kind(std::string(kKind));
  list.set_namespace_(order.gateway.name_space);
  for (int tries = 1;; ++tries) {
    const absl::StatusOr<Fetched> stored = Fetch(*call.client, list);
    if (!stored.ok()) return call.Fail(stored.status());
    ApplyRequest request;
    const bool everything = Plan(order, *stored, request);
    const Answer<portico::v1::ApplyResponse> answer = call.client->Apply({request});
    if (absl::IsAborted(answer.status) && tries < kTriesMax) continue;
    if (!answer.ok()) return call.Fail(answer.status, answer.violations);
    if (everything) {
      call.console.error << "warning: over " << kPurgesMax << " orders in a day: everything of the gateway is purged\n";
    }
    return FinishChange(call, answer.response);
  }
}

int Cache(const Call& call) {
  if (call.arguments.words != std::vector<std::string>{"purge"}) return call.WrongUsage("it takes `purge`");
  const ResourceKey gateway =
      check::ReadQualifiedName("Gateway", check::kDefaultNamespace, call.arguments.Get("gateway", "default"));
  if (gateway.name_space.empty() || gateway.name.empty()) return call.WrongUsage("--gateway is NAME or NAMESPACE/NAME");
  return Purge(call, {.gateway = gateway,
                      .host = base::LowerAscii(call.arguments.Get("host")),
                      .path_prefix = call.arguments.Get("path-prefix", "/"),
                      .at_micros = call.console.time_micros()});
}

}  // namespace

const Command kCache = {
    .name = "cache",
    .help = kHelp,
    .flags = {{.name = "gateway"}, {.name = "host"}, {.name = "path-prefix"}, {.name = "wait", .has_value = false}},
    .words_max = 1,
    .run = Cache};

}  // namespace portico::ctl
