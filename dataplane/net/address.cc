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

using base::Concat;
using base::ToAbsl;

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

absl::Status NoAddress(std::string_view text) {
  return absl::InvalidArgumentError(
      ToAbsl(Concat("`", text, "` is no IP address; write one as 192.0.2.1 or 2001:db8::1")));
}

}  // namespace

absl::StatusOr<Address> Address::Parse(std::string_view ip, uint16_t port) {
  // inet_pton reads up to a NUL and takes no zone, which has no meaning beyond one machine.
  if (ip.find('\0') != std::string_view::npos) return NoAddress("(with a NUL)");
  const std::string text(ip);
  Address address;
  address.port_ = port;
  if (inet_pton(AF_INET, text.c_str(), address.bytes_.data()) == 1) return address;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes_.data()) != 1) return NoAddress(ip);
  address.v6_ = true;
  if (std::memcmp(address.bytes_.data(), kMappedPrefix, sizeof kMappedPrefix) != 0) return address;
  std::array<uint8_t, 16> mapped{};
  std::copy(address.bytes_.begin() + 12, address.bytes_.end(), mapped.begin());
  address.bytes_ = mapped;
  address.v6_ = false;
  return address;
}

absl::StatusOr<Address> Address::ParseWithPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  const bool v6 = ip.find(':') != std::string_view::npos;
  const std::optional<uint64_t> port =
      colon == std::string_view::npos ? std::nullopt : base::ParseDecimal(text.substr(colon + 1));
  if (!port || *port > 65535 || bracketed != v6) {
    return absl::InvalidArgumentError(
        ToAbsl(Concat("`", text, "` is no address with a port; write one as 192.0.2.1:80 or [2001:db8::1]:80")));
  }
  return Parse(ip, static_cast<uint16_t>(*port));
}

Address Address::FromSocketAddress(const struct sockaddr* from) {
  Address address;
  if (from->sa_family == AF_INET) {
    struct sockaddr_in v4;
    std::memcpy(&v4, from, sizeof v4);
    std::memcpy(address.bytes_.data(), &v4.sin_addr, 4);
    address.port_ = ntohs(v4.sin_port);
    return address;
  }
  struct sockaddr_in6 v6;
  std::memcpy(&v6, from, sizeof v6);
  address.port_ = ntohs(v6.sin6_port);
  if (std::memcmp(&v6.sin6_addr, kMappedPrefix, sizeof kMappedPrefix) == 0) {
    std::memcpy(address.bytes_.data(), reinterpret_cast<const uint8_t*>(&v6.sin6_addr) + 12, 4);
    return address;
  }
  address.v6_ = true;
  std::memcpy(address.bytes_.data(), &v6.sin6_addr, 16);
  return address;
}

bool Address::IsLoopback() const {
  if (!v6_) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.begin() + 15, [](uint8_t b) { return b == 0; }) && bytes_[15] == 1;
}

Address Address::WithPort(uint16_t port) const {
  Address other = *this;
  other.port_ = port;
  return other;
}

uint32_t Address::ToSocketAddress(void* storage) const {
  if (v6_) {
    struct sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, bytes_.data(), 16);
    std::memcpy(storage, &v6, sizeof v6);
    return sizeof v6;
  }
  struct sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_);
  std::memcpy(&v4.sin_addr, bytes_.data(), 4);
  std::memcpy(storage, &v4, sizeof v4);
  return sizeof v4;
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
  return text;
}

std::string Address::ToString() const {
  return v6_ ? Concat("[", ip(), "]:", port_) : Concat(ip(), ":", port_);
}

absl::StatusOr<Network4Or6> Network4Or6::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  absl::StatusOr<Address> base = Address::Parse(text.substr(0, slash), 0);
  if (!base.ok()) return base.status();
  const uint64_t bits_max = base->bytes().size() * 8;
  std::optional<uint64_t> bits = bits_max;
  if (slash != std::string_view::npos) bits = base::ParseDecimal(text.substr(slash + 1));
  if (!bits || *bits > bits_max) {
    return absl::InvalidArgumentError(
        ToAbsl(Concat("`", text, "` is no network; a prefix here is 0 to ", bits_max, " bits long, as in 10.0.0.0/8")));
  }
  const std::string_view bytes = base->bytes();
  for (uint64_t bit = *bits; bit < bits_max; ++bit) {
    if ((static_cast<uint8_t>(bytes[bit / 8]) >> (7 - bit % 8) & 1) == 0) continue;
    return absl::InvalidArgumentError(ToAbsl(Concat("`", text, "` has bits below its prefix; they must be zero")));
  }
  Network4Or6 network;
  network.base_ = *base;
  network.prefix_bits_ = static_cast<int>(*bits);
  return network;
}

bool Network4Or6::Contains(const Address& address) const {
  if (address.is_v6() != base_.is_v6()) return false;
  const std::string_view ours = base_.bytes(), theirs = address.bytes();
  const size_t whole = static_cast<size_t>(prefix_bits_) / 8;
  const int rest = prefix_bits_ % 8;
  if (ours.substr(0, whole) != theirs.substr(0, whole)) return false;
  return rest == 0 || (static_cast<uint8_t>(ours[whole] ^ theirs[whole]) >> (8 - rest)) == 0;
}

}  // namespace portico::net
