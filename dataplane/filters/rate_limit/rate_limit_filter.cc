#include "dataplane/filters/rate_limit/rate_limit_filter.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/filter/problem.h"
#include "dataplane/filters/rate_limit/limit_key.h"

namespace portico::rate_limit {
namespace {

using base::Concat;
using filter::FilterContext;
using filter::Reply;
using filter::Verdict;
using Outcome = shared::BucketTable::Outcome;

constexpr std::string_view kLimited = "limited", kWouldLimit = "would_limit";

// Whole seconds, rounded up: whoever comes back then finds a token.
int64_t Seconds(int64_t nanoseconds) {
  return std::chrono::ceil<std::chrono::seconds>(std::chrono::nanoseconds(nanoseconds)).count();
}

class RateLimitFilter final : public filter::Filter {
 public:
  explicit RateLimitFilter(const RateLimitConfig& config) : config_(config) {}

  Verdict OnRequestHead(FilterContext& context, filter::Resume /*resume*/) override {
    if (!config_.fault.empty()) return Broken();
    now_ns_ = std::chrono::nanoseconds(context.steady_now.time_since_epoch()).count();
    for (const Limit& limit : config_.limits) {
      if (std::optional<Reply> refusal = Judge(limit, context)) return *std::move(refusal);
    }
    return filter::Continue();
  }

  void OnResponseHead(FilterContext& /*context*/, http::ResponseHead& head) override {
    if (nearest_ == nullptr) return;
    const int64_t seconds = Seconds(state_.token ? state_.full_ns : state_.wait_ns);
    head.fields.Add("ratelimit-policy", nearest_->policy_item);
    head.fields.Add("ratelimit", Concat(nearest_->item, ";r=", state_.remaining, ";t=", seconds));
  }

 private:
  struct TakenToken {
    const Limit* limit;
    uint64_t key;
    shared::BucketTable::Result result;
  };

  Reply Broken() const {
    Reply out = filter::ProblemReply(503, "This resource can't be served at the moment.");
    out.reason = Concat("limits: ", config_.fault);
    return out;
  }

  // nullopt: it may pass as far as this one is concerned.
  std::optional<Reply> Judge(const Limit& limit, FilterContext& context) {
    const std::optional<uint64_t> key = KeyOf(limit, context, config_.state->hash);
    if (!key) {
      limit.buckets->Skip();
      return std::nullopt;
    }
    const Outcome if_none = limit.report_only ? Outcome::kWouldLimit : Outcome::kLimited;
    const shared::BucketTable::Result result = limit.buckets->Take(*key, limit.rate, now_ns_, if_none);
    if (!limit.report_only && (nearest_ == nullptr || !result.token || result.remaining < state_.remaining)) {
      nearest_ = &limit;
      state_ = result;
    }
    if (result.token) {
      if (config_.limits.size() > 1) taken_.push_back({&limit, *key, result});
      return std::nullopt;
    }
    context.notes.limit = limit.name;
    context.notes.limit_outcome = limit.report_only ? kWouldLimit : kLimited;
    if (limit.report_only) return std::nullopt;
    GiveBack();
    return TooMany(limit, result);
  }

  // Who is refused by one limit must not empty the others for everybody else.
  void GiveBack() {
    for (const TakenToken& taken : taken_)
      taken.limit->buckets->GiveBack(taken.key, taken.result, taken.limit->rate, now_ns_);
    taken_.clear();
  }

  static Reply TooMany(const Limit& limit, const shared::Taken& taken) {
    Reply out = filter::ProblemReply(429, "There were too many requests. Try again later.");
    out.fields.emplace_back("retry-after", Concat(Seconds(taken.wait_ns)));
    out.reason = Concat("limited by ", limit.name);
    return out;
  }

  const RateLimitConfig& config_;
  int64_t now_ns_ = 0;
  std::vector<TakenToken> taken_;
  const Limit* nearest_ = nullptr;  // whose state the client is told
  shared::Taken state_;
};

}  // namespace

std::unique_ptr<filter::Filter> RateLimitFilterConfig::MakeFilter(filter::WorkerSlots& /*slots*/) const {
  return std::make_unique<RateLimitFilter>(*config_);
}

}  // namespace portico::rate_limit
