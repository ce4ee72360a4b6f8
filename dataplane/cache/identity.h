#ifndef PORTICO_DATAPLANE_CACHE_IDENTITY_H_
#define PORTICO_DATAPLANE_CACHE_IDENTITY_H_

#include <string_view>

#include "dataplane/cache/policy.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/http/message.h"

namespace portico::cache {

// What a stored response is the answer to, beside its URI and what its `vary` names: the rule that asked, and what that
// made of the request's target. Two of one URI share nothing if these differ: rules that a header tells apart, a path
// that one rule rewrites in two ways, a proxy before us that says by which scheme and host its client came.
class Identity {
 public:
  // `head` as the origin gets it. Of its fields those count by which origins take a request for another one than its
  // URI says (kTargetFields): they are in no `vary`, and a stranger may send most of them.
  Identity(const CachePolicy& policy, const http::RequestHead& head);

  auto operator<=>(const Identity&) const = default;
  std::string_view bytes() const { return {reinterpret_cast<const char*>(digest_.data()), digest_.size()}; }

 private:
  crypto::Sha256Digest digest_;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_IDENTITY_H_
