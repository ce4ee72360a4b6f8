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

Resources& ReceivedSet::Writable() {
  if (std::exchange(shared_, false)) resources_ = std::make_shared<Resources>(*resources_);
  return *resources_;
}

std::shared_ptr<const Resources> ReceivedSet::Share() {
  shared_ = true;
  return resources_;
}

absl::Status ReceivedSet::Put(const check::ResourceKey& key, std::shared_ptr<const Received> received) {
  const auto held = resources_->find(key);
  const size_t held_bytes = held == resources_->end() ? 0 : held->second->bytes;
  if (held == resources_->end() && resources_->size() == limits_.resources_max)
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
  Writable().emplace(key, std::move(received));
  return absl::OkStatus();
}

void ReceivedSet::Erase(Resources::iterator place) {
  const std::string hash = Hash(place->first, place->second->version);
  TypeSum& sum = kinds_[place->first.kind];
  --sum.count;
  sum.digest.Remove(hash);
  all_.Remove(hash);
  bytes_ -= place->second->bytes;
  resources_->erase(place);
}

void ReceivedSet::Remove(const check::ResourceKey& key) {
  if (resources_->find(key) == resources_->end()) return;
  Resources& resources = Writable();
  Erase(resources.find(key));
}

void ReceivedSet::Clear(std::string_view kind) {
  if (OfKind(kind).count == 0) return;
  Resources& resources = Writable();
  const check::ResourceKey first{std::string(kind), "", ""};
  for (auto place = resources.lower_bound(first); place != resources.end() && place->first.kind == kind;)
    Erase(place++);
}

ReceivedSet::TypeSum ReceivedSet::OfKind(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? TypeSum() : found->second;
}

}  // namespace portico::xds
