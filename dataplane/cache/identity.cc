#include "dataplane/cache/identity.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "api/base/text.h"

namespace portico::cache {
namespace {

// Whom a request was for before another proxy took it, and what frameworks let override its target and method.
constexpr std::array<std::string_view, 11> kTargetFields = {
    "forwarded",     "x-forwarded-host",       "x-forwarded-port",  "x-forwarded-prefix", "x-forwarded-proto", "x-host",
    "x-http-method", "x-http-method-override", "x-method-override", "x-original-url",     "x-rewrite-url"};

// Each piece says how long it is, so that no two make a third.
void Append(std::string& all, std::string_view piece) {
  base::AppendTo(all, base::Concat(piece.size(), ":", piece));
}

}  // namespace

Identity::Identity(const CachePolicy& policy, const http::RequestHead& head) {
  std::string all;
  Append(all, policy.rule);
  Append(all, head.authority);
  Append(all, head.path);
  for (const http::Field& field : head.fields) {
    if (std::find(kTargetFields.begin(), kTargetFields.end(), field.name) == kTargetFields.end()) continue;
    Append(all, field.name);
    Append(all, field.value);
  }
  digest_ = crypto::Sha256(all);
}

}  // namespace portico::cache
