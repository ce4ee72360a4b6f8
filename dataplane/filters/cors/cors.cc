#include "dataplane/filters/cors/cors.h"

#include <algorithm>

#include "api/base/text.h"
#include "dataplane/http/syntax.h"

namespace portico::cors {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// One label or more, and nothing that ends a host: "https://evil.example/.shop.example" is no name below.
bool IsBelow(std::string_view labels) {
  return !labels.empty() && labels.front() != '.' && labels.back() != '.' && labels.find("..") == labels.npos &&
         std::all_of(labels.begin(), labels.end(), IsNameCharacter);
}

bool Agrees(const OriginPattern& pattern, std::string_view origin) {
  if (!origin.starts_with(pattern.scheme)) return false;
  origin.remove_prefix(pattern.scheme.size());
  if (!pattern.any_name) return origin == pattern.rest;
  return origin.ends_with(pattern.rest) && IsBelow(origin.substr(0, origin.size() - pattern.rest.size()));
}

bool IsListOfTokens(std::string_view text) {
  const std::vector<std::string_view> pieces = base::Split(text, ',');
  return std::all_of(pieces.begin(), pieces.end(),
                     [](std::string_view piece) { return http::IsToken(http::TrimOws(piece)); });
}

bool VariesByOrigin(const http::Fields& fields) {
  for (const http::Field& field : fields) {
    if (field.name != "vary") continue;
    for (const std::string_view piece : base::Split(field.value, ',')) {
      const std::string_view name = http::TrimOws(piece);
      if (name == "*" || base::EqualsIgnoreCase(name, "origin")) return true;
    }
  }
  return false;
}

void AddOrigin(const CorsConfig& config, std::string_view origin, http::Fields& fields) {
  fields.Add("access-control-allow-origin", config.same_for_all() ? std::string_view("*") : origin);
  if (config.credentials) fields.Add("access-control-allow-credentials", "true");
}

}  // namespace

bool AllowsOrigin(const CorsConfig& config, std::string_view origin) {
  if (origin.empty() || (config.credentials && origin == "null")) return false;
  return config.any_origin || std::any_of(config.origins.begin(), config.origins.end(),
                                          [origin](const OriginPattern& pattern) { return Agrees(pattern, origin); });
}

void AddPreflightFields(const CorsConfig& config, std::string_view origin, std::string_view method,
                        std::string_view headers, http::Fields& fields) {
  if (!config.same_for_all() && !VariesByOrigin(fields)) fields.Add("vary", "origin");
  if (!AllowsOrigin(config, origin)) return;
  AddOrigin(config, origin, fields);
  const std::string_view methods = config.methods == "*" && config.credentials ? method : config.methods;
  if (!methods.empty()) fields.Add("access-control-allow-methods", methods);
  const bool repeats = config.headers == "*" && config.credentials;
  const std::string_view allowed = repeats && !IsListOfTokens(headers) ? std::string_view()
                                   : repeats                           ? headers
                                                                       : std::string_view(config.headers);
  if (!allowed.empty()) fields.Add("access-control-allow-headers", allowed);
  fields.Add("access-control-max-age", config.max_age);
}

void EditResponseFields(const CorsConfig& config, std::string_view origin, http::Fields& fields) {
  fields.RemoveIf([](const http::Field& field) { return field.name.starts_with("access-control-"); });
  if (!config.same_for_all() && !VariesByOrigin(fields)) fields.Add("vary", "origin");
  // Fetch, "CORS protocol and HTTP caches": where the answer is the same for all it says so to who sends no origin,
  // too, whose cache may give it to a page.
  if (!config.same_for_all() && !AllowsOrigin(config, origin)) return;
  AddOrigin(config, origin, fields);
  if (!config.exposed.empty()) fields.Add("access-control-expose-headers", config.exposed);
}

}  // namespace portico::cors
