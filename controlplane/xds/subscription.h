#ifndef PORTICO_CONTROLPLANE_XDS_SUBSCRIPTION_H_
#define PORTICO_CONTROLPLANE_XDS_SUBSCRIPTION_H_

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/reach/gateway_set.h"

namespace portico::xds {

// One type of one stream (incremental xDS, https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol): what the
// client asked for, what it has as far as we know, and what it is owed. Pure: requests and changes go in, what to send
// comes out. A change costs the names that changed.
class Subscription {
 public:
  using Items = reach::GatewaySet::Items;

  // What a request says of names. `first`: it is the stream's first of this type; then nothing subscribed means
  // everything (the wildcard of old), and `has` is what the client brought along.
  struct Request {
    bool first = false;
    std::vector<std::string> subscribe;
    std::vector<std::string> unsubscribe;
    std::map<std::string, std::string> has;  // name to version
  };
  void OnRequest(const Request& request, const Items& items);

  // A resource came, went or has a new version.
  void OnChange(const std::string& name);
  // It is to be sent, whatever the client has.
  void Again(const std::string& name);

  // What is sent next; empty fields and removals with `send` set are an answer that says "nothing".
  struct Response {
    bool send = false;
    std::vector<std::shared_ptr<const std::string>> fields;
    std::vector<std::string> removed;
  };
  // At most `bytes_max` of fields, but at least one; the rest stays owed.
  Response Next(const Items& items, size_t bytes_max);

  // Whether a first wildcard waits for its answer; it is taken to be given.
  bool TakeAnswer() { return std::exchange(answer_, false); }

  bool owes() const { return !owed_.empty() || answer_; }
  size_t names() const { return names_.size() + has_.size(); }

 private:
  bool Wants(const std::string& name) const { return wildcard_ || names_.count(name) > 0; }
  void Owe(const std::string& name, bool again);
  void OweAll(const Items& items);

  bool wildcard_ = false;
  bool answer_ = false;  // a first wildcard is answered even with nothing
  std::set<std::string> names_;
  std::map<std::string, std::string> has_;  // or has refused: it is not sent again until there is a newer one
  // To look at in Next: true: to be sent even if the client has that version.
  std::map<std::string, bool> owed_;
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_SUBSCRIPTION_H_
