#ifndef PORTICO_CONTROLPLANE_REACH_GATEWAY_SET_H_
#define PORTICO_CONTROLPLANE_REACH_GATEWAY_SET_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "api/check/configuration.h"
#include "api/wire/set_digest.h"

namespace portico::reach {

// A resource as it travels: a whole `resources` field of a DeltaDiscoveryResponse, tag and length included, so that a
// response is these bytes one after the other. Made once, shared by every gateway and stream.
struct Item {
  std::string version;
  std::shared_ptr<const std::string> field;
};

// What one gateway gets. Changed in place by Reaches, on one thread.
class GatewaySet {
 public:
  using Items = std::map<std::string, Item, std::less<>>;  // by name

  explicit GatewaySet(check::ResourceKey gateway) : gateway_(std::move(gateway)) {}

  const check::ResourceKey& gateway() const { return gateway_; }
  // Whether the configuration has the gateway. One that it has not (yet, or by somebody's mistake) sends nothing and
  // takes nothing away: its proxies go on with what they have.
  bool known() const { return known_; }
  void set_known(bool known) { known_ = known; }
  // The newest revision that changed anything here.
  uint64_t revision() const { return revision_; }
  std::string digest() const { return digest_.ToString(); }
  // Empty for a type of which it has nothing.
  const Items& OfType(std::string_view type_url) const;
  // The commit mark, a set of one; empty before the first Seal.
  const Items& mark() const { return mark_; }

  // New, or in the place of another version.
  void Put(const std::string& type_url, const std::string& name, Item item);
  void Remove(const std::string& type_url, const std::string& name);
  // Makes the mark of what is here now.
  void Seal(const std::string& epoch, uint64_t revision);

 private:
  const check::ResourceKey gateway_;
  bool known_ = false;
  uint64_t revision_ = 0;
  std::map<std::string, Items, std::less<>> types_;
  Items mark_;
  std::map<std::string, wire::SetDigest, std::less<>> digests_;  // of each type
  wire::SetDigest digest_;                                       // of all
};

// `message` is a serialised resource of that type.
Item MakeItem(std::string_view type_url, std::string_view name, std::string version, const std::string& message);

}  // namespace portico::reach

#endif  // PORTICO_CONTROLPLANE_REACH_GATEWAY_SET_H_
