#include "dataplane/filters/auth/key_table.h"

#include <algorithm>
#include <cstring>

#include "dataplane/filters/auth/api_key.h"

namespace portico::auth {
namespace {

uint64_t FirstBytes(const crypto::Sha256Digest& digest) {
  uint64_t out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

std::string_view Bytes(const crypto::Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

KeyTable::KeyTable(const Consumers& consumers) {
  for (size_t i = 0; i < consumers.all().size(); ++i) {
    const bool foreign = consumers.all()[i].foreign;
    for (const Consumer::Key& key : consumers.all()[i].keys) {
      const uint64_t first_bytes = FirstBytes(key.digest);
      const auto [begin, end] = entries_.equal_range(first_bytes);
      const auto same = std::find_if(begin, end, [&](const auto& entry) { return entry.second.digest == key.digest; });
      const Entry entry{key.digest, key.end, i, false};
      if (same == end) {
        entries_.emplace(first_bytes, entry);
      } else if (foreign == consumers.all()[same->second.consumer].foreign) {
        same->second.shared = true;
      } else if (!foreign) {
        same->second = entry;
      }
    }
  }
}

// What is searched for is the digest of what the client sent. Who measures how many bytes of a digest agree can't
// choose keys by it: keys are 256 random bits, and nobody finds a text whose digest begins as wanted and then goes on
// as wanted. So a table may do the search; what it finds is compared in constant time all the same.
KeyTable::Result KeyTable::Find(std::string_view key, base::WallTime now) const {
  if (key.empty() || key.size() > kKeyBytesMax) return {};
  const crypto::Sha256Digest digest = crypto::Sha256(key);
  const auto [begin, end] = entries_.equal_range(FirstBytes(digest));
  for (auto place = begin; place != end; ++place) {
    const Entry& entry = place->second;
    if (!crypto::ConstantTimeEquals(Bytes(entry.digest), Bytes(digest))) continue;
    if (entry.shared) return {};
    if (now >= entry.end) return {Verdict::kExpired, 0};
    return {Verdict::kKnown, entry.consumer};
  }
  return {};
}

}  // namespace portico::auth
