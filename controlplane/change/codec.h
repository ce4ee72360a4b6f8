#ifndef PORTICO_CONTROLPLANE_CHANGE_CODEC_H_
#define PORTICO_CONTROLPLANE_CHANGE_CODEC_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/change/change.h"
#include "controlplane/crypto/sealer.h"
#include "controlplane/model/model.h"
#include "controlplane/store/store.h"

namespace portico::change {

// Models and records as the store keeps them. Values of Secrets are sealed if there is a sealer.
class Codec {
 public:
  // nullopt: nothing is sealed, for stores that have no disk.
  explicit Codec(std::optional<openssl::Sealer> sealer) : sealer_(std::move(sealer)) {}

  // What a step writes.
  std::vector<store::Write> WritesOf(const model::Step& step) const;

  // kDataLoss, naming the key: its bytes are no resource, or were sealed with another key.
  absl::StatusOr<portico::v1::Resource> ResourceOf(const store::Entry& entry) const;

  // The whole as of a revision. Errors of the store, or as ResourceOf.
  absl::StatusOr<model::SharedModel> ReadModel(const store::Store& store, uint64_t revision) const;

 private:
  std::optional<openssl::Sealer> sealer_;
};

// The audit record of a step. `time`: microseconds since 1970.
portico::v1::RevisionRecord RecordOf(const model::Step& step, const Caller& caller, uint64_t rollback_of, int64_t time);

}  // namespace portico::change

#endif  // PORTICO_CONTROLPLANE_CHANGE_CODEC_H_
