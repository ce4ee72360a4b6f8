#include "dataplane/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "api/base/text.h"

namespace portico::net {

namespace {

constexpr int kV4Bits = 32;
constexpr int kV6Bits = 128;
constexpr int kMappedPrefixBits = kV6Bits - kV4Bits;  // ::ffff:0:0/96, RFC 4291 section 2.5.5.2

absl::Status NotAn(std::string_view what, std::string_view text, std::string_view why = "") {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat("\"", text, "\" is not ", what, why)));
}

// No sign, no leading zero (which some read as octal), nothing over `max`.
std::optional<int> ParseNumber(std::string_view text, int max) {
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  const auto number = base::ParseDecimal(text);
  if (!number || *number > static_cast<uint64_t>(max)) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

absl::StatusOr<Address> Address::Parse(std::string_view ip, uint16_t port) {
  // A zone names an interface of this machine (RFC 4007): nothing that a configuration could share.
  if (ip.find('%') != ip.npos) return NotAn("an IP address", ip, ": zones are not supported");
  if (ip.find('\0') != ip.npos) return NotAn("an IP address", ip.substr(0, ip.find('\0')), ": it has a zero byte");
  const std::string text(ip);
  struct in_addr v4;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr = v4;
    return FromSocketAddress(reinterpret_cast<const struct sockaddr*>(&address));
  }
  struct sockaddr_in6 address = {};
  if (inet_pton(AF_INET6, text.c_str(), &address.sin6_addr) != 1) return NotAn("an IP address", ip);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  return FromSocketAddress(reinterpret_cast<const struct sockaddr*>(&address));
}

absl::StatusOr<Address> Address::ParseWithPort(std::string_view text) {
  constexpr std::string_view kWhat = "an IP address with a port";
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return NotAn(kWhat, text);
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  if (bracketed != (ip.find(':') != ip.npos)) return NotAn(kWhat, text, ": IPv6 addresses, and only they, stand in []");
  const auto port = ParseNumber(text.substr(colon + 1), UINT16_MAX);
  if (!port) return NotAn(kWhat, text, ": ports are 0 to 65535");
  return Parse(ip, static_cast<uint16_t>(*port));
}

Address Address::FromSocketAddress(const struct sockaddr* address) {
  Address result;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const struct sockaddr_in*>(address);
    std::memcpy(result.bytes_.data(), &v4->sin_addr, sizeof v4->sin_addr);
    result.port_ = ntohs(v4->sin_port);
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const struct sockaddr_in6*>(address);
    result.port_ = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      std::memcpy(result.bytes_.data(), &v6->sin6_addr.s6_addr[kMappedPrefixBits / 8], kV4Bits / 8);
    } else {
      result.v6_ = true;
      std::memcpy(result.bytes_.data(), &v6->sin6_addr, sizeof v6->sin6_addr);
    }
  }
  return result;
}

bool Address::IsLoopback() const {
  if (!v6_) return bytes_[0] == 127;
  return bytes_.back() == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t byte) { return byte == 0; });
}

Address Address::WithPort(uint16_t port) const {
  Address result = *this;
  result.port_ = port;
  return result;
}

uint32_t Address::ToSocketAddress(void* storage) const {
  if (!v6_) {
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    std::memcpy(&address.sin_addr, bytes_.data(), sizeof address.sin_addr);
    std::memcpy(storage, &address, sizeof address);
    return sizeof address;
  }
  struct sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port_);
  std::memcpy(&address.sin6_addr, bytes_.data(), sizeof address.sin6_addr);
  std::memcpy(storage, &address, sizeof address);
  return sizeof address;
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
}

std::string Address::ToString() const {
  return v6_ ? base::Concat("[", ip(), "]:", port_) : base::Concat(ip(), ":", port_);
}

absl::StatusOr<Network4Or6> Network4Or6::Parse(std::string_view text) {
  constexpr std::string_view kWhat = "a network";
  const size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  const auto address = Address::Parse(ip, 0);
  if (!address.ok()) return address.status();
  const bool mapped = !address->is_v6() && ip.find(':') != ip.npos;
  const int bits = address->is_v6() || mapped ? kV6Bits : kV4Bits;
  int prefix_bits = bits;
  if (slash != text.npos) {
    const auto number = ParseNumber(text.substr(slash + 1), bits);
    if (!number) return NotAn(kWhat, text, base::Concat(": the prefix has 0 to ", bits, " bits"));
    prefix_bits = *number;
  }
  if (mapped) {
    if (prefix_bits < kMappedPrefixBits) return NotAn(kWhat, text, ": it is wider than all of IPv4; write 0.0.0.0/0");
    prefix_bits -= kMappedPrefixBits;
  }
  Network4Or6 network;
  network.base_ = *address;
  network.prefix_bits_ = prefix_bits;
  const std::string_view bytes = network.base_.bytes();
  for (int bit = prefix_bits; bit < static_cast<int>(bytes.size()) * 8; ++bit)
    if (static_cast<uint8_t>(bytes[bit / 8]) & (0x80 >> bit % 8))
      return NotAn(kWhat, text, base::Concat(": bits are set below its prefix of ", prefix_bits));
  return network;
}

bool Network4Or6::Contains(const Address& address) const {
  if (address.is_v6() != base_.is_v6()) return false;
  const std::string_view network = base_.bytes();
  const std::string_view other = address.bytes();
  const int whole_bytes = prefix_bits_ / 8;
  if (network.substr(0, whole_bytes) != other.substr(0, whole_bytes)) return false;
  const int rest_bits = prefix_bits_ % 8;
  if (rest_bits == 0) return true;
  const uint8_t difference = static_cast<uint8_t>(network[whole_bytes]) ^ static_cast<uint8_t>(other[whole_bytes]);
  return difference >> (8 - rest_bits) == 0;
}

}  // namespace portico::net
