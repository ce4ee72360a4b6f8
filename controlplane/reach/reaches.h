#ifndef PORTICO_CONTROLPLANE_REACH_REACHES_H_
#define PORTICO_CONTROLPLANE_REACH_REACHES_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "controlplane/model/model.h"
#include "controlplane/reach/gateway_set.h"

namespace portico::reach {

// What a step changed of one gateway's set: type URLs and names. Not the mark, which changed too.
struct SetStep {
  const GatewaySet* set = nullptr;
  std::vector<std::pair<std::string, std::string>> changed;
};

// The sets of all gateways, by what their models say that they reach. One thread at a time.
class Reaches {
 public:
  explicit Reaches(const model::Model& model);

  // Steps must come in order. A gateway that was deleted keeps an empty set until Forget.
  // Several steps may come as one, with the keys of all.
  std::vector<SetStep> Advance(const model::Model& after, const std::vector<model::ResourceChange>& changes);

  // The set of a gateway. One that the configuration does not have has an empty set: it may come.
  const GatewaySet& Of(const check::ResourceKey& gateway);
  // Nobody asks for it any more: if the configuration does not have it, its set is dropped.
  void Forget(const check::ResourceKey& gateway);
  // The sets that there are.
  size_t size() const { return sets_.size(); }

 private:
  // Brings a set to what `model` says, `changes` being all since it was brought last; adds what was changed to `step`.
  void Bring(const model::Model& model, const std::vector<model::ResourceChange>& changes, GatewaySet& set,
             SetStep& step);
  const Item& ItemOf(const model::Model& model, const check::ResourceKey& key);

  std::string epoch_;
  uint64_t revision_ = 0;
  std::map<check::ResourceKey, std::unique_ptr<GatewaySet>> sets_;
  std::map<check::ResourceKey, resolve::Reach> reach_;  // what each gateway's set holds
  std::map<check::ResourceKey, Item> items_;            // the newest version of what travels
};

}  // namespace portico::reach

#endif  // PORTICO_CONTROLPLANE_REACH_REACHES_H_
