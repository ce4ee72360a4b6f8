#ifndef PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_CONFIG_H_
#define PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_CONFIG_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "dataplane/filters/filters.h"
#include "dataplane/net/address.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/tls/ticket_keys.h"

namespace portico::snapshot {

struct BuildOptions {
  std::optional<net::Address> bind_address;  // --bind_address: for a gateway that names no address
  tls::TicketKeys ticket_keys;               // the process's: a reload must not end the sessions that clients resume
  filters::SharedState filters{};            // the process's: a reload must not forget what was counted
};

// A configuration (checked: api/check, each resource and the whole) and a gateway's key -> the snapshot. Pure; it may
// take long (10,000 routes: measure), so never on a loop.
//
// The result does not depend on `before`, a snapshot of the same gateway built with the same options, or nullptr. With
// it, the cost of a change of Routes, Clusters, Endpoints and Compositions is theirs and that of the rules that refer
// to them, and what has not changed is shared. (Gateways, policies, Secrets, Consumers and grants are about everything:
// when one of these changes that the gateway needs, all is built anew.)
//
// What is missing or broken fails closed where it stands: a backend gets a fault (500), a policy answers 503; all of it
// is listed in Snapshot::faults. Whoever reads a file refuses a snapshot with faults.
// kNotFound: there is no such gateway. kInvalidArgument: what of the whole can't be built, by resource and field: a
// regular expression, a value out of bounds, a listener without a certificate that can be used. Its words begin with
// ResourceKey::ToString() and the field: "Gateway shop: spec.listeners[0].tls.certificateRefs: …".
//
// It is nobody's yet, so whoever puts it in force may give it a revision.
absl::StatusOr<std::shared_ptr<Snapshot>> BuildSnapshot(const check::Configuration& configuration,
                                                        const check::ResourceKey& gateway, const BuildOptions& options,
                                                        const Snapshot* before = nullptr);
// For whoever has resolved it already.
absl::StatusOr<std::shared_ptr<Snapshot>> BuildSnapshotOf(resolve::ResolvedGateway gateway, const BuildOptions& options,
                                                          const Snapshot* before = nullptr);

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_SNAPSHOT_CONFIG_H_
