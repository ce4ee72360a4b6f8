#ifndef PORTICO_DATAPLANE_NET_ACCEPTOR_GROUP_H_
#define PORTICO_DATAPLANE_NET_ACCEPTOR_GROUP_H_

#include <memory>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "dataplane/net/address.h"
#include "dataplane/net/network.h"

namespace portico::net {

// Several sockets of one address as one acceptor: whoever has fewer workers than the process whose sockets it took over
// must accept from all of them.
class AcceptorGroup final : public Acceptor {
 public:
  // At least one.
  explicit AcceptorGroup(std::vector<std::unique_ptr<Acceptor>> members) : members_(std::move(members)) {
    PORTICO_CHECK(!members_.empty());
  }

  const Address& local() const override { return members_.front()->local(); }
  void Pause() override {
    for (const std::unique_ptr<Acceptor>& member : members_)
      member->Pause();
  }
  void Resume() override {
    for (const std::unique_ptr<Acceptor>& member : members_)
      member->Resume();
  }
  void Drain() override {
    for (const std::unique_ptr<Acceptor>& member : members_)
      member->Drain();
  }

 private:
  std::vector<std::unique_ptr<Acceptor>> members_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_ACCEPTOR_GROUP_H_
