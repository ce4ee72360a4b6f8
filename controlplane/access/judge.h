#ifndef PORTICO_CONTROLPLANE_ACCESS_JUDGE_H_
#define PORTICO_CONTROLPLANE_ACCESS_JUDGE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "api/portico/v1/resource.pb.h"
#include "controlplane/access/rights.h"

namespace portico::access {

// What a change writes.
struct Writes {
  const std::vector<portico::v1::Resource>& resources;
  const std::vector<check::ResourceKey>& deletes;
};

// May the caller read in a namespace; "": in any. kPermissionDenied, in words.
absl::Status JudgeRead(const Rights& rights, std::string_view name_space);

// May the caller write something in a namespace; "": in any. Who may not is told so before anything is read for it.
absl::Status JudgeWrite(const Rights& rights, std::string_view name_space);

// Why a change may not be made by a caller with these rights: each resource that it may not write, with the role that
// it lacks. Empty: it may. `now` is the configuration that is to be changed.
check::Violations JudgeWrites(const Rights& rights, const check::Configuration& now, const Writes& writes);

// kFailedPrecondition: the change makes the first Roles, or takes from somebody that it is Admin in all namespaces, and
// leaves neither a Token by which somebody is nor the writer itself: a certificate that a Role names may be a slip of
// the pen. `writer`: what it has shown. `certificates`, `now_micros`: as of AdminsOf.
absl::Status JudgeLockOut(const check::Configuration& now, const Writes& writes, const Credentials& writer,
                          bool certificates, int64_t now_micros);

// Whether a kind says who may do what.
bool IsAccess(std::string_view kind);

}  // namespace portico::access

#endif  // PORTICO_CONTROLPLANE_ACCESS_JUDGE_H_
