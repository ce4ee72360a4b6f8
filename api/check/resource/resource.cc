#include "api/check/resource/resource.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "api/check/resource/auth_policy.h"
#include "api/check/resource/composition.h"
#include "api/check/resource/names.h"
#include "api/check/resource/supported.h"
#include "google/protobuf/duration.pb.h"
#include "re2/re2.h"

namespace portico::check {
namespace {

using base::Concat;
using portico::v1::Resource;

constexpr size_t kPathBytesMax = 1024;        // Gateway API
constexpr int64_t kRegexMemoryMax = 1 << 20;  // RE2's program and caches for one expression

using google::protobuf::Duration;

bool IsLonger(const Duration& one, const Duration& other) {
  return one.seconds() != other.seconds() ? one.seconds() > other.seconds() : one.nanos() > other.nanos();
}
bool IsPositive(const Duration& duration) {
  return IsLonger(duration, Duration());
}

class Checker {
 public:
  Checker(ResourceKey key, const CheckEnvironment& environment) : key_(std::move(key)), environment_(environment) {}

  Violations Take() { return std::move(violations_); }

  void Metadata(const portico::v1::Metadata& metadata) {
    if (metadata.name().empty()) return Add("metadata.name", "is missing");
    if (!IsSubdomain(metadata.name())) Add("metadata.name", "must be lower-case letters, digits, '-' and '.'");
    if (!metadata.namespace_().empty() && !IsLabel(metadata.namespace_())) {
      Add("metadata.namespace", "must be lower-case letters, digits and '-', at most 63 bytes");
    }
  }

  void Gateway(const portico::v1::GatewaySpec& spec) {
    Count("spec.listeners", spec.listeners_size(), 1, 64);
    std::set<std::string> names;
    for (int i = 0; i < spec.listeners_size(); ++i) {
      const auto& listener = spec.listeners(i);
      const std::string path = Concat("spec.listeners[", i, "]");
      const bool https = listener.protocol() == portico::v1::LISTENER_PROTOCOL_HTTPS;
      if (!IsSubdomain(listener.name())) Add(path + ".name", "must be lower-case letters, digits, '-' and '.'");
      if (!names.insert(listener.name()).second) Add(path + ".name", "is the name of another listener");
      Port(path + ".port", listener.port());
      if (listener.protocol() == portico::v1::LISTENER_PROTOCOL_UNSPECIFIED) Add(path + ".protocol", "is missing");
      if (!listener.hostname().empty()) Hostname(path + ".hostname", listener.hostname());
      if (https && listener.tls().certificate_refs().empty()) Add(path + ".tls.certificateRefs", "is missing");
      if (!https && listener.has_tls()) Add(path + ".tls", "is for protocol HTTPS alone");
    }
  }

  void Route(const portico::v1::RouteSpec& spec) {
    Count("spec.rules", spec.rules_size(), 1, 256);
    for (int i = 0; i < spec.hostnames_size(); ++i)
      Hostname(Concat("spec.hostnames[", i, "]"), spec.hostnames(i));
    std::set<std::string> names;
    for (int i = 0; i < spec.rules_size(); ++i) {
      const auto& rule = spec.rules(i);
      const std::string path = Concat("spec.rules[", i, "]");
      if (!rule.name().empty() && !names.insert(rule.name()).second) Add(path + ".name", "is the name of another rule");
      for (int k = 0; k < rule.matches_size(); ++k)
        Match(rule.matches(k), Concat(path, ".matches[", k, "]"));
      for (int k = 0; k < rule.filters_size(); ++k)
        Filter(rule.filters(k), Concat(path, ".filters[", k, "]"));
      const auto& timeouts = rule.timeouts();
      // 0s is no limit: there is nothing to be longer than.
      if (IsPositive(timeouts.request()) && IsLonger(timeouts.backend_request(), timeouts.request())) {
        Add(path + ".timeouts.backendRequest", "must not be longer than request");
      }
    }
  }

  void Cluster(const portico::v1::ClusterSpec& spec) {
    Count("spec.endpoints", spec.endpoints_size(), 1, 1000);
    for (int i = 0; i < spec.endpoints_size(); ++i) {
      const std::string path = Concat("spec.endpoints[", i, "]");
      if (spec.endpoints(i).address().empty()) Add(path + ".address", "is missing");
      Port(path + ".port", spec.endpoints(i).port());
    }
    if (spec.has_tls() && !IsSubdomain(spec.tls().hostname())) Add("spec.tls.hostname", "must be a DNS name");
  }

  void Secret(const portico::v1::SecretSpec& spec) {
    if (spec.has_tls() + spec.has_jwks() + spec.has_ca_certificates() + spec.has_hmac_key() != 1) {
      return Add("spec", "must hold exactly one of tls, jwks and caCertificates");
    }
    if (!spec.has_tls() || environment_.key_pairs == nullptr) return;
    const absl::Status status =
        environment_.key_pairs->Check(spec.tls().certificate().inline_(), spec.tls().private_key().inline_());
    if (!status.ok()) Add("spec.tls", std::string(base::ToStd(status.message())));
  }

 private:
  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }

  void Count(std::string path, int count, int least, int most) {
    if (count < least || count > most) Add(std::move(path), Concat("must have ", least, " to ", most, " items"));
  }
  void Port(std::string path, uint32_t port) {
    if (port < 1 || port > 65535) Add(std::move(path), "must be 1 to 65535");
  }
  void Hostname(std::string path, std::string_view name) {
    if (!IsHostname(name)) Add(std::move(path), "must be a DNS name in lower case, or `*.` and one");
  }
  void Regex(std::string path, const std::string& text) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemoryMax);
    const re2::RE2 regex(text, options);
    if (!regex.ok()) Add(std::move(path), Concat("is no RE2 expression: ", regex.error()));
  }

  void Match(const portico::v1::RouteMatch& match, const std::string& path) {
    if (match.path().has_value()) PathValue(match.path(), path + ".path.value");
    for (int i = 0; i < match.headers_size(); ++i) {
      const auto& header = match.headers(i);
      const std::string item = Concat(path, ".headers[", i, "]");
      if (!IsToken(header.name())) Add(item + ".name", "must be the name of a field (RFC 9110 section 5.1)");
      if (header.type() == portico::v1::VALUE_MATCH_TYPE_REGULAR_EXPRESSION) Regex(item + ".value", header.value());
    }
    for (int i = 0; i < match.query_params_size(); ++i) {
      const auto& parameter = match.query_params(i);
      const std::string item = Concat(path, ".queryParams[", i, "]");
      if (parameter.name().empty()) Add(item + ".name", "is missing");
      if (parameter.type() == portico::v1::VALUE_MATCH_TYPE_REGULAR_EXPRESSION)
        Regex(item + ".value", parameter.value());
    }
    if (!match.method().empty() && !IsMethod(match.method())) Add(path + ".method", Concat("must be ", kMethodsText));
  }

  void PathValue(const portico::v1::PathMatch& match, const std::string& path) {
    const std::string& value = match.value();
    if (value.size() > kPathBytesMax) return Add(path, Concat("must be at most ", kPathBytesMax, " bytes"));
    if (match.type() == portico::v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION) return Regex(path, value);
    if (!value.starts_with('/')) return Add(path, "must begin with /");
    if (value.find("//") != std::string::npos) Add(path, "must not hold //");
    if (base::LowerAscii(value).find("%2f") != std::string::npos) Add(path, "must not hold an encoded slash");
    for (std::string_view segment : base::Split(value, '/')) {
      if (segment == "." || segment == "..") Add(path, "must not hold the segments . and ..");
    }
  }

  void Filter(const portico::v1::RouteFilter& filter, const std::string& path) {
    const int set = filter.has_request_header_modifier() + filter.has_response_header_modifier() +
                    filter.has_request_redirect() + filter.has_url_rewrite() + filter.has_direct_response() +
                    filter.has_request_mirror() + filter.has_cors() + filter.has_external_auth() +
                    filter.has_extension_ref();
    if (set != 1) Add(path, "must hold exactly one filter");
    Modifier(filter.request_header_modifier(), path + ".requestHeaderModifier");
    Modifier(filter.response_header_modifier(), path + ".responseHeaderModifier");
  }

  void Modifier(const portico::v1::HeaderModifier& modifier, const std::string& path) {
    for (int i = 0; i < modifier.set_size(); ++i)
      Field(modifier.set(i).name(), Concat(path, ".set[", i, "].name"));
    for (int i = 0; i < modifier.add_size(); ++i)
      Field(modifier.add(i).name(), Concat(path, ".add[", i, "].name"));
    for (int i = 0; i < modifier.remove_size(); ++i)
      Field(modifier.remove(i), Concat(path, ".remove[", i, "]"));
  }
  void Field(const std::string& name, std::string path) {
    if (!IsToken(name)) return Add(std::move(path), "must be the name of a field (RFC 9110 section 5.1)");
    if (IsReservedField(name))
      Add(std::move(path), "is a field of the connection or of framing, which nobody may edit");
  }

  const ResourceKey key_;
  const CheckEnvironment& environment_;
  Violations violations_;
};

}  // namespace

Violations CheckResource(const Resource& resource, const CheckEnvironment& environment) {
  Violations violations = CheckSupported(resource, environment.system_fields);
  Checker checker(KeyOf(resource), environment);
  if (resource.kind_case() != Resource::KIND_NOT_SET) checker.Metadata(MetadataOf(resource));
  if (resource.has_gateway()) checker.Gateway(resource.gateway().spec());
  if (resource.has_route()) checker.Route(resource.route().spec());
  if (resource.has_cluster()) checker.Cluster(resource.cluster().spec());
  if (resource.has_secret()) checker.Secret(resource.secret().spec());
  const auto append = [&violations](Violations more) {
    std::move(more.begin(), more.end(), std::back_inserter(violations));
  };
  append(checker.Take());
  if (resource.has_auth_policy()) append(CheckAuthPolicy(KeyOf(resource), resource.auth_policy().spec()));
  if (resource.has_composition()) append(CheckComposition(KeyOf(resource), resource.composition().spec()));
  return violations;
}

}  // namespace portico::check
