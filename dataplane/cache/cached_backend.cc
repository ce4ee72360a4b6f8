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
                             bool authorized, std::shared_ptr<call::Backend> origin)
    : cache_(cache), policy_(std::move(policy)), uri_(uri), authorized_(authorized), origin_(std::move(origin)) {}

std::unique_ptr<call::Call> CachedBackend::Start(const call::CallRequest& request, call::CallHandler& handler) {
  const http::RequestHead& head = *request.head;
  if (!IsSafe(head.method)) return std::make_unique<PassingCall>(cache_.store(), uri_, *origin_, request, handler);
  const bool is_head = head.method == "HEAD";
  if (!policy_->stores || (head.method != "GET" && !is_head)) return origin_->Start(request, handler);
  if (!request.end || uri_.authority.empty() || HasPreconditionForOrigin(head.fields)) {
    return std::make_unique<PassingCall>(kBypass, kBypass, *origin_, request, handler);
  }
  CachedCall::Question question{
      .cache = cache_,
      .policy = policy_,
      .origin = origin_,
      .key = KeyOf(uri_),
      .request = request,
      .control = ReadRequestControl(head.fields),
      .authorized = authorized_ || policy_->authenticates || head.fields.Has(http::FieldId::kAuthorization),
      .stored = nullptr,
      .decision = {}};
  const Store::Found found = cache_.store().Find(question.key, policy_->identity, head.fields);
  question.stored = found.response;
  question.decision = {Decision::Kind::kForward, found.known ? kVaryMiss : kUriMiss};
  if (found.response != nullptr) {
    question.decision = Decide(*found.response, question.control, question.authorized, *policy_, cache_.loop().Now());
  }
  const bool gives = question.decision.kind == Decision::Kind::kGive;
  if (is_head && !gives && !question.control.only_if_cached) {
    return std::make_unique<PassingCall>(question.decision.why, "miss", *origin_, request, handler);
  }
  return std::make_unique<CachedCall>(std::move(question), handler);
}

}  // namespace portico::cache
