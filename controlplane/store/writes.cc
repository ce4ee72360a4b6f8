#include "controlplane/store/writes.h"

#include <set>

#include "api/base/text.h"

namespace portico::store {
namespace {

using base::Concat;
using base::ToAbsl;

}  // namespace

absl::Status CheckHead(const Head& head, uint64_t expected) {
  if (head.revision == expected) return absl::OkStatus();
  return absl::AbortedError(
      ToAbsl(Concat("the configuration is at revision ", head.revision, ", not at ", expected, ": read it again")));
}

absl::Status CheckWrites(const std::vector<Write>& writes,
                         const std::function<bool(const std::string& key)>& is_there) {
  std::set<std::string_view> seen;
  for (const Write& write : writes) {
    if (write.key.empty()) return absl::InvalidArgumentError("a key has no bytes");
    if (!seen.insert(write.key).second) {
      return absl::InvalidArgumentError(ToAbsl(Concat(write.key, " is written twice in one revision")));
    }
    if (!write.value.has_value() && !is_there(write.key)) {
      return absl::InvalidArgumentError(ToAbsl(Concat(write.key, " is not there and cannot go")));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckKept(const Head& head, uint64_t revision) {
  if (revision > head.revision) {
    return absl::NotFoundError(
        ToAbsl(Concat("there is no revision ", revision, " yet; the newest is ", head.revision)));
  }
  if (revision < head.oldest && !(revision == 0 && head.oldest <= 1)) {
    return absl::NotFoundError(
        ToAbsl(Concat("revision ", revision, " is not kept any more; the oldest is ", head.oldest)));
  }
  return absl::OkStatus();
}

}  // namespace portico::store
