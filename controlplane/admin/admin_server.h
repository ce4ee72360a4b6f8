#ifndef PORTICO_CONTROLPLANE_ADMIN_ADMIN_SERVER_H_
#define PORTICO_CONTROLPLANE_ADMIN_ADMIN_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "controlplane/admin/pages.h"

struct MHD_Daemon;

namespace portico::admin {

// The pages over HTTP/1.1, in clear, at one address.
class AdminServer {
 public:
  using AskState = std::function<State()>;

  // Serves when it returns. `address`: IP:PORT, port 0: a free one. kFailedPrecondition names --admin_address. `state`
  // is called on the server's thread and must not wait.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const std::string& address, AskState state);
  // Breaks off whatever is being answered.
  ~AdminServer();

  // With the port that it has.
  const std::string& address() const { return address_; }
  State state() const { return state_(); }

 private:
  AdminServer(std::string address, AskState state);

  const std::string address_;
  const AskState state_;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace portico::admin

#endif  // PORTICO_CONTROLPLANE_ADMIN_ADMIN_SERVER_H_
