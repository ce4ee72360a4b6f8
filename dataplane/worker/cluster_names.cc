#include "dataplane/worker/cluster_names.h"

#include <string_view>
#include <utility>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "dataplane/net/name_watch.h"
#include "dataplane/observe/families.h"

namespace portico::worker {
namespace {

constexpr size_t kAddressesTold = 8;  // in a line of the log

std::string Words(const std::vector<net::Address>& addresses) {
  std::string text;
  for (size_t i = 0; i < addresses.size() && i < kAddressesTold; ++i)
    text += base::Concat(i == 0 ? "" : ", ", addresses[i].ip());
  if (addresses.size() > kAddressesTold) text += base::Concat(" and ", addresses.size() - kAddressesTold, " more");
  return text;
}

}  // namespace

// One cluster's name.
class ClusterNames::Entry final : private net::NameWatch::Handler {
 public:
  Entry(ClusterNames& names, std::string cluster, const std::string& hostname)
      : names_(names),
        cluster_(std::move(cluster)),
        watch_(names.loop_, names.lookups_, names.random_, hostname, static_cast<net::NameWatch::Handler&>(*this)) {}

  const std::string& hostname() const { return watch_.name(); }

 private:
  // Only what is news to an operator: that a family's lookups have begun to fail, or answer again.
  void OnLookup(net::Family family, const net::Resolution& resolution) override {
    const std::string_view outcome = net::OutcomeName(resolution.outcome);
    names_.metrics_.CounterOf(observe::kDnsLookups, {cluster_, outcome}).Add();
    const bool fails =
        resolution.outcome != net::LookupOutcome::kAnswered && resolution.outcome != net::LookupOutcome::kNoAddress;
    const std::string_view type = family == net::Family::kV4 ? "A" : "AAAA";
    bool& failing = family == net::Family::kV4 ? v4_fails_ : v6_fails_;
    if (fails == std::exchange(failing, fails)) return;
    if (!fails) {
      return Log(observe::Severity::kInfo,
                 base::Concat("lookups of ", type, " of ", hostname(), " are answered again"));
    }
    const size_t known = watch_.addresses().size();
    Log(observe::Severity::kWarning,
        base::Concat("a lookup of ", type, " of ", hostname(), " failed: ", outcome, "; ",
                     known == 0 ? std::string("no address is known")
                                : base::Concat("what is known stays (addresses: ", known, ")")));
  }

  void OnAddresses(const std::vector<net::Address>& addresses) override {
    if (addresses.empty()) {
      Log(observe::Severity::kWarning, base::Concat(hostname(), " has no address: requests are answered 503"));
    } else {
      Log(observe::Severity::kInfo, base::Concat(hostname(), " is ", Words(addresses)));
    }
    names_.tell_(cluster_,
                 std::make_shared<const upstream::ResolvedName>(upstream::ResolvedName{hostname(), addresses}));
  }

  void Log(observe::Severity severity, std::string_view what) {
    names_.log_.Write(severity, base::Concat("cluster ", cluster_, ": ", what));
  }

  ClusterNames& names_;
  const std::string cluster_;
  bool v4_fails_ = false, v6_fails_ = false;
  net::NameWatch watch_;
};

ClusterNames::ClusterNames(event::Loop& loop, net::Resolver& resolver, uint64_t seed, observe::Metrics& metrics,
                           observe::ProcessLog& log, Tell tell)
    : loop_(loop), lookups_(loop, resolver), random_(seed), metrics_(metrics), log_(log), tell_(std::move(tell)) {}

ClusterNames::~ClusterNames() = default;

void ClusterNames::Swap(const snapshot::Clusters& next) {
  using Config = std::shared_ptr<const upstream::ClusterConfig>;
  base::Compare(kept_, next, [&](const std::string& name, const Config*, const Config* after) {
    const auto known = entries_.find(name);
    const upstream::NamedOrigin* named = after != nullptr && (*after)->named ? &*(*after)->named : nullptr;
    if (known != entries_.end()) {
      if (named != nullptr && named->hostname == known->second->hostname()) return;
      entries_.erase(known);
      if (named == nullptr) metrics_.Retire("cluster", name);
    }
    if (named != nullptr) entries_[name] = std::make_unique<Entry>(*this, name, named->hostname);
  });
  kept_ = next;
}

}  // namespace portico::worker
