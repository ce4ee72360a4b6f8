#include "dataplane/cache/store.h"

#include <algorithm>
#include <utility>

namespace portico::cache {
namespace {

// An entry of the store beside its key, which is there once: two nodes, a place in the table, counts of owners.
constexpr size_t kEntryOverheadBytes = 256;
// Somebody else stored a variant of the same URI meanwhile. More than there are threads at one URI.
constexpr int kTriesMax = 16;

bool IsSameVariant(const StoredResponse& a, const StoredResponse& b) {
  return a.identity == b.identity && a.selecting == b.selecting;
}

}  // namespace

void Store::set_bytes_max(size_t bytes_max) {
  account_->set_bytes_max(bytes_max);
  while (account_->bytes() > bytes_max && responses_.Evict())
    evictions_.Add();
}

Store::Found Store::Find(const std::string& key, std::string_view identity, const http::Fields& request) {
  const std::shared_ptr<const Variants> variants = responses_.Find(key);
  Found found;
  if (variants == nullptr) return found;
  for (const std::shared_ptr<const StoredResponse>& response : variants->responses) {
    if (response->identity != identity) continue;
    found.known = true;
    if (Selects(response->selecting, request)) {
      found.response = response;
      return found;
    }
  }
  return found;
}

bool Store::Grow(shared::ByteHold& hold, size_t bytes) {
  if (bytes > account_->bytes_max()) return false;
  while (!hold.Grow(bytes)) {
    if (!responses_.Evict()) return false;
    evictions_.Add();
  }
  return true;
}

bool Store::Put(const std::string& key, std::shared_ptr<const StoredResponse> response, uint64_t generation) {
  for (int i = 0; i < kTriesMax; ++i) {
    shared::ByteHold hold = NewHold();
    if (!Grow(hold, sizeof(Variants) + kEntryOverheadBytes + key.size() + kVariantsMax * sizeof response)) return false;
    const std::shared_ptr<const Variants> before = responses_.Find(key);
    auto after = std::make_shared<Variants>(std::move(hold));
    after->responses.reserve(kVariantsMax);
    after->responses.push_back(response);
    if (before != nullptr) {
      for (const std::shared_ptr<const StoredResponse>& other : before->responses) {
        if (!IsSameVariant(*other, *response) && after->responses.size() < kVariantsMax) {
          after->responses.push_back(other);
        }
      }
    }
    if (responses_.Replace(key, before, std::move(after), generation)) return true;
    if (responses_.Generation(key) != generation) return false;
  }
  return false;
}

void Store::Obey(const std::vector<Purge>& purges) {
  std::map<std::string, Purge> obeyed;
  for (const Purge& purge : purges) {
    const auto before = obeyed_.find(purge.name);
    if (before == obeyed_.end() || before->second != purge) PurgeNow(purge.scope);
    obeyed[purge.name] = purge;
  }
  obeyed_ = std::move(obeyed);
}

// What is being fetched first: it is not stored any more when what is there has gone.
void Store::PurgeNow(const PurgeScope& scope) {
  responses_.InvalidatePrepared();
  for (size_t stripe = 0; stripe < responses_.kStripes; ++stripe) {
    for (const std::string& key : responses_.Keys(stripe))
      if (Covers(scope, key) && responses_.Invalidate(key)) purged_.Add();
  }
}

}  // namespace portico::cache
