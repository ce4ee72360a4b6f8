#ifndef PORTICO_CONTROLPLANE_NORTH_GATEKEEPER_H_
#define PORTICO_CONTROLPLANE_NORTH_GATEKEEPER_H_

#include <grpcpp/server_context.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/check/configuration.h"
#include "controlplane/access/rights.h"
#include "controlplane/change/changes.h"

namespace portico::north {

// What a call is made with: kept as long as it lasts, and judged again when Roles or Tokens change.
struct Caller {
  access::Credentials credentials;
  std::string peer;       // "127.0.0.1:4711"
  access::Rights rights;  // as they were when it was asked for

  // For the record.
  change::Caller record() const;
  // Whose places a call takes: the author and the address without its port.
  std::string holder() const;
};

// Asks `access` on behalf of the services: what it judges by is the newest configuration, the clock and the settings.
// The admin token ends when a change makes somebody Admin of all namespaces, or gives who is another token. Outlives
// the services. Any thread.
//
//   ASSIGN caller = gatekeeper.CallerOf(context);   // kUnauthenticated
//   RETURN_IF_ERROR(access::JudgeRead(caller.rights, name_space));
//   changes.Apply(change, caller.record(), gatekeeper.JudgeOf(caller));
class Gatekeeper {
 public:
  struct Options {
    change::Changes::Clock now = [] { return int64_t{0}; };  // microseconds since 1970
    bool certificates = false;                               // clients may have some: the API speaks TLS
    std::optional<access::RoleName> anonymous = {};          // access::Settings
    std::string admin_token_sha256 = {};
    // Told once, when the admin token has ended, on the thread that made the change. May be empty.
    std::function<void()> admin_token_ends = {};
  };

  // `changes` must outlive it.
  Gatekeeper(change::Changes& changes, Options options);

  absl::StatusOr<Caller> CallerOf(const grpc::ServerContextBase& context) const;
  // The same caller now. kUnauthenticated: it is not known any more.
  absl::StatusOr<access::Rights> RightsOf(const access::Credentials& credentials) const;
  // What the same caller might read by the Roles and Tokens of an older configuration; nothing if it was not known.
  access::Scope ReadsAt(const access::Credentials& credentials, const check::Configuration& configuration) const;
  // For the length of a call to Changes.
  change::Changes::Judge JudgeOf(const Caller& caller) const;
  // Whether a bearer token is known: `authorization` as the caller sent it, over TLS.
  absl::Status Admits(std::string_view authorization) const;

  int64_t now_micros() const { return options_.now(); }

 private:
  access::Settings Settings() const;
  void OnStep(const model::Step& step);

  change::Changes& changes_;
  const Options options_;
  mutable absl::Mutex mutex_;
  std::string admin_token_sha256_ ABSL_GUARDED_BY(mutex_);
};

// Whether a step changes who may do what.
bool ChangesAccess(const model::Step& step);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_GATEKEEPER_H_
