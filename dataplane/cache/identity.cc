#include "dataplane/cache/identity.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "api/base/text.h"

namespace portico::cache {
namespace {

// Whom a request was for before another proxy took it, and what frameworks let override its target and method. By name.
constexpr std::array<std::string_view, 31> kTargetFields = {"base-url",
                                                            "forwarded",
                                                            "front-end-https",
                                                            "proxy-host",
                                                            "request-uri",
                                                            "x-forwarded-host",
                                                            "x-forwarded-method",
                                                            "x-forwarded-path",
                                                            "x-forwarded-port",
                                                            "x-forwarded-prefix",
                                                            "x-forwarded-proto",
                                                            "x-forwarded-protocol",
                                                            "x-forwarded-scheme",
                                                            "x-forwarded-server",
                                                            "x-forwarded-ssl",
                                                            "x-forwarded-uri",
                                                            "x-forwarded-url",
                                                            "x-host",
                                                            "x-http-destinationurl",
                                                            "x-http-host-override",
                                                            "x-http-method",
                                                            "x-http-method-override",
                                                            "x-method-override",
                                                            "x-original-host",
                                                            "x-original-method",
                                                            "x-original-uri",
                                                            "x-original-url",
                                                            "x-rewrite-uri",
                                                            "x-rewrite-url",
                                                            "x-scheme",
                                                            "x-url-scheme"};

// What origins that read fields from their environment make of it: "x_host" is "x-host" to them.
bool IsSameName(std::string_view sent, std::string_view name) {
  return std::equal(sent.begin(), sent.end(), name.begin(), name.end(),
                    [](char a, char b) { return (a == '_' ? '-' : a) == b; });
}

bool IsTargetField(std::string_view sent) {
  return std::any_of(kTargetFields.begin(), kTargetFields.end(),
                     [sent](std::string_view name) { return IsSameName(sent, name); });
}

// AddForwarding wrote it, or lets a trusted peer's stand.
bool IsGoverned(http::FieldId id) {
  using http::FieldId;
  return id == FieldId::kForwarded || id == FieldId::kXForwardedHost || id == FieldId::kXForwardedPort ||
         id == FieldId::kXForwardedProto;
}

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
    if (!IsTargetField(field.name)) continue;
    Append(all, field.name);
    Append(all, field.value);
  }
  digest_ = crypto::Sha256(all);
}

bool OverridesTarget(const http::Fields& request) {
  return std::any_of(request.begin(), request.end(),
                     [](const http::Field& field) { return !IsGoverned(field.id) && IsTargetField(field.name); });
}

}  // namespace portico::cache
