#ifndef PORTICO_DATAPLANE_FILTER_IDENTITY_H_
#define PORTICO_DATAPLANE_FILTER_IDENTITY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/json.h"

namespace portico::filter {

// How the caller was recognised. kAnonymous is also a caller whom nobody asked.
enum class IdentityMethod : uint8_t { kAnonymous, kJwt, kApiKey };

// A Consumer that the caller is.
struct ConsumerName {
  std::string name_space;
  std::string name;
  bool operator==(const ConsumerName&) const = default;
};

// Who is calling. Written by filters/auth once, before any filter that reads it; nobody changes it afterwards. The
// views and `claims` live as long as `owner` does, so a copy of the whole may outlive the exchange.
struct Identity {
  IdentityMethod method = IdentityMethod::kAnonymous;
  std::string_view subject;  // the claim `sub`, "" if there is none
  std::string_view issuer;   // the claim `iss`, "" if there is no token
  std::vector<std::string_view> scopes;
  base::Json claims;  // null, or the object of all claims
  std::shared_ptr<const void> owner;

  // In the order of their names, those of the policy's own namespace first. More than one only where Consumers overlap.
  std::vector<ConsumerName> consumers;
  std::vector<std::string> groups;  // of all of them

  bool anonymous() const { return method == IdentityMethod::kAnonymous; }
  // The first Consumer's name, "" if the caller is none.
  std::string_view consumer() const { return consumers.empty() ? std::string_view() : consumers.front().name; }
};

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_IDENTITY_H_
