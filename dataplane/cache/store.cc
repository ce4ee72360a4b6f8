#include "dataplane/cache/store.h"

#include <algorithm>
#include <utility>

namespace portico::cache {
namespace {

// An entry of the store beside its key, which is there once: two nodes, a place in the table, counts of owners.
constexpr size_t kEntryOverheadBytes = 256;
// Somebody else stored a variant of the same URI meanwhile, or took the room that was made. More than there are threads
// at one URI.
constexpr int kTriesMax = 16;

bool IsSameVariant(const StoredResponse& a, const StoredResponse& b) {
  return a.identity == b.identity && a.selecting == b.selecting;
}

// Dates are whole seconds: within one, what was answered the latest.
bool IsMoreRecent(const StoredResponse& a, const StoredResponse& b) {
  return a.date != b.date ? a.date > b.date : a.answered > b.answered;
}

}  // namespace

void Store::set_bytes_max(size_t bytes_max) {
  account_->set_bytes_max(bytes_max);
  filling_->set_bytes_max(bytes_max / kFillingPart);
  while (account_->bytes() > bytes_max && responses_.Evict(Weight) > 0)
    evictions_.Add();
}

Store::Found Store::Find(const CacheRequest& request) {
  const std::shared_ptr<const Variants> variants = responses_.Find(request.key);
  Found found;
  if (variants == nullptr) return found;
  for (const std::shared_ptr<const StoredResponse>& response : variants->responses) {
    found.known = found.known || response->identity == request.identity;
    if (!IsFor(*response, request)) continue;
    if (found.response == nullptr || IsMoreRecent(*response, *found.response)) found.response = response;
  }
  return found;
}

// 0: somebody is being sent one of them, or is about to be, so that to let go of them would win nothing.
size_t Store::Weight(const std::shared_ptr<const Variants>& variants) {
  if (variants.use_count() > 1) return 0;
  size_t bytes = variants->hold.bytes();
  for (const std::shared_ptr<const StoredResponse>& response : variants->responses) {
    if (response.use_count() > 1 || response->content.use_count() > 1) return 0;
    bytes += response->hold.bytes() + response->content->held_bytes();
  }
  return bytes;
}

bool Store::MakeRoom(size_t bytes) {
  if (responses_.Evictable(bytes, Weight) < bytes) return false;
  for (size_t won = 0; won < bytes;) {
    const size_t weight = responses_.Evict(Weight);
    if (weight == 0) return false;
    evictions_.Add();
    won += weight;
  }
  return true;
}

bool Store::Grow(shared::ByteHold& hold, size_t bytes) {
  for (int i = 0; i < kTriesMax; ++i) {
    if (hold.Grow(bytes)) return true;
    const size_t most = account_->bytes_max(), held = account_->bytes();
    if (bytes > most) return false;
    if (held > most - bytes && !MakeRoom(held - (most - bytes))) return false;
  }
  return false;
}

bool Store::Put(const std::string& key, std::shared_ptr<const StoredResponse> response, uint64_t generation,
                const StoredResponse* replaced) {
  for (int i = 0; i < kTriesMax; ++i) {
    shared::ByteHold hold = NewHold();
    if (!Grow(hold, sizeof(Variants) + kEntryOverheadBytes + key.size() + kVariantsMax * sizeof response)) return false;
    const std::shared_ptr<const Variants> before = responses_.Find(key);
    auto after = std::make_shared<Variants>(std::move(hold));
    after->responses.reserve(kVariantsMax);
    after->responses.push_back(response);
    if (before != nullptr) {
      for (const std::shared_ptr<const StoredResponse>& other : before->responses) {
        if (!IsSameVariant(*other, *response)) {
          if (after->responses.size() < kVariantsMax) after->responses.push_back(other);
        } else if (other.get() != replaced && IsMoreRecent(*other, *response)) {
          return false;
        }
      }
    }
    if (responses_.Replace(key, before, std::move(after), generation)) return true;
    if (responses_.Generation(key) != generation) return false;
  }
  return false;
}

void Store::Remove(const std::string& key, const StoredResponse& response, uint64_t generation) {
  for (int i = 0; i < kTriesMax; ++i) {
    const std::shared_ptr<const Variants> before = responses_.Find(key);
    if (before == nullptr) return;
    shared::ByteHold hold = NewHold();
    const bool has_room = Grow(hold, before->hold.bytes());
    auto after = std::make_shared<Variants>(std::move(hold));
    for (const std::shared_ptr<const StoredResponse>& other : before->responses)
      if (other.get() != &response) after->responses.push_back(other);
    if (after->responses.size() == before->responses.size()) return;
    // Without room for the others' list they go too.
    if (!has_room || after->responses.empty()) after = nullptr;
    if (responses_.Replace(key, before, std::move(after), generation)) return;
    if (responses_.Generation(key) != generation) return;
  }
  responses_.Invalidate(key);
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
