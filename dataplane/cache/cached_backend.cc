#include "dataplane/cache/cached_backend.h"

#include <utility>

#include "dataplane/cache/cached_call.h"
#include "dataplane/cache/conditional.h"
#include "dataplane/cache/decision.h"
#include "dataplane/cache/passing_call.h"

namespace portico::cache {
namespace {

constexpr std::string_view kBypass = "bypass", kUriMiss = "uri-miss", kVaryMiss = "vary-miss";

// RFC 9110 section 9.2.1. What nobody knows is unsafe.
bool IsSafe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace

CachedBackend::CachedBackend(WorkerCache& cache, std::shared_ptr<const CachePolicy> policy, const TargetUri& uri,
                             const http::Fields& sent, std::shared_ptr<call::Backend> origin)
    : cache_(cache),
      policy_(std::move(policy)),
      uri_(uri),
      authorized_(sent.Has(http::FieldId::kAuthorization)),
      overridden_(policy_->stores && OverridesTarget(sent)),
      origin_(std::move(origin)) {}

std::unique_ptr<call::Call> CachedBackend::Start(const call::CallRequest& request, call::CallHandler& handler) {
  const http::RequestHead& head = *request.head;
  if (!IsSafe(head.method)) return std::make_unique<PassingCall>(cache_.store(), uri_, *origin_, request, handler);
  const bool is_head = head.method == "HEAD";
  if (!policy_->stores || cache_.store().is_closed() || (head.method != "GET" && !is_head))
    return origin_->Start(request, handler);
  if (!request.end || overridden_ || uri_.authority.empty() || HasPreconditionForOrigin(head.fields)) {
    return std::make_unique<PassingCall>(kBypass, kBypass, *origin_, request, handler);
  }
  const bool authorized = authorized_ || policy_->authenticates || head.fields.Has(http::FieldId::kAuthorization);
  CacheRequest asks{KeyOf(uri_), Identity(*policy_, head), ReadRequestControl(head.fields), authorized, &head};
  const uint64_t generation = cache_.store().Generation(asks.key);
  Store::Found found = cache_.store().Find(asks);
  Decision decision{Decision::Kind::kForward, found.known ? kVaryMiss : kUriMiss};
  if (found.response != nullptr) decision = Decide(*found.response, asks, *policy_, cache_.loop().Now());
  if (is_head && decision.kind != Decision::Kind::kGive && !asks.control.only_if_cached) {
    return std::make_unique<PassingCall>(decision.why, "miss", *origin_, request, handler);
  }
  CachedCall::Question question{.cache = cache_,
                                .policy = policy_,
                                .origin = origin_,
                                .request = request,
                                .asks = std::move(asks),
                                .generation = generation,
                                .stored = std::move(found.response),
                                .decision = decision};
  return std::make_unique<CachedCall>(std::move(question), handler);
}

}  // namespace portico::cache
