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

struct SecretPair {
  check::ResourceKey secret;
  crypto::KeyPair pair;
};

absl::StatusOr<std::vector<SecretPair>> ReadListener(const resolve::ResolvedListener& listener,
                                                     const check::Configuration& configuration) {
  std::vector<SecretPair> out;
  std::string reasons;
  for (const check::ResourceKey& key : listener.certificates) {
    absl::StatusOr<crypto::KeyPair> pair = ReadKeyPair(key, configuration);
    if (pair.ok()) {
      out.push_back({key, *std::move(pair)});
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

absl::StatusOr<PortTls> BuildPortTls(const resolve::ResolvedGateway& gateway, uint16_t port,
                                     const check::Configuration& configuration, const tls::TicketKeys& ticket_keys) {
  PortTls out;
  std::vector<ListenerCertificates> listeners;
  std::vector<std::vector<SecretPair>> pairs;  // beside listeners
  for (const resolve::ResolvedListener& listener : gateway.listeners) {
    const v1::Listener& message = gateway.resource->gateway().spec().listeners(static_cast<int>(listener.index));
    if (listener.port != port || message.protocol() != v1::LISTENER_PROTOCOL_HTTPS) continue;
    absl::StatusOr<std::vector<SecretPair>> read = ReadListener(listener, configuration);
    if (!read.ok()) return read.status();
    listeners.push_back({listener.hostname, {}});
    for (const auto& [secret, pair] : *read) {
      listeners.back().names.push_back(pair.dns_names());
      out.certificates.push_back({secret, pair.not_before(), pair.not_after()});
    }
    pairs.push_back(*std::move(read));
  }
  if (listeners.empty()) return out;
  tls::ServerContext::Options options;
  options.ticket_keys = ticket_keys;
  for (CertificateOffer& offer : OfferCertificates(listeners)) {
    options.certificates.push_back({pairs[offer.listener][offer.certificate].pair, std::move(offer.names)});
  }
  absl::StatusOr<std::unique_ptr<tls::ServerContext>> context = tls::ServerContext::Create(std::move(options));
  if (context.ok()) {
    out.context = *std::move(context);
    return out;
  }
  return absl::InvalidArgumentError(
      base::ToAbsl(Concat("spec.listeners: port ", port, ": ", base::ToStd(context.status().message()))));
}

}  // namespace portico::snapshot
