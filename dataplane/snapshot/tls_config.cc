#include "dataplane/snapshot/tls_config.h"

#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/snapshot/certificate_names.h"

namespace portico::snapshot {
namespace {

using base::Concat;

absl::StatusOr<crypto::KeyPair> ReadKeyPair(const check::ResourceKey& key, const check::Configuration& configuration) {
  const v1::Resource* resource = configuration.Find(key);
  if (resource == nullptr) return absl::NotFoundError(Concat(key.ToString(), " does not exist"));
  if (!resource->secret().spec().has_tls()) return absl::InvalidArgumentError(Concat(key.ToString(), " has no `tls`"));
  const v1::TlsKeyPair& message = resource->secret().spec().tls();
  absl::StatusOr<crypto::KeyPair> pair =
      crypto::KeyPair::Parse(message.certificate().inline_(), message.private_key().inline_());
  if (pair.ok()) return pair;
  return absl::InvalidArgumentError(Concat(key.ToString(), ": ", base::ToStd(pair.status().message())));
}

absl::StatusOr<std::vector<crypto::KeyPair>> ReadListener(const resolve::ResolvedListener& listener,
                                                          const check::Configuration& configuration) {
  std::vector<crypto::KeyPair> out;
  std::string reasons;
  for (const check::ResourceKey& key : listener.certificates) {
    absl::StatusOr<crypto::KeyPair> pair = ReadKeyPair(key, configuration);
    if (pair.ok()) {
      out.push_back(*std::move(pair));
    } else {
      reasons += Concat(reasons.empty() ? "" : "; ", base::ToStd(pair.status().message()));
    }
  }
  if (!out.empty()) return out;
  if (reasons.empty()) reasons = "none is there that the Gateway may refer to";
  return absl::InvalidArgumentError(
      base::ToAbsl(Concat("spec.listeners[", listener.index, "].tls.certificateRefs: listener ", listener.name,
                          " has no certificate that can be used: ", reasons)));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const tls::ServerContext>> BuildServerContext(const resolve::ResolvedGateway& gateway,
                                                                             uint16_t port,
                                                                             const check::Configuration& configuration,
                                                                             const tls::TicketKeys& ticket_keys) {
  std::vector<ListenerCertificates> listeners;
  std::vector<std::vector<crypto::KeyPair>> pairs;  // beside listeners
  for (const resolve::ResolvedListener& listener : gateway.listeners) {
    const v1::Listener& message = gateway.resource->gateway().spec().listeners(static_cast<int>(listener.index));
    if (listener.port != port || message.protocol() != v1::LISTENER_PROTOCOL_HTTPS) continue;
    absl::StatusOr<std::vector<crypto::KeyPair>> read = ReadListener(listener, configuration);
    if (!read.ok()) return read.status();
    listeners.push_back({listener.hostname, {}});
    for (const crypto::KeyPair& pair : *read)
      listeners.back().names.push_back(pair.dns_names());
    pairs.push_back(*std::move(read));
  }
  if (listeners.empty()) return std::shared_ptr<const tls::ServerContext>();
  tls::ServerContext::Options options;
  options.ticket_keys = ticket_keys;
  for (CertificateOffer& offer : OfferCertificates(listeners)) {
    options.certificates.push_back({pairs[offer.listener][offer.certificate], std::move(offer.names)});
  }
  absl::StatusOr<std::unique_ptr<tls::ServerContext>> context = tls::ServerContext::Create(std::move(options));
  if (context.ok()) return std::shared_ptr<const tls::ServerContext>(*std::move(context));
  return absl::InvalidArgumentError(
      base::ToAbsl(Concat("spec.listeners: port ", port, ": ", base::ToStd(context.status().message()))));
}

}  // namespace portico::snapshot
