#include "tools/ctl/caller.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "api/check/qualified_name.h"
#include "dataplane/filters/auth/authorization_config.h"
#include "dataplane/filters/auth/consumers_config.h"
#include "google/protobuf/util/json_util.h"

namespace portico::ctl {
namespace {

template <typename... Pieces>
absl::Status Failure(const Pieces&... pieces) {
  return absl::FailedPreconditionError(base::ToAbsl(base::Concat(pieces...)));
}

// What an identity's views are of.
struct Token {
  base::Arena arena;
  std::string subject;
  std::string issuer;
  std::string text;
};

v1::AuthenticationMethodName MethodOf(const Caller& caller) {
  if (caller.method() != v1::AUTHENTICATION_METHOD_NAME_UNSPECIFIED) return caller.method();
  const bool has_token = !caller.subject().empty() || !caller.issuer().empty() || caller.has_claims();
  return has_token ? v1::AUTHENTICATION_METHOD_NAME_JWT : v1::AUTHENTICATION_METHOD_NAME_ANONYMOUS;
}

// The issuer whose token the caller has, of those that the policy knows. "": of none.
absl::StatusOr<std::string> IssuerOf(const Caller& caller, const v1::Authentication& policy) {
  std::vector<std::string> known;
  for (const v1::AuthenticationMethod& method : policy.any_of()) {
    if (!method.has_jwt()) continue;
    if (method.jwt().issuer() == caller.issuer()) return caller.issuer();
    known.push_back(method.jwt().issuer());
  }
  if (!caller.issuer().empty() || known.empty()) return std::string();
  if (known.size() == 1) return known.front();
  return Failure("identity.issuer must say which: the policy knows ", base::Join(known, ", "));
}

// `claims` of the caller, with the two that have names of their own.
absl::Status AddClaims(const Caller& caller, Token& token, filter::Identity& identity) {
  google::protobuf::Value all = caller.claims();
  auto& fields = *all.mutable_struct_value()->mutable_fields();
  if (!token.subject.empty()) fields["sub"].set_string_value(token.subject);
  fields["iss"].set_string_value(token.issuer);
  (void)google::protobuf::util::MessageToJsonString(all, &token.text);
  absl::StatusOr<base::Json> parsed = base::ParseJson(token.text, token.arena);
  if (!parsed.ok()) return parsed.status();
  identity.claims = *parsed;
  identity.subject = token.subject;
  identity.issuer = token.issuer;
  return absl::OkStatus();
}

// The one that it names, and its groups.
absl::Status AddNamedConsumer(const Caller& caller, const std::string& own_namespace,
                              const resolve::ResolvedGateway& gateway, filter::Identity& identity) {
  identity.groups.insert(identity.groups.end(), caller.groups().begin(), caller.groups().end());
  if (caller.consumer().empty()) return absl::OkStatus();
  const check::ResourceKey key = check::ReadQualifiedName("Consumer", own_namespace, caller.consumer());
  const v1::Resource* resource = gateway.configuration.Find(key);
  if (resource == nullptr) return Failure("identity.consumer: there is no ", key.ToString());
  const filter::ConsumerName name = {key.name_space, key.name};
  for (const filter::ConsumerName& known : identity.consumers)
    if (known == name) return absl::OkStatus();
  identity.consumers.push_back(name);
  // One of another namespace is known by its name alone, as to the proxy (filters/auth/consumers_config.h).
  if (key.name_space != own_namespace) return absl::OkStatus();
  const auto& groups = resource->consumer().spec().groups();
  identity.groups.insert(identity.groups.end(), groups.begin(), groups.end());
  return absl::OkStatus();
}

// What a policy knows of the caller's method.
struct Known {
  bool anonymous = false;  // callers without credentials are let in
  bool any = false;        // some method besides
  bool method = false;     // the caller's
};

Known KnownBy(const v1::Authentication& policy, v1::AuthenticationMethodName method) {
  Known out;
  for (const v1::AuthenticationMethod& each : policy.any_of()) {
    out.anonymous |= each.has_anonymous();
    out.any |= !each.has_anonymous();
    out.method |= (each.has_jwt() && method == v1::AUTHENTICATION_METHOD_NAME_JWT) ||
                  (each.has_api_key() && method == v1::AUTHENTICATION_METHOD_NAME_API_KEY);
  }
  return out;
}

// Who the token's claims say it is. Sets `refusal` if the policy takes no token of that issuer.
absl::Status ReadToken(const Caller& caller, const resolve::BoundPolicy& authentication,
                       const auth::Authorization* authorization, const resolve::ResolvedGateway& gateway,
                       Recognised& out) {
  const v1::Authentication& policy = authentication.resource->auth_policy().spec().authentication();
  const absl::StatusOr<std::string> issuer = IssuerOf(caller, policy);
  if (!issuer.ok()) return issuer.status();
  if (issuer->empty()) {
    out.refusal = base::Concat("no token of ", caller.issuer(), " is taken");
    return absl::OkStatus();
  }
  auto token = std::make_shared<Token>();
  token->subject = caller.subject();
  token->issuer = *issuer;
  if (absl::Status status = AddClaims(caller, *token, out.identity); !status.ok()) return status;
  out.identity.owner = token;
  const absl::StatusOr<auth::Consumers> consumers =
      auth::BuildConsumers(authentication.key.name_space, authorization, gateway.configuration, gateway.reach);
  if (!consumers.ok()) return consumers.status();
  consumers->Recognise(out.identity.issuer, out.identity.claims, out.identity);
  return absl::OkStatus();
}

// Whose key it is. Sets `refusal` if the policy knows no key of theirs.
absl::Status ReadKey(const Caller& caller, const resolve::BoundPolicy& authentication,
                     const auth::Authorization* authorization, const resolve::ResolvedGateway& gateway,
                     Recognised& out) {
  if (caller.consumer().empty()) return Failure("identity.consumer must say whose key it is");
  if (absl::Status status = AddNamedConsumer(caller, authentication.key.name_space, gateway, out.identity);
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<auth::Consumers> consumers =
      auth::BuildConsumers(authentication.key.name_space, authorization, gateway.configuration, gateway.reach);
  if (!consumers.ok()) return consumers.status();
  for (const auth::Consumer& consumer : consumers->all())
    if (consumer.name == out.identity.consumers.front() && !consumer.keys.empty()) return absl::OkStatus();
  out.refusal = base::Concat("no key of ", caller.consumer(), " is taken");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Recognised> Recognise(const Caller& caller, const std::optional<resolve::BoundPolicy>& authentication,
                                     const auth::Authorization* authorization,
                                     const resolve::ResolvedGateway& gateway) {
  Recognised out;
  if (!authentication) return out;
  const v1::AuthenticationMethodName method = MethodOf(caller);
  const Known known = KnownBy(authentication->resource->auth_policy().spec().authentication(), method);
  if (!known.any) return out;  // where only anonymous callers are known, everybody is
  if (!known.method) {
    if (!known.anonymous) out.refusal = "no credentials";
    return out;
  }
  const absl::StatusOr<std::optional<filter::IdentityMethod>> decoded = auth::DecodeMethod(method);
  if (!decoded.ok()) return Failure("identity.method is not supported yet");
  out.identity.method = **decoded;
  if (method == v1::AUTHENTICATION_METHOD_NAME_API_KEY) {
    const absl::Status status = ReadKey(caller, *authentication, authorization, gateway, out);
    if (!status.ok()) return status;
    return out;
  }
  if (method == v1::AUTHENTICATION_METHOD_NAME_JWT) {
    const absl::Status status = ReadToken(caller, *authentication, authorization, gateway, out);
    if (!status.ok()) return status;
    if (!out.refusal.empty()) return out;
  }
  absl::Status status = AddNamedConsumer(caller, authentication->key.name_space, gateway, out.identity);
  if (!status.ok()) return status;
  return out;
}

}  // namespace portico::ctl
