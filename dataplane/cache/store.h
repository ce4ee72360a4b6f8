#ifndef PORTICO_DATAPLANE_CACHE_STORE_H_
#define PORTICO_DATAPLANE_CACHE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/cache/decision.h"
#include "dataplane/cache/key.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/stored_response.h"
#include "dataplane/crypto/keyed_hash.h"
#include "dataplane/shared/byte_account.h"
#include "dataplane/shared/counter.h"
#include "dataplane/shared/striped_store.h"

namespace portico::cache {

// What the process has stored, by URI: for all workers, longer than any configuration. Bounded in bytes: of all that is
// stored, is being stored, or is still being sent to somebody. Any thread, unless said otherwise.
//
//   const uint64_t generation = store.Generation(key);      // before Find: what is found may be gone since
//   const Store::Found found = store.Find(request);
//   … the origin is asked, perhaps about found.response …
//   store.Put(key, response, generation, found.response);   // false: invalidated since, no room, or not the newest
class Store {
 public:
  static constexpr size_t kBytesMaxDefault = 64 << 20;
  static constexpr size_t kVariantsMax = 16;  // of one URI; the oldest goes first
  // The part of it that may be on its way in: whole lengths are reserved, and what is there gives way to them.
  static constexpr size_t kFillingPart = 2;

  explicit Store(size_t bytes_max = kBytesMaxDefault)
      : account_(std::make_shared<shared::ByteAccount>(bytes_max)),
        filling_(std::make_shared<shared::ByteAccount>(bytes_max / kFillingPart)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Less than is there: what was used the longest ago goes, and what somebody is still being sent when that is over.
  void set_bytes_max(size_t bytes_max);

  // The most recent response that is for this request (section 4, by `date`).
  struct Found {
    std::shared_ptr<const StoredResponse> response;  // nullptr: none
    bool known = false;                              // there are others of that URI and identity
  };
  Found Find(const CacheRequest& request);

  // An empty hold, and more of it: what is stored gives way, unless there would still be no room. False: there is none.
  shared::ByteHold NewHold() const { return shared::ByteHold(account_); }
  bool Grow(shared::ByteHold& hold, size_t bytes);
  // What is on its way in is counted by this besides.
  shared::ByteHold NewFillingHold() const { return shared::ByteHold(filling_); }

  // What was asked for before is not stored when it has moved.
  uint64_t Generation(const std::string& key) const { return responses_.Generation(key); }
  // In the place of the variant that it is; of two that know nothing of each other the one with the later `date` stays.
  // `replaced`: whose place it was asked for, whatever its date says; nullptr: nobody's. False: it is not there.
  bool Put(const std::string& key, std::shared_ptr<const StoredResponse> response, uint64_t generation,
           const StoredResponse* replaced);
  // What is there of it goes; other variants stay.
  void Remove(const std::string& key, const StoredResponse& response, uint64_t generation);
  bool Invalidate(const std::string& key) { return responses_.Invalidate(key); }

  // The process drains, and hears of no purge any more: from now on nothing is found or put in, and all that is there
  // goes.
  void Close() { responses_.Close(); }
  bool is_closed() const { return responses_.is_closed(); }

  // Obeys those that it has not obeyed before; `purges` are all that there are now. On the main thread.
  void Obey(const std::vector<Purge>& purges);

  size_t bytes() const { return account_->bytes(); }
  size_t filling_bytes() const { return filling_->bytes(); }
  size_t size() const { return responses_.size(); }  // URIs
  uint64_t evictions() const { return evictions_.value(); }
  uint64_t purged() const { return purged_.value(); }  // URIs

 private:
  struct Variants {
    explicit Variants(shared::ByteHold its_hold) : hold(std::move(its_hold)) {}
    std::vector<std::shared_ptr<const StoredResponse>> responses;  // what was stored the latest first
    shared::ByteHold hold;
  };
  // Strangers choose the URIs.
  struct KeyHash {
    uint64_t operator()(std::string_view key) const { return hash.Of(key); }
    crypto::KeyedHash hash = crypto::KeyedHash::Generate();
  };

  static size_t Weight(const std::shared_ptr<const Variants>& variants);
  bool MakeRoom(size_t bytes);
  void PurgeNow(const PurgeScope& scope);

  const std::shared_ptr<shared::ByteAccount> account_, filling_;
  shared::StripedStore<Variants, KeyHash> responses_;
  shared::SharedCounter evictions_, purged_;
  std::map<std::string, Purge> obeyed_;  // by name
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_STORE_H_
