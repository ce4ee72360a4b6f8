#ifndef PORTICO_DATAPLANE_NET_DNS_MESSAGE_FOR_TEST_H_
#define PORTICO_DATAPLANE_NET_DNS_MESSAGE_FOR_TEST_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/address.h"

// Messages of RFC 1035 section 4. For tests only.

namespace portico::net::for_test {

inline constexpr uint16_t kA = 1, kCname = 5, kAaaa = 28;

struct Query {
  std::string bytes;
  std::string name;  // "orders.internal"
  uint16_t type = 0;
  bool tcp = false;
};

inline std::string Number16(unsigned number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

inline std::string Labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const size_t end = std::min(name.find('.'), name.size());
    out += static_cast<char>(end);
    out += name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return out + '\0';
}

// A record; its name is a pointer to the question's, or `name`.
inline std::string Record(uint16_t type, uint32_t ttl, std::string_view data, std::string_view name = "") {
  std::string out = name.empty() ? "\xc0\x0c" : Labels(name);
  out += Number16(type) + Number16(1) + Number16(ttl >> 16) + Number16(ttl & 0xffff);
  return out + Number16(static_cast<unsigned>(data.size())) + std::string(data);
}
inline std::string Host(std::string_view ip, uint32_t ttl, std::string_view name = "") {
  const Address address = *Address::Parse(ip, 0);
  return Record(address.is_v6() ? kAaaa : kA, ttl, address.bytes(), name);
}

// The answer to a query: its id and question, an rcode, and records.
inline std::string Reply(const Query& query, int rcode, const std::vector<std::string>& records = {},
                         bool truncated = false) {
  const size_t question_end = query.bytes.find('\0', 12) + 5;
  std::string out = query.bytes.substr(0, 2) + Number16((truncated ? 0x8780u : 0x8580u) | static_cast<unsigned>(rcode));
  out += Number16(1) + Number16(static_cast<unsigned>(records.size())) + Number16(0) + Number16(0);
  out += query.bytes.substr(12, question_end - 12);
  for (const std::string& record : records)
    out += record;
  return out;
}

}  // namespace portico::net::for_test

#endif  // PORTICO_DATAPLANE_NET_DNS_MESSAGE_FOR_TEST_H_
