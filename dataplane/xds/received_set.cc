#include "dataplane/xds/received_set.h"

#include <utility>

#include "api/base/text.h"
#include "api/wire/names.h"

namespace portico::xds {

using base::Concat;
using base::ToAbsl;

std::string ReceivedSet::Hash(const check::ResourceKey& key, const std::string& version) const {
  const auto hash = sha256_(wire::DigestInput(wire::TypeUrl(key.kind), wire::ResourceName(key), version));
  return {hash.begin(), hash.end()};
}

absl::Status ReceivedSet::Put(const check::ResourceKey& key, std::shared_ptr<const Received> received) {
  const auto held = resources_.find(key);
  const bool is_new = held == resources_.end();
  const size_t held_bytes = is_new ? 0 : held->second->bytes;
  if (is_new && resources_.size() == limits_.resources_max)
    return absl::ResourceExhaustedError(ToAbsl(Concat("more than ", limits_.resources_max, " resources")));
  if (bytes_ - held_bytes + received->bytes > limits_.bytes_max)
    return absl::ResourceExhaustedError(ToAbsl(Concat("resources of more than ", limits_.bytes_max, " bytes")));
  Remove(key);
  const std::string hash = Hash(key, received->version);
  TypeSum& sum = kinds_[key.kind];
  ++sum.count;
  sum.digest.Add(hash);
  all_.Add(hash);
  bytes_ += received->bytes;
  if (received->resource == nullptr) refused_.insert(key);
  resources_.Put(key, std::move(received));
  return absl::OkStatus();
}

void ReceivedSet::Remove(const check::ResourceKey& key) {
  const auto held = resources_.find(key);
  if (held == resources_.end()) return;
  const std::string hash = Hash(key, held->second->version);
  TypeSum& sum = kinds_[key.kind];
  --sum.count;
  sum.digest.Remove(hash);
  all_.Remove(hash);
  bytes_ -= held->second->bytes;
  refused_.erase(key);
  resources_.Erase(key);
}

void ReceivedSet::Clear(std::string_view kind) {
  const check::ResourceKey first{std::string(kind), "", ""};
  for (;;) {
    const auto place = resources_.lower_bound(first);
    if (place == resources_.end() || place->first.kind != kind) return;
    const check::ResourceKey key = place->first;
    Remove(key);
  }
}

ReceivedSet::TypeSum ReceivedSet::OfKind(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? TypeSum() : found->second;
}

}  // namespace portico::xds
