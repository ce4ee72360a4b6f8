#ifndef PORTICO_TEST_AGREEMENT_REPLICAS_H_
#define PORTICO_TEST_AGREEMENT_REPLICAS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "controlplane/reach/gateway_set.h"
#include "controlplane/reach/reaches.h"
#include "test/agreement/judging.h"

// Several replicas of one control plane, without their I/O. For tests only.

namespace portico::xds {

constexpr size_t kGateways = 2;

struct Change {
  size_t gateway = 0;
  std::string kind;
  std::string name;
  std::optional<std::string> message;  // nullopt: it goes
};

// What every replica learns sooner or later: the changes of each revision, from 1 on.
class Store {
 public:
  Store() : history_{{Contents(), Contents()}} {}

  void Commit(std::vector<Change> changes);
  // Some resources, of which some are not understood, come, change or go.
  void CommitAny(std::mt19937& random);
  // Something new for every gateway.
  void CommitForAll(const std::string& name);

  uint64_t newest() const { return revisions_.size(); }
  const std::vector<Change>& ChangesOf(uint64_t revision) const { return revisions_.at(revision - 1); }
  // What a gateway has as of a revision.
  const Contents& Of(size_t gateway, uint64_t revision) const { return history_.at(revision).at(gateway); }

 private:
  std::vector<std::vector<Change>> revisions_;
  std::vector<std::array<Contents, kGateways>> history_;
};

// One replica's sets: of what it has learned of the store.
class Replica {
 public:
  explicit Replica(const Store& store) : store_(store) { Restart(); }

  // Everything in it is new, and as of the store's newest. Whoever holds a set has let go of it before.
  void Restart();
  // The next revision, if there is one: what changed, of the gateways of which something did.
  std::vector<reach::SetStep> Learn();
  bool knows_all() const { return learned_ == store_.newest(); }

  const reach::GatewaySet& set(size_t gateway) const { return *sets_.at(gateway); }

 private:
  void Apply(const Change& change, uint64_t revision);

  const Store& store_;
  std::array<std::unique_ptr<reach::GatewaySet>, kGateways> sets_;
  uint64_t learned_ = 0;
};

}  // namespace portico::xds

#endif  // PORTICO_TEST_AGREEMENT_REPLICAS_H_
