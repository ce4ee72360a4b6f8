#include "controlplane/fleet/fleet.h"

#include <utility>

#include "api/base/utf8.h"
#include "controlplane/fleet/refusals.h"
#include "google/protobuf/util/time_util.h"

namespace portico::fleet {
namespace {

using google::protobuf::util::TimeUtil;
using portico::v1::Proxy;

Key KeyOf(const Proxy& proxy) {
  return {proxy.gateway(), proxy.node_id(), proxy.instance()};
}

// What runs goes on running when its stream is made anew.
void CopyRunning(const Proxy& from, Proxy& to) {
  to.set_running_revision(from.running_revision());
  to.mutable_refusals()->CopyFrom(from.refusals());
  to.set_refused_revision(from.refused_revision());
  to.set_refused_reason(from.refused_reason());
  if (from.has_running_since()) *to.mutable_running_since() = from.running_since();
}

void SetRefusals(const std::vector<portico::v1::Refusal>& refusals, const RefusalBounds& bounds, Proxy& proxy) {
  const std::vector<portico::v1::Refusal> kept = Shorten(refusals, bounds);
  proxy.mutable_refusals()->Assign(kept.begin(), kept.end());
}

}  // namespace

uint64_t Fleet::Join(Proxy proxy) {
  absl::MutexLock lock(&mutex_);
  const int64_t now = clock_();
  const Key key = KeyOf(proxy);
  proxy.set_connected(true);
  *proxy.mutable_since() = TimeUtil::MicrosecondsToTimestamp(now);
  Entry& entry = entries_[key];
  const auto wanted = wanted_.find(key.gateway);
  SetWanted(wanted == wanted_.end() ? Wanted() : wanted->second, proxy);
  CopyRunning(entry.proxy == nullptr ? Proxy() : *entry.proxy, proxy);
  if (entry.stream != 0) streams_.erase(entry.stream);
  gone_.erase({entry.left, key});
  entry.proxy = std::make_shared<const Proxy>(std::move(proxy));
  entry.stream = ++last_id_;
  streams_[entry.stream] = key;
  const uint64_t stream = entry.stream;
  Notice notice{revision_, {entry.proxy}};
  ForgetOld(notice);
  Tell(std::move(notice));
  return stream;
}

Fleet::Entry* Fleet::Find(uint64_t stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : &entries_.at(found->second);
}

void Fleet::OnReport(uint64_t stream, const Report& report) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = Find(stream);
  if (entry == nullptr) return;
  Proxy next = *entry->proxy;
  if (report.revision != 0) {
    if (next.running_revision() != report.revision) {
      *next.mutable_running_since() = TimeUtil::MicrosecondsToTimestamp(clock_());
    }
    next.set_running_revision(report.revision);
    SetRefusals(report.refusals, {}, next);
  }
  if (report.revision != 0 || report.refused_revision != 0) {
    next.set_refused_revision(report.refused_revision);
    next.set_refused_reason(base::Utf8Prefix(report.refused_reason, RefusalBounds().text_bytes_max));
  }
  // Most reports say what is known: a message without a map has one serialisation within a process.
  if (next.SerializeAsString() == entry->proxy->SerializeAsString()) return;
  entry->proxy = std::make_shared<const Proxy>(std::move(next));
  Tell({revision_, {entry->proxy}});
}

void Fleet::Leave(uint64_t stream) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = Find(stream);
  if (entry == nullptr) return;
  Proxy next = *entry->proxy;
  entry->left = clock_();
  next.set_connected(false);
  SetRefusals({next.refusals().begin(), next.refusals().end()}, kGoneRefusalBounds, next);
  next.set_refused_reason(base::Utf8Prefix(next.refused_reason(), kGoneRefusalBounds.text_bytes_max));
  *next.mutable_since() = TimeUtil::MicrosecondsToTimestamp(entry->left);
  entry->proxy = std::make_shared<const Proxy>(std::move(next));
  entry->stream = 0;
  Notice notice{revision_, {entry->proxy}};
  gone_.emplace(entry->left, streams_.at(stream));
  streams_.erase(stream);
  ForgetOld(notice);
  Tell(std::move(notice));
}

void Fleet::SetWanted(const Wanted& wanted, Proxy& proxy) {
  proxy.set_wanted_revision(wanted.revision);
  proxy.clear_wanted_since();
  if (wanted.revision != 0) *proxy.mutable_wanted_since() = TimeUtil::MicrosecondsToTimestamp(wanted.made);
}

void Fleet::OnRevision(uint64_t revision, int64_t made, const std::map<std::string, uint64_t>& gateways) {
  absl::MutexLock lock(&mutex_);
  revision_ = revision;
  Notice notice{revision_};
  for (const auto& [gateway, of_gateway] : gateways) {
    const Wanted wanted{of_gateway, made};
    if (of_gateway == 0) wanted_.erase(gateway);
    if (of_gateway != 0) wanted_[gateway] = wanted;
    auto entry = entries_.lower_bound({gateway, "", ""});
    for (; entry != entries_.end() && entry->first.gateway == gateway; ++entry) {
      Proxy next = *entry->second.proxy;
      SetWanted(wanted, next);
      entry->second.proxy = std::make_shared<const Proxy>(std::move(next));
      notice.changed.push_back(entry->second.proxy);
    }
  }
  ForgetOld(notice);
  Tell(std::move(notice));
}

void Fleet::ForgetOld(Notice& notice) {
  const int64_t oldest = clock_() - kRememberedMicros;
  while (!gone_.empty() && (gone_.size() > kGoneMax || gone_.begin()->first <= oldest)) {
    const Key key = gone_.begin()->second;
    gone_.erase(gone_.begin());
    entries_.erase(key);
    std::erase_if(notice.changed, [&key](const SharedProxy& proxy) { return KeyOf(*proxy) == key; });
    notice.gone.push_back(key);
  }
}

void Fleet::Tell(Notice notice) {
  for (const auto& [id, follower] : followers_)
    follower(notice);
}

Fleet::Listing Fleet::List() {
  absl::MutexLock lock(&mutex_);
  Notice notice{revision_};
  ForgetOld(notice);
  if (!notice.gone.empty()) Tell(std::move(notice));
  Listing listing{revision_, {}};
  for (const auto& [key, entry] : entries_)
    listing.proxies.push_back(entry.proxy);
  return listing;
}

Counts Fleet::Count() const {
  absl::MutexLock lock(&mutex_);
  Counts counts;
  const int64_t oldest = clock_() - kRememberedMicros;
  for (const auto& [key, entry] : entries_) {
    if (entry.stream == 0 && entry.left < oldest) continue;
    const Proxy& proxy = *entry.proxy;
    const bool refuses = proxy.refused_revision() != 0 || !proxy.refusals().empty();
    const bool behind = proxy.running_revision() < proxy.wanted_revision();
    if (!proxy.connected()) {
      ++counts.gone;
    } else {
      ++(refuses ? counts.refusing : behind ? counts.behind : counts.current);
    }
  }
  return counts;
}

std::unique_ptr<Fleet::Following> Fleet::Follow(Follower follower) {
  absl::MutexLock lock(&mutex_);
  Notice forgotten{revision_};
  ForgetOld(forgotten);
  if (!forgotten.gone.empty()) Tell(std::move(forgotten));
  Notice all{revision_};
  for (const auto& [key, entry] : entries_)
    all.changed.push_back(entry.proxy);
  follower(all);
  const uint64_t id = ++last_id_;
  followers_[id] = std::move(follower);
  return std::unique_ptr<Following>(new Following(*this, id));
}

Fleet::Following::~Following() {
  absl::MutexLock lock(&fleet_.mutex_);
  fleet_.followers_.erase(id_);
}

}  // namespace portico::fleet
