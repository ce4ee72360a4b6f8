#include "dataplane/downstream/forwarding.h"

#include <algorithm>
#include <optional>
#include <string>

#include "api/base/text.h"

namespace portico::downstream {
namespace {

using http::FieldId;

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80": what proxies write into x-forwarded-for.
std::optional<net::Address> ParseForwarded(std::string_view text) {
  if (absl::StatusOr<net::Address> bare = net::Address::Parse(text, 0); bare.ok()) return *bare;
  if (absl::StatusOr<net::Address> with_port = net::Address::ParseWithPort(text); with_port.ok()) return *with_port;
  return std::nullopt;
}

std::vector<std::string_view> ForwardedFor(const http::Fields& fields) {
  std::vector<std::string_view> addresses;
  for (const http::Field& field : fields) {
    if (field.id != FieldId::kXForwardedFor) continue;
    for (std::string_view piece : base::Split(field.value, ','))
      addresses.push_back(base::TrimSpace(piece));
  }
  return addresses;
}

void RemoveForwarded(http::Fields& fields) {
  for (const FieldId id : {FieldId::kXForwardedFor, FieldId::kXForwardedProto, FieldId::kXForwardedHost,
                           FieldId::kXForwardedPort, FieldId::kForwarded}) {
    fields.Remove(id);
  }
}

void AddForwarded(http::RequestHead& head, const net::Address& peer, bool https, bool trusted) {
  http::Fields& fields = head.fields;
  std::string chain;
  if (trusted) {
    const std::vector<std::string_view> before = ForwardedFor(fields);
    for (std::string_view address : before.size() < kForwardedForMax ? before : std::vector<std::string_view>()) {
      base::AppendTo(chain, address);
      chain += ", ";
    }
  } else {
    RemoveForwarded(fields);
  }
  chain += peer.ip();
  fields.Set(FieldId::kXForwardedFor, chain);
  if (!fields.Has(FieldId::kXForwardedProto)) fields.Add(FieldId::kXForwardedProto, https ? "https" : "http");
  if (!fields.Has(FieldId::kXForwardedHost) && !head.authority.empty()) {
    fields.Add(FieldId::kXForwardedHost, head.authority);
  }
}

void AddVia(http::RequestHead& head) {
  std::string via;
  if (const auto before = head.fields.Combined("via")) via = base::Concat(*before, ", ");
  const char* version = head.version == http::Version::kHttp2    ? "2"
                        : head.version == http::Version::kHttp10 ? "1.0"
                                                                 : "1.1";
  head.fields.Set(FieldId::kVia, base::Concat(via, version, " portico"));
}

void KeepOrMakeRequestId(http::Fields& fields, base::Random& random) {
  const auto id = fields.Find(FieldId::kXRequestId);
  if (id && fields.Count(FieldId::kXRequestId) == 1 && IsRequestId(*id)) return;
  char digits[32];
  random.FillHex(digits, sizeof digits);
  fields.Set(FieldId::kXRequestId, {digits, sizeof digits});
}

}  // namespace

bool IsTrusted(const net::Address& peer, const ForwardingConfig& config) {
  return std::any_of(config.trusted_networks.begin(), config.trusted_networks.end(),
                     [&](const net::Network4Or6& network) { return network.Contains(peer); });
}

net::Address ClientAddress(const net::Address& peer, const http::Fields& fields, const ForwardingConfig& config) {
  if (!IsTrusted(peer, config)) return peer;
  const std::vector<std::string_view> addresses = ForwardedFor(fields);
  if (addresses.size() < config.forwarded_hops || config.forwarded_hops == 0) return peer;
  return ParseForwarded(addresses[addresses.size() - config.forwarded_hops]).value_or(peer);
}

void AddForwarding(http::RequestHead& head, const net::Address& peer, bool https, const ForwardingConfig& config,
                   base::Random& random) {
  if (config.append_forwarded) {
    AddForwarded(head, peer, https, IsTrusted(peer, config));
  } else {
    RemoveForwarded(head.fields);
  }
  if (config.append_via) AddVia(head);
  if (config.generate_request_id) KeepOrMakeRequestId(head.fields, random);
}

bool IsRequestId(std::string_view text) {
  if (text.empty() || text.size() > kRequestIdBytesMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const char lower = base::LowerAscii(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:+/=@").find(c) != std::string_view::npos;
  });
}

}  // namespace portico::downstream
