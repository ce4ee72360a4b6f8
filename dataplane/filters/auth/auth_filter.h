#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_AUTH_FILTER_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_AUTH_FILTER_H_

#include <memory>
#include <utility>

#include "dataplane/filter/filter.h"
#include "dataplane/filters/auth/auth_config.h"

namespace portico::auth {

// Authenticates and authorises one request. It never waits. In this order:
//
// 1. A broken configuration: 503.
// 2. The client's own fields of identityToHeaders' names (of every policy of the gateway) are removed, also in
// spellings that origins take for the same:
//    every character but letters and digits is one (CGI makes x-user-id and x_user_id the same variable).
// 3. Who is it? By a token: exactly one `authorization` field, "Bearer", one space and a token that the verifier of its
//    issuer finds good. By a key: exactly one value in the first of the places that is in use, which a Consumer has.
//    Of both, what `anyOf` names first decides. Anything else there is a 401, also where anonymous callers are let in:
//    those are the ones who send nothing. Where a policy knows no tokens at all the field is not looked at.
// 4. What may they do? A 403 if the policy says so; its words don't tell which rule, Reply::reason does.
// 5. Credentials are removed: all that stands in the places that were looked at, but for what counted where
//    forwardCredentials says so. Identity fields are added. A value that is no field value (a line break in a claim)
//    is left out. The client's trailers lose the fields of both as well.
//
// A 401 has a challenge for tokens as RFC 6750 section 3 says (no error where no token was sent, or one of another
// scheme), and one for keys. Tokens in a form or query (RFC 6750 sections 2.2 and 2.3) are not looked at.
class AuthFilterConfig final : public filter::FilterConfig {
 public:
  // Not nullptr.
  explicit AuthFilterConfig(std::shared_ptr<const AuthConfig> config) : config_(std::move(config)) {}

  std::unique_ptr<filter::Filter> MakeFilter(filter::WorkerSlots& slots) const override;

 private:
  std::shared_ptr<const AuthConfig> config_;
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_AUTH_FILTER_H_
