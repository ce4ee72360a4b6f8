#include "dataplane/filters/cors/cors_config.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"

namespace portico::cors {
namespace {

constexpr int32_t kMaxAgeDefault = 5;  // Gateway API's

// "https://*.shop.example:443" as browsers write what it means.
OriginPattern DecodeOrigin(std::string_view text) {
  OriginPattern out;
  const size_t end = text.find("://");
  if (end == text.npos) return {text.empty() ? " " : std::string(text), "", false};  // no origin is so
  out.scheme = base::Concat(text.substr(0, end), "://");
  text.remove_prefix(out.scheme.size());
  if (out.scheme == "https://" && text.ends_with(":443")) text.remove_suffix(4);
  if (out.scheme == "http://" && text.ends_with(":80")) text.remove_suffix(3);
  out.any_name = text.starts_with("*.");
  out.rest = text.substr(out.any_name ? 1 : 0);
  return out;
}

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return base::Join({texts.begin(), texts.end()}, ", ");
}

}  // namespace

std::shared_ptr<const CorsConfig> BuildCorsConfig(const v1::Cors& message) {
  auto out = std::make_shared<CorsConfig>();
  for (const std::string& origin : message.allow_origins()) {
    if (origin == "*") {
      out->any_origin = true;
    } else {
      out->origins.push_back(DecodeOrigin(origin));
    }
  }
  out->credentials = message.allow_credentials();
  out->methods = Joined(message.allow_methods());
  out->headers = Joined(message.allow_headers());
  out->exposed = Joined(message.expose_headers());
  out->max_age = std::to_string(message.has_max_age() ? message.max_age() : kMaxAgeDefault);
  return out;
}

}  // namespace portico::cors
