#ifndef PORTICO_DATAPLANE_CACHE_CACHED_BACKEND_H_
#define PORTICO_DATAPLANE_CACHE_CACHED_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>

#include "dataplane/cache/key.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/call/call.h"

namespace portico::cache {

// An origin with the cache before it: a call is answered from what is stored, waits for one that asks the same, or goes
// on to the origin, which may be asked if what is stored still holds. To whoever makes the call it is a backend like
// any other; cache-status (RFC 9211) in the response's head and CallFacts::cache say what it was.
//
//   CachedBackend backend(worker.cache(), rule.cache, uri, request.fields, origin);      // before the rule rewrites
//   rewrite(request);
//   call = backend.Start(request, handler);        // the backend itself may go now; the cache outlives the call
class CachedBackend final : public call::Backend {
 public:
  // What `uri` names outlives this. `sent`: by the client, but for what AddForwarding does; read now, for
  // `authorization` and what overrides the target (OverridesTarget): such a request passes.
  CachedBackend(WorkerCache& cache, std::shared_ptr<const CachePolicy> policy, const TargetUri& uri,
                const http::Fields& sent, std::shared_ptr<call::Backend> origin);

  std::string_view name() const override { return origin_->name(); }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override;

 private:
  WorkerCache& cache_;
  const std::shared_ptr<const CachePolicy> policy_;
  const TargetUri uri_;
  const bool authorized_, overridden_;
  const std::shared_ptr<call::Backend> origin_;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_CACHED_BACKEND_H_
