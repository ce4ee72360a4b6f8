#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_JWT_CACHE_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_JWT_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "dataplane/base/time.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/filters/auth/jwt.h"

namespace portico::auth {

// Tokens that one verifier found good, by the SHA-256 of their text: a P-256 check costs 200 µs of a core, a look here
// a few. Only good ones are kept: a flood of bad tokens evicts nobody. The least recently used one leaves first.
//
//   JwtCache::Key key = JwtCache::KeyOf(token);
//   std::shared_ptr<const Claims> claims = cache.Find(key, now);
//   if (claims == nullptr) { result = verifier.Verify(token, now); if (result.claims) cache.Insert(key, result.claims);
//   }
//
// One thread (each worker has its own). One cache belongs to one verifier: with another issuer, audience, skew or key
// set begin with an empty one, or a key that was withdrawn would live on.
class JwtCache {
 public:
  static constexpr size_t kTokensMax = 10'000;   // more people than are active on one worker at a time
  static constexpr size_t kBytesMax = 16 << 20;  // of claims, as their arenas count

  using Key = crypto::Sha256Digest;

  explicit JwtCache(size_t tokens_max = kTokensMax, size_t bytes_max = kBytesMax)
      : tokens_max_(tokens_max), bytes_max_(bytes_max) {}
  JwtCache(const JwtCache&) = delete;
  JwtCache& operator=(const JwtCache&) = delete;

  static Key KeyOf(std::string_view token) { return crypto::Sha256(token); }

  // nullptr: not known, or not good at `now` (it is then forgotten).
  std::shared_ptr<const Claims> Find(const Key& key, base::WallTime now);
  void Insert(const Key& key, std::shared_ptr<const Claims> claims);

  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const Claims> claims;
  };
  // Any eight bytes of a digest are a hash.
  struct Hash {
    size_t operator()(const Key& key) const {
      size_t hash;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };

  void Erase(std::list<Entry>::iterator entry);

  const size_t tokens_max_;
  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<Key, std::list<Entry>::iterator, Hash> index_;
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_JWT_CACHE_H_
