#include "test/agreement/replicas.h"

#include <utility>

#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/portico/v1/cluster.pb.h"
#include "api/portico/v1/route.pb.h"
#include "api/wire/names.h"

namespace portico::xds {
namespace {

using base::Concat;

constexpr const char* kEpoch = "e";

template <typename Message>
std::string Named(const std::string& name) {
  Message message;
  message.mutable_metadata()->set_name(name);
  return message.SerializeAsString();
}

Change AnyChange(std::mt19937& random) {
  Change change{random() % kGateways, random() % 2 == 0 ? "Cluster" : "Route", Concat("n", random() % 6), std::nullopt};
  if (random() % 3 == 0) return change;
  change.message =
      change.kind == "Route" ? Named<portico::v1::Route>(change.name) : Named<portico::v1::Cluster>(change.name);
  if (random() % 8 == 0) change.message = "\xff";
  return change;
}

std::string FullName(const Change& change) {
  return Concat("default/", change.name);
}

}  // namespace

void Store::Commit(std::vector<Change> changes) {
  revisions_.push_back(std::move(changes));
  std::array<Contents, kGateways> now = history_.back();
  for (const Change& change : revisions_.back()) {
    const std::string key = Concat(change.kind, " ", FullName(change));
    now.at(change.gateway).erase(key);
    if (change.message.has_value()) now.at(change.gateway)[key] = Concat(kEpoch, ".", newest());
  }
  history_.push_back(std::move(now));
}

void Store::CommitAny(std::mt19937& random) {
  std::vector<Change> changes;
  for (size_t i = random() % 4 + 1; i > 0; --i)
    changes.push_back(AnyChange(random));
  Commit(std::move(changes));
}

void Store::CommitForAll(const std::string& name) {
  std::vector<Change> changes;
  for (size_t gateway = 0; gateway < kGateways; ++gateway)
    changes.push_back({gateway, "Cluster", name, Named<portico::v1::Cluster>(name)});
  Commit(std::move(changes));
}

void Replica::Restart() {
  for (size_t i = 0; i < kGateways; ++i) {
    sets_.at(i) = std::make_unique<reach::GatewaySet>(check::ResourceKey{"Gateway", "default", Concat("g", i)});
    sets_.at(i)->set_known(true);
  }
  learned_ = store_.newest();
  for (uint64_t revision = 1; revision <= learned_; ++revision) {
    for (const Change& change : store_.ChangesOf(revision))
      Apply(change, revision);
  }
  for (const auto& set : sets_)
    set->Seal(kEpoch, learned_);
}

std::vector<reach::SetStep> Replica::Learn() {
  std::vector<reach::SetStep> steps;
  if (knows_all()) return steps;
  ++learned_;
  for (size_t i = 0; i < kGateways; ++i) {
    reach::SetStep step{sets_.at(i).get(), {}};
    for (const Change& change : store_.ChangesOf(learned_)) {
      if (change.gateway != i) continue;
      Apply(change, learned_);
      step.changed.emplace_back(wire::TypeUrl(change.kind), FullName(change));
    }
    if (step.changed.empty()) continue;
    sets_.at(i)->Seal(kEpoch, learned_);
    steps.push_back(std::move(step));
  }
  return steps;
}

void Replica::Apply(const Change& change, uint64_t revision) {
  const std::string type_url = wire::TypeUrl(change.kind), name = FullName(change);
  reach::GatewaySet& set = *sets_.at(change.gateway);
  if (!change.message.has_value()) return set.Remove(type_url, name);
  set.Put(type_url, name, reach::MakeItem(type_url, name, Concat(kEpoch, ".", revision), *change.message));
}

}  // namespace portico::xds
