#ifndef PORTICO_DATAPLANE_NET_ADDRESS_H_
#define PORTICO_DATAPLANE_NET_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct sockaddr;

namespace portico::net {

// An IPv4 or IPv6 address with a port, in 20 bytes (a sockaddr_storage has 128). IPv4-mapped IPv6 addresses
// (::ffff:a.b.c.d) are kept as IPv4, so that a network written as IPv4 matches them.
class Address {
 public:
  Address() = default;  // 0.0.0.0:0

  // "127.0.0.1", "::1" (without brackets or zone) and a port.
  static absl::StatusOr<Address> Parse(std::string_view ip, uint16_t port);
  // "127.0.0.1:80", "[::1]:80".
  static absl::StatusOr<Address> ParseWithPort(std::string_view text);
  static Address FromSocketAddress(const struct sockaddr* address);

  bool is_v6() const { return v6_; }
  uint16_t port() const { return port_; }
  bool IsLoopback() const;
  Address WithPort(uint16_t port) const;
  // Fills in a sockaddr_storage's worth of memory; returns its length.
  uint32_t ToSocketAddress(void* storage) const;
  // The raw address: 4 bytes for IPv4, 16 for IPv6.
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), v6_ ? 16u : 4u}; }

  std::string ip() const;        // "127.0.0.1", "::1"
  std::string ToString() const;  // "127.0.0.1:80", "[::1]:80"

  auto operator<=>(const Address&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
  uint16_t port_ = 0;
  bool v6_ = false;
};

// A network in CIDR notation: "10.0.0.0/8", "fd00::/8"; a bare address means all its bits. Bits below the prefix must
// be zero.
class Network4Or6 {
 public:
  static absl::StatusOr<Network4Or6> Parse(std::string_view text);
  bool Contains(const Address& address) const;

 private:
  Address base_;
  int prefix_bits_ = 0;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_ADDRESS_H_
