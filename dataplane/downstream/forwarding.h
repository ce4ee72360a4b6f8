#ifndef PORTICO_DATAPLANE_DOWNSTREAM_FORWARDING_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_FORWARDING_H_

#include <cstddef>
#include <string_view>

#include "dataplane/base/random.h"
#include "dataplane/downstream/forwarding_config.h"
#include "dataplane/http/message.h"
#include "dataplane/net/address.h"

namespace portico::downstream {

// What a request tells the origin about its way here, and what of such things is believed. Pure.
//
//   const net::Address client = ClientAddress(peer, head.fields, config);
//   AddForwarding(head, peer, client_is_https, config, random);

inline constexpr size_t kRequestIdBytesMax = 128;
inline constexpr size_t kForwardedForMax = 64;  // addresses kept; a longer list is an attack, and begins anew

bool IsTrusted(const net::Address& peer, const ForwardingConfig& config);

// The client: the peer itself, unless it is trusted and x-forwarded-for has a well-formed address at that place.
net::Address ClientAddress(const net::Address& peer, const http::Fields& fields, const ForwardingConfig& config);

// Edits the request's fields for the origin:
// - x-forwarded-for, -proto, -host: what an untrusted peer sent is replaced, what a trusted one sent is added to.
//   `forwarded` (RFC 7239) and x-forwarded-port of an untrusted peer are removed. Switched off: all of them are.
// - via (RFC 9110 section 7.6.3): "1.1 portico" or "2 portico", the version in which the request came.
// - x-request-id: kept if well-formed (1 to 128 letters, digits and "-_.:+/=@"), else made: 32 hexadecimal digits.
void AddForwarding(http::RequestHead& head, const net::Address& peer, bool https, const ForwardingConfig& config,
                   base::Random& random);

bool IsRequestId(std::string_view text);

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_FORWARDING_H_
