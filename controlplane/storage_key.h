#ifndef PORTICO_CONTROLPLANE_STORAGE_KEY_H_
#define PORTICO_CONTROLPLANE_STORAGE_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/change/codec.h"
#include "controlplane/crypto/sealer.h"
#include "controlplane/store/store.h"

namespace portico::controlplane {

// The key of a store's secrets. A store knows its key by a text that it holds sealed with it: a wrong one is noticed
// even while there is no Secret, before something is sealed that the right one can't open.
//
//   ASSIGN sealer = OpenSecretsKey(path, *store);
//   …whatever is read of the store's head can be read with it…
//   status = KeepSecretsKey(path, is_proven, codec, sealer, *store);

// kFailedPrecondition, naming the flag: the file is missing though the store is not new, is no good, or has the key of
// another store. A new store's file is made.
absl::StatusOr<openssl::Sealer> OpenSecretsKey(const std::string& path, const store::Store& store);

// A store that does not know its key yet (a new one, or of an older release) does afterwards. `is_proven`: the head has
// a Secret, which could be read. If not, the newest of those that older revisions have must open with the key: else
// kFailedPrecondition. `codec` has the same key.
absl::Status KeepSecretsKey(const std::string& path, bool is_proven, const change::Codec& codec,
                            const openssl::Sealer& sealer, store::Store& store);

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_STORAGE_KEY_H_
