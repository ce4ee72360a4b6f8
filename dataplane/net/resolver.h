#ifndef PORTICO_DATAPLANE_NET_RESOLVER_H_
#define PORTICO_DATAPLANE_NET_RESOLVER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/net/address.h"

namespace portico::net {

enum class Family : uint8_t { kV4, kV6 };  // A and AAAA

// What became of a lookup. The first two are answers.
enum class LookupOutcome : uint8_t {
  kAnswered,
  kNoAddress,      // the name is there, without an address of this family (NOERROR without such a record)
  kNoSuchName,     // NXDOMAIN
  kServerFailure,  // no server answers it: SERVFAIL, REFUSED and the like, or nobody is there to be asked
  kTimeout,        // they are silent
  kMalformed,      // what came is no answer
};

// A metric's label: this is the whole list.
constexpr std::string_view OutcomeName(LookupOutcome outcome) {
  switch (outcome) {
    case LookupOutcome::kAnswered:
      return "answered";
    case LookupOutcome::kNoAddress:
      return "no_address";
    case LookupOutcome::kNoSuchName:
      return "no_such_name";
    case LookupOutcome::kServerFailure:
      return "server_failure";
    case LookupOutcome::kTimeout:
      return "timeout";
    case LookupOutcome::kMalformed:
      break;
  }
  return "malformed";
}

struct Resolution {
  LookupOutcome outcome = LookupOutcome::kServerFailure;
  std::vector<Address> addresses;  // of kAnswered, at least one; with port 0, in the order of the answer
  base::Duration ttl{};            // of kAnswered: how long it holds
};

// The names of the world, as one loop asks for them; a constructor argument like the clock. Implementations:
// AresResolver and test::FakeResolver. Outlives its lookups.
//
//   lookup = resolver.Resolve("orders.internal", Family::kV4, handler)   → handler.OnResolved(…), once
class Resolver {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // The lookup is over. It may be destroyed here.
    virtual void OnResolved(Resolution resolution) = 0;
  };
  // One question under way. Destroying it takes the question back: the handler hears nothing any more.
  class Lookup {
   public:
    virtual ~Lookup() = default;
  };

  virtual ~Resolver() = default;
  // `name` is absolute, whether it ends with a dot or not: no search domain is tried. Never fails at once, and never
  // calls the handler, which outlives the lookup, before it returns.
  virtual std::unique_ptr<Lookup> Resolve(std::string_view name, Family family, Handler& handler) = 0;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_RESOLVER_H_
