#include "controlplane/xds/admission.h"

#include <algorithm>

#include "api/base/text.h"
#include "api/wire/names.h"

namespace portico::xds {

using base::Concat;

std::string HolderOf(const Peer& peer) {
  const std::string host = peer.address.substr(0, peer.address.rfind(':'));
  return peer.uris.empty() ? host : Concat(host, " ", base::Join(peer.uris, " "));
}

std::string IdentityOf(const check::ResourceKey& gateway) {
  return Concat("portico://gateway/", wire::ResourceName(gateway));
}

absl::StatusOr<std::string> Admit(const Peer& peer, const check::ResourceKey& gateway) {
  if (!peer.authenticated) return std::string();
  std::string wanted = IdentityOf(gateway);
  if (std::find(peer.uris.begin(), peer.uris.end(), wanted) != peer.uris.end()) return wanted;
  const std::string has = peer.uris.empty() ? "has no URI" : Concat("says ", base::Join(peer.uris, ", "));
  return absl::PermissionDeniedError(
      base::ToAbsl(Concat("node.cluster asks for ", wire::ResourceName(gateway),
                          ", which takes a certificate with the URI ", wanted, "; the client's ", has)));
}

}  // namespace portico::xds
