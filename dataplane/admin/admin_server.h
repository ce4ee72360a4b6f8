#ifndef PORTICO_DATAPLANE_ADMIN_ADMIN_SERVER_H_
#define PORTICO_DATAPLANE_ADMIN_ADMIN_SERVER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/admin/admin_view.h"
#include "dataplane/admin/pages.h"
#include "dataplane/base/buffer.h"
#include "dataplane/event/loop.h"
#include "dataplane/net/network.h"

namespace portico::admin {

// The proxy's own pages over HTTP/1.1 and HTTP/2 in clear, on the main thread's loop.
//
//   AdminServer admin(loop, network, pool, view);
//   absl::Status status = admin.Listen(admin_address, Pages::kAll, !admin_address.IsLoopback());
//   status = admin.Listen(probe_address, Pages::kProbes, true);
//
// Destroying it ends every connection, also one in the middle of its answer. Not inside a call of the view or a turn's
// deletions.
class AdminServer {
 public:
  // Of each address. The oldest that has no request under way makes room for a new one.
  static constexpr size_t kConnectionsMax = 100;

  // All outlive it.
  AdminServer(event::Loop& loop, net::Network& network, base::BlockPool& pool, AdminView& view);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Any number of addresses. An error names the address and what is wrong with it.
  absl::Status Listen(const net::Address& address, Pages pages, bool read_only);

  // In the order of the calls; with the real port where 0 was asked for.
  std::vector<net::Address> addresses() const;

 private:
  class Door;

  event::Loop& loop_;
  net::Network& network_;
  base::BlockPool& pool_;
  AdminView& view_;
  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace portico::admin

#endif  // PORTICO_DATAPLANE_ADMIN_ADMIN_SERVER_H_
