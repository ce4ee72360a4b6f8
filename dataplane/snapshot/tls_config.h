#ifndef PORTICO_DATAPLANE_SNAPSHOT_TLS_CONFIG_H_
#define PORTICO_DATAPLANE_SNAPSHOT_TLS_CONFIG_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/tls/server_context.h"
#include "dataplane/tls/ticket_keys.h"

namespace portico::snapshot {

struct PortTls {
  std::shared_ptr<const tls::ServerContext> context;  // nullptr: the port is in clear
  std::vector<CertificateDates> certificates;         // that are in it; a Secret may be there several times
};

// The TLS of a port, with the certificates of all its listeners (certificate_names.h: which for whom).
// A certificate that can't be used is passed over as long as its listener has another one;
// kInvalidArgument names a listener that has none:
// "spec.listeners[1].tls.certificateRefs: listener https has no certificate that can be used: …".
absl::StatusOr<PortTls> BuildPortTls(const resolve::ResolvedGateway& gateway, uint16_t port,
                                     const check::Configuration& configuration, const tls::TicketKeys& ticket_keys);

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_TLS_CONFIG_H_
