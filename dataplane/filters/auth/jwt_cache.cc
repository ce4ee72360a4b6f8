#include "dataplane/filters/auth/jwt_cache.h"

#include <utility>

namespace portico::auth {

std::shared_ptr<const Claims> JwtCache::Find(const Key& key, base::WallTime now) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  const auto entry = found->second;
  // A wall clock may also jump back, before the token's beginning.
  if (now < entry->claims->valid_from() || now >= entry->claims->valid_until()) {
    Erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->claims;
}

void JwtCache::Insert(const Key& key, std::shared_ptr<const Claims> claims) {
  if (claims->bytes() > bytes_max_ || tokens_max_ == 0) return;
  if (const auto found = index_.find(key); found != index_.end()) Erase(found->second);
  while (entries_.size() >= tokens_max_ || bytes_ + claims->bytes() > bytes_max_)
    Erase(std::prev(entries_.end()));
  bytes_ += claims->bytes();
  entries_.push_front({key, std::move(claims)});
  index_[key] = entries_.begin();
}

void JwtCache::Erase(std::list<Entry>::iterator entry) {
  bytes_ -= entry->claims->bytes();
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace portico::auth
