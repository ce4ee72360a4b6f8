#ifndef PORTICO_TOOLS_CTL_CALLER_H_
#define PORTICO_TOOLS_CTL_CALLER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/resolve/resolved.h"
#include "dataplane/filter/identity.h"
#include "dataplane/filters/auth/authorization.h"
#include "tools/ctl/cases.pb.h"

namespace portico::ctl {

// Who a stated caller is to a rule.
struct Recognised {
  filter::Identity identity;
  std::string refusal;  // "": let in; else why the answer is 401
};

// `authorization` are the rules that will judge it, nullptr: none. A rule without authentication knows nobody.
// kFailedPrecondition: the caller names a Consumer that is not there, or does not say which issuer it has.
absl::StatusOr<Recognised> Recognise(const Caller& caller, const std::optional<resolve::BoundPolicy>& authentication,
                                     const auth::Authorization* authorization, const resolve::ResolvedGateway& gateway);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CALLER_H_
