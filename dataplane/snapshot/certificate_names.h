#ifndef PORTICO_DATAPLANE_SNAPSHOT_CERTIFICATE_NAMES_H_
#define PORTICO_DATAPLANE_SNAPSHOT_CERTIFICATE_NAMES_H_

#include <cstddef>
#include <string>
#include <vector>

namespace portico::snapshot {

// One HTTPS listener of a port and the DNS names of each of its certificates, lower case.
struct ListenerCertificates {
  std::string hostname;  // "" any
  std::vector<std::vector<std::string>> names;
};

// A certificate and the names of SNI that it is shown for (tls::ServerContext::Certificate::names, never empty).
struct CertificateOffer {
  size_t listener = 0;
  size_t certificate = 0;
  std::vector<std::string> names;
  bool operator==(const CertificateOffer&) const = default;
};

// Which certificate a port shows for which name. The most specific listener has the name; within a listener it is the
// certificate that names it, else the listener's first: also one that does not name the listener's hostname at all is
// shown there, since the client is the one to judge.
//
// The first offer is what clients get that name no host (those that connect to an IP address), or one that nobody has:
// the first certificate of the listener for any host, or of the first listener. No two offers have a name in common;
// certificates that are never shown are left out.
std::vector<CertificateOffer> OfferCertificates(const std::vector<ListenerCertificates>& listeners);

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_CERTIFICATE_NAMES_H_
