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
  // URI says (kTargetFields): they are in no `vary`. Those that are here are our own, a trusted proxy's or the rule's.
  Identity(const CachePolicy& policy, const http::RequestHead& head);

  auto operator<=>(const Identity&) const = default;
  std::string_view bytes() const { return {reinterpret_cast<const char*>(digest_.data()), digest_.size()}; }

 private:
  crypto::Sha256Digest digest_;
};

// Whether a request, as it came and AddForwarding (downstream/forwarding.h) left it, has one of those fields that is
// not governed there: a stranger's word for another target or method, "_" for "-" too, as many origins read it. What
// comes to such a request is no answer to its URI, and no purge of what it really asks for would find it.
bool OverridesTarget(const http::Fields& request);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_IDENTITY_H_
