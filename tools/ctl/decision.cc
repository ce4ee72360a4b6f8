#include "tools/ctl/decision.h"

#include <optional>
#include <utility>

#include "api/base/text.h"
#include "dataplane/filters/auth/authorization.h"
#include "dataplane/filters/auth/authorization_config.h"
#include "dataplane/route/path.h"
#include "dataplane/route/rewrite.h"
#include "tools/ctl/caller.h"

namespace portico::ctl {
namespace {

std::string NameOf(const resolve::BoundPolicy& policy) {
  return base::Concat(policy.key.name_space, "/", policy.key.name);
}

// As filters/auth: who is it, and what may they do. Sets `status` if it ends here.
absl::Status Guard(const GatewayModel& model, const Caller& caller, const SeenRequest& seen, Decision& out) {
  const resolve::EffectiveAuth& effective = ResolvedOf(*out.match).policies.auth;
  std::optional<auth::Authorization> authorization;
  if (effective.authorization) {
    const auto& spec = effective.authorization->resource->auth_policy().spec();
    auto built = auth::BuildAuthorization(spec.authorization(), effective.authorization->key.name_space);
    if (!built.ok()) return built.status();
    authorization = *std::move(built);
  }
  const absl::StatusOr<Recognised> who =
      Recognise(caller, effective.authentication, authorization ? &*authorization : nullptr, model.gateway());
  if (!who.ok()) return who.status();
  if (!who->refusal.empty()) {
    out.status = 401;
    out.reason = who->refusal;
    out.policy = NameOf(*effective.authentication);
    return absl::OkStatus();
  }
  if (!authorization) return absl::OkStatus();
  const route::RequestView view = seen.view();
  const auth::Authorization::Decision decision =
      authorization->DecideEveryReading({who->identity, view.method, view.host, view.path});
  if (decision.allowed) return absl::OkStatus();
  out.status = 403;
  out.policy = NameOf(*effective.authorization);
  out.denied_rule = decision.rule == nullptr ? "default" : decision.rule->name;
  out.reason = decision.rule == nullptr ? "denied by default" : base::Concat("denied by rule ", decision.rule->name);
  return absl::OkStatus();
}

// What the rule says to whoever was let in.
void Answer(const Request& request, const SeenRequest& seen, Decision& out) {
  const route::Rule& rule = *out.match->rule;
  if (rule.redirect) {
    out.status = rule.redirect->status;
    out.location = route::Location(*rule.redirect, {request.scheme, request.authority, seen.target(),
                                                    out.match->prefix_bytes(), rule.listener_port});
    return;
  }
  if (rule.direct_response) {
    out.status = rule.direct_response->status;
    return;
  }
  for (const route::Backend& backend : rule.backends)
    if (backend.weight > 0) out.backends.push_back(&backend);
  if (out.backends.empty()) {
    out.status = 500;
    out.reason = "the rule has no backend";
    return;
  }
  out.path = seen.target().path;
  out.host = request.authority;
  if (!rule.rewrite) return;
  if (!rule.rewrite->hostname.empty()) out.host = rule.rewrite->hostname;
  if (rule.rewrite->path) {
    out.path = route::RewritePath(*rule.rewrite->path, seen.target().path, out.match->prefix_bytes());
  }
}

}  // namespace

absl::StatusOr<Decision> Decide(GatewayModel& model, const Request& request, const Caller& caller) {
  const absl::StatusOr<uint16_t> port = model.ChoosePort(request);
  if (!port.ok()) return port.status();
  const absl::StatusOr<const route::RouteTable*> table = model.Table(*port);
  if (!table.ok()) return table.status();
  Decision out;
  const auto answered = [&out](int status, std::string reason) {
    out.status = status;
    out.reason = std::move(reason);
    return std::move(out);
  };
  const SeenRequest seen(request);
  if (!seen.status().ok()) return answered(400, std::string(base::ToStd(seen.status().message())));
  const route::RequestView view = seen.view();
  if (const route::ListenerRoutes* listener = (*table)->FindListener(view.host)) out.listener = listener->name;
  out.match = (*table)->Match(view);
  if (out.match == nullptr) {
    return answered(404, out.listener.empty() ? "no listener answers for this host" : "no rule agrees");
  }
  if (OwnAnswer answer = AnswerBefore(**table, *out.match, seen); answer.status != 0) {
    return answered(answer.status, std::move(answer.why));
  }
  if (absl::Status status = Guard(model, caller, seen, out); !status.ok()) return status;
  if (out.status == 0) Answer(request, seen, out);
  return out;
}

}  // namespace portico::ctl
