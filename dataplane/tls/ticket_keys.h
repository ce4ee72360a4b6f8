#ifndef PORTICO_DATAPLANE_TLS_TICKET_KEYS_H_
#define PORTICO_DATAPLANE_TLS_TICKET_KEYS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portico::tls {

// The keys under which a server hands its session state to clients (RFC 8446 section 4.6.1, RFC 5077): one object for
// all workers and listeners, so that a client resumes wherever the kernel takes it. An immutable value; a change of
// keys is a new value in new contexts, published like any other configuration:
//
//   TicketKeys keys = TicketKeys::Generate();
//   … a day later: keys = keys.Rotated();     // new tickets by a new key, the last kKeysMax - 1 ones still open
//
// Tickets are AES-256-GCM under a key named by 16 random bytes, as RFC 5077 section 4 lays them out.
class TicketKeys {
 public:
  static constexpr size_t kKeysMax = 3;  // rotated daily, tickets of two days resume; TLS 1.3 allows seven

  static TicketKeys Generate();
  TicketKeys Rotated() const;

  // Bytes that Seal() adds.
  static constexpr size_t kOverheadBytes = 16 + 12 + 16;
  std::string Seal(std::string_view state) const;
  // nullopt: of no key that is here, or not what was sealed; the client then makes a full handshake.
  std::optional<std::string> Open(std::string_view ticket) const;

 private:
  struct Key {
    std::array<uint8_t, 16> name;
    std::array<uint8_t, 32> secret;
  };

  std::vector<Key> keys_;  // the first one seals
};

}  // namespace portico::tls

#endif  // PORTICO_DATAPLANE_TLS_TICKET_KEYS_H_
