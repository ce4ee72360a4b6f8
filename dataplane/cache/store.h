#ifndef PORTICO_DATAPLANE_CACHE_STORE_H_
#define PORTICO_DATAPLANE_CACHE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/cache/key.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/stored_response.h"
#include "dataplane/shared/byte_account.h"
#include "dataplane/shared/counter.h"
#include "dataplane/shared/striped_store.h"

namespace portico::cache {

// What the process has stored, by URI: for all workers, longer than any configuration. Bounded in bytes: of all that is
// stored, is being stored, or is still being sent to somebody. Any thread, unless said otherwise.
class Store {
 public:
  static constexpr size_t kBytesMaxDefault = 64 << 20;
  static constexpr size_t kVariantsMax = 16;  // of one URI; the oldest goes first

  explicit Store(size_t bytes_max = kBytesMaxDefault) : account_(std::make_shared<shared::ByteAccount>(bytes_max)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Less than is there: what was used the longest ago goes.
  void set_bytes_max(size_t bytes_max);

  // The newest response of that identity that this request selects.
  struct Found {
    std::shared_ptr<const StoredResponse> response;  // nullptr: none
    bool known = false;                              // there are others of that URI
  };
  Found Find(const std::string& key, std::string_view identity, const http::Fields& request);

  // An empty hold, and more of it: what is stored gives way. False: there is no room for so much.
  shared::ByteHold NewHold() const { return shared::ByteHold(account_); }
  bool Grow(shared::ByteHold& hold, size_t bytes);

  // Noted before the origin is asked: what was purged or made invalid since is not stored.
  uint64_t Generation(const std::string& key) const { return responses_.Generation(key); }
  // In the place of the variant that it is. False: refused, or no room.
  bool Put(const std::string& key, std::shared_ptr<const StoredResponse> response, uint64_t generation);
  bool Invalidate(const std::string& key) { return responses_.Invalidate(key); }

  // Obeys those that it has not obeyed before; `purges` are all that there are now. On the main thread.
  void Obey(const std::vector<Purge>& purges);

  size_t bytes() const { return account_->bytes(); }
  size_t size() const { return responses_.size(); }  // URIs
  uint64_t evictions() const { return evictions_.value(); }
  uint64_t purged() const { return purged_.value(); }  // URIs

 private:
  struct Variants {
    explicit Variants(shared::ByteHold its_hold) : hold(std::move(its_hold)) {}
    std::vector<std::shared_ptr<const StoredResponse>> responses;  // the newest first
    shared::ByteHold hold;
  };

  void PurgeNow(const PurgeScope& scope);

  const std::shared_ptr<shared::ByteAccount> account_;
  shared::StripedStore<Variants> responses_;
  shared::SharedCounter evictions_, purged_;
  std::map<std::string, Purge> obeyed_;  // by name
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_STORE_H_
