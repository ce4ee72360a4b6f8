#include "controlplane/store/memory/memory_store.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "controlplane/store/epoch.h"
#include "controlplane/store/writes.h"

namespace portico::store::memory {
namespace {

struct Version {
  uint64_t revision = 0;
  uint64_t created = 0;
  std::optional<std::string> value;  // nullopt: gone since then
};
using Versions = std::vector<Version>;  // of one key, the oldest first

// The version that holds at a revision. nullptr: none, or the key was gone.
const Version* At(const Versions& versions, uint64_t revision) {
  const auto after = std::upper_bound(versions.begin(), versions.end(), revision,
                                      [](uint64_t at, const Version& version) { return at < version.revision; });
  if (after == versions.begin() || !std::prev(after)->value.has_value()) return nullptr;
  return &*std::prev(after);
}

class MemoryStore final : public Store {
 public:
  MemoryStore() { head_.epoch = NewEpoch(); }

  Head head() const override {
    absl::MutexLock lock(&mutex_);
    return head_;
  }

  absl::StatusOr<uint64_t> Commit(uint64_t expected, const std::vector<Write>& writes,
                                  std::string_view record) override {
    absl::MutexLock lock(&mutex_);
    if (absl::Status status = CheckHead(head_, expected); !status.ok()) return status;
    const auto is_there = [this](const std::string& key) {
      mutex_.AssertHeld();
      return Newest(key) != nullptr;
    };
    if (absl::Status status = CheckWrites(writes, is_there); !status.ok()) return status;
    const uint64_t revision = ++head_.revision;
    if (head_.oldest == 0) head_.oldest = revision;
    for (const Write& write : writes) {
      const Version* before = Newest(write.key);
      const uint64_t created = before != nullptr ? before->created : revision;
      keys_[write.key].push_back({revision, created, write.value});
    }
    records_[revision] = std::string(record);
    return revision;
  }

  absl::Status Read(uint64_t revision, const Visitor& visit) const override {
    std::vector<Entry> entries;  // so that no writer waits for the visitor
    {
      absl::MutexLock lock(&mutex_);
      if (absl::Status status = CheckKept(head_, revision); !status.ok()) return status;
      for (const auto& [key, versions] : keys_) {
        const Version* version = At(versions, revision);
        if (version != nullptr) entries.push_back({key, *version->value, version->revision, version->created});
      }
    }
    for (const Entry& entry : entries) {
      if (!visit(entry)) break;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Entry>> Find(std::string_view key, uint64_t revision) const override {
    absl::MutexLock lock(&mutex_);
    if (absl::Status status = CheckKept(head_, revision); !status.ok()) return status;
    const auto found = keys_.find(std::string(key));
    const Version* version = found == keys_.end() ? nullptr : At(found->second, revision);
    if (version == nullptr) return std::nullopt;
    return Entry{found->first, *version->value, version->revision, version->created};
  }

  absl::StatusOr<std::vector<Record>> History(uint64_t before, size_t limit) const override {
    absl::MutexLock lock(&mutex_);
    std::vector<Record> records;
    for (auto end = before == 0 ? records_.end() : records_.lower_bound(before);
         end != records_.begin() && records.size() < limit;) {
      --end;
      records.push_back({end->first, end->second});
    }
    return records;
  }

  absl::Status Forget(uint64_t oldest) override {
    absl::MutexLock lock(&mutex_);
    oldest = std::min(oldest, head_.revision);
    if (oldest <= head_.oldest) return absl::OkStatus();
    head_.oldest = oldest;
    records_.erase(records_.begin(), records_.lower_bound(oldest));
    for (auto at = keys_.begin(); at != keys_.end();) {
      ForgetVersions(at->second, oldest);
      at = at->second.empty() ? keys_.erase(at) : std::next(at);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::string>> Fact(std::string_view name) const override {
    absl::MutexLock lock(&mutex_);
    const auto found = facts_.find(std::string(name));
    if (found == facts_.end()) return std::nullopt;
    return found->second;
  }

  absl::Status SetFact(std::string_view name, std::string_view value) override {
    absl::MutexLock lock(&mutex_);
    facts_[std::string(name)] = std::string(value);
    return absl::OkStatus();
  }

 private:
  const Version* Newest(const std::string& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : At(found->second, head_.revision);
  }

  // Keeps the version that holds at `oldest` and those after it.
  static void ForgetVersions(Versions& versions, uint64_t oldest) {
    auto keep = std::upper_bound(versions.begin(), versions.end(), oldest,
                                 [](uint64_t at, const Version& version) { return at < version.revision; });
    if (keep != versions.begin() && std::prev(keep)->value.has_value()) --keep;
    versions.erase(versions.begin(), keep);
  }

  mutable absl::Mutex mutex_;
  Head head_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Versions> keys_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::string> records_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> facts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Store> Open() {
  return std::make_unique<MemoryStore>();
}

}  // namespace portico::store::memory
