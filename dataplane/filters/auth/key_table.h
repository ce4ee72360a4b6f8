#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_KEY_TABLE_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_KEY_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "dataplane/base/time.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/filters/auth/consumers.h"

namespace portico::auth {

// Whose a key is: one digest and one search, however many keys there are. It holds digests alone. Immutable, any
// thread.
class KeyTable {
 public:
  KeyTable() = default;
  // Takes the keys of all of them; refers to none afterwards.
  explicit KeyTable(const Consumers& consumers);

  enum class Verdict : uint8_t { kKnown, kUnknown, kExpired };
  struct Result {
    Verdict verdict = Verdict::kUnknown;
    size_t consumer = 0;  // of kKnown: its place in Consumers::all()
  };
  // A key that two Consumers have is nobody's; of one that is foreign and one that is not it is the latter's, or
  // whoever reads a digest could shut its holder out by naming it elsewhere. Nobody's is also an empty one, and one of
  // more than kKeyBytesMax (api_key.h).
  Result Find(std::string_view key, base::WallTime now) const;

 private:
  struct Entry {
    crypto::Sha256Digest digest;
    base::WallTime end;
    size_t consumer;
    bool shared;
  };
  std::unordered_multimap<uint64_t, Entry> entries_;  // by the first bytes of the digest
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_KEY_TABLE_H_
