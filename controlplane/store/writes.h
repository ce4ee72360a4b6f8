#ifndef PORTICO_CONTROLPLANE_STORE_WRITES_H_
#define PORTICO_CONTROLPLANE_STORE_WRITES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "controlplane/store/store.h"

// What every store judges alike.
namespace portico::store {

// kAborted unless the head is the expected one.
absl::Status CheckHead(const Head& head, uint64_t expected);

// kInvalidArgument, naming the key: one without bytes or written twice, or one that goes and is not there.
absl::Status CheckWrites(const std::vector<Write>& writes, const std::function<bool(const std::string& key)>& is_there);

// kNotFound unless the revision can be read. Revision 0 can as long as nothing was forgotten: it is empty.
absl::Status CheckKept(const Head& head, uint64_t revision);

}  // namespace portico::store

#endif  // PORTICO_CONTROLPLANE_STORE_WRITES_H_
