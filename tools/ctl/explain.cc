#include "tools/ctl/explain.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/load/load.h"
#include "api/resolve/resolved.h"
#include "dataplane/route/explain.h"
#include "dataplane/route/path.h"
#include "dataplane/route/rewrite.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/gateway_model.h"
#include "tools/ctl/load.h"
#include "tools/ctl/policy_text.h"
#include "tools/ctl/request.h"

namespace portico::ctl {
namespace {

constexpr char kHelp[] =
    R"(usage: porticoctl explain [-f FILE|FOLDER …] --url URL [--method METHOD] [-H 'NAME: VALUE' …] [--gateway NAME]

Says which rule a request wins, why each other match loses, and which policies hold with where they come from: what the
proxy's own matcher says of the configuration that the control plane holds or, with -f, of files, and then it asks nobody.

  -f, --file FILE|FOLDER  the configuration; repeated: all together; default: the control plane's
      --revision N        of the control plane: as of a revision that is still kept; default: now
      --url URL           http:// or https://, host, port, path and query. The port chooses the listener; without one
                          it is the Gateway's only port for that scheme
      --method METHOD     default: GET
  -H, --header 'N: V'     a field of the request; `host` replaces the URL's host
      --gateway NAME      [NAMESPACE/]NAME; default: the only Gateway

exit codes: 0 a rule wins, 1 none does, the proxy refuses or answers the request itself, or the configuration has errors,
2 wrong usage
)";

template <typename... Pieces>
absl::Status Failure(const Pieces&... pieces) {
  return absl::FailedPreconditionError(base::ToAbsl(base::Concat(pieces...)));
}

std::string Milliseconds(base::Duration duration) {
  return base::Concat(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(), "ms");
}

// "2 times, the first after 25ms, answers 502, 503, methods GET, HEAD, up to 65536 bytes of content"
std::string RetryText(const route::RetryPlan& plan) {
  std::string codes;
  for (const uint32_t code : plan.codes)
    base::AppendTo(codes, base::Concat(codes.empty() ? ", answers " : ", ", code));
  return base::Concat(plan.attempts, plan.attempts == 1 ? " time" : " times", ", the first after ",
                      Milliseconds(plan.backoff), codes, ", methods ", base::Join(plan.methods, ", "), ", up to ",
                      plan.content_bytes_max, " bytes of content");
}

class Printer {
 public:
  Printer(std::ostream& out, const resolve::ResolvedGateway& gateway, const Request& request,
          const route::Target& target)
      : out_(out), gateway_(gateway), request_(request), target_(target) {}

  void Print(const route::Explanation& explanation, uint16_t port) {
    out_ << request_.method << " " << request_.scheme << "://" << request_.authority << target_.path
         << (target_.has_query ? base::Concat("?", target_.query) : "") << "\non " << gateway_.key.ToString();
    if (explanation.listener == nullptr) {
      out_ << ", port " << port << "\n\nno listener answers for this host: 404\n";
    } else {
      out_ << ", listener " << explanation.listener->name << " (port " << port << ")\n\n";
      if (explanation.winner == nullptr) out_ << "no rule agrees: 404\n";
    }
    if (explanation.winner != nullptr) PrintWinner(*explanation.winner);
    if (!explanation.losers.empty()) out_ << "\nloses:\n";
    for (const route::Loser& loser : explanation.losers) {
      out_ << "  " << MatchName(*loser.match) << " (" << route::Describe(*loser.match) << "): " << loser.reason << "\n";
    }
  }

 private:
  void Line(std::string_view name, std::string_view text) { out_ << "  " << name << ": " << text << "\n"; }

  void PrintWinner(const route::RuleMatch& match) {
    out_ << "wins: " << MatchName(match) << " (" << route::Describe(match) << ")\n";
    for (const auto& [part, text] : PolicyLines(ResolvedOf(match).policies))
      Line(part, text);
    PrintActions(match);
    PrintBackends(*match.rule);
  }

  void PrintActions(const route::RuleMatch& match) {
    const route::Rule& rule = *match.rule;
    if (rule.redirect) {
      const route::RedirectContext context{request_.scheme, request_.authority, target_, match.prefix_bytes(),
                                           rule.listener_port};
      Line("redirect", base::Concat(rule.redirect->status, " to ", route::Location(*rule.redirect, context)));
    }
    if (rule.direct_response) Line("direct response", base::Concat(rule.direct_response->status));
    if (rule.rewrite && rule.rewrite->path) {
      Line("path for the origin", route::RewritePath(*rule.rewrite->path, target_.path, match.prefix_bytes()));
    }
    if (rule.rewrite && !rule.rewrite->hostname.empty()) Line("host for the origin", rule.rewrite->hostname);
    PrintEdits("request fields", rule.request_edits);
    PrintEdits("response fields", rule.response_edits);
    if (rule.request_timeout) Line("timeout of the request", Milliseconds(*rule.request_timeout));
    if (rule.backend_request_timeout) Line("timeout of an attempt", Milliseconds(*rule.backend_request_timeout));
    if (rule.retry) Line("retry", RetryText(*rule.retry));
  }

  void PrintEdits(std::string_view name, const route::FieldEdits& edits) {
    std::vector<std::string> pieces;
    for (const auto& [field, value] : edits.set)
      pieces.push_back(base::Concat("set ", field, " = ", value));
    for (const auto& [field, value] : edits.add)
      pieces.push_back(base::Concat("add ", field, " = ", value));
    for (const std::string& field : edits.remove)
      pieces.push_back(base::Concat("remove ", field));
    if (!pieces.empty()) Line(name, base::Join(pieces, ", "));
  }

  void PrintBackends(const route::Rule& rule) {
    for (const route::Backend& backend : rule.backends) {
      const std::string_view kind = backend.kind == route::BackendKind::kCluster ? "Cluster " : "Composition ";
      Line("backend",
           base::Concat(kind, backend.name_space, "/", backend.name,
                        backend.port ? base::Concat(":", *backend.port) : "", ", weight ", backend.weight, " of ",
                        rule.weight_sum, backend.fault.empty() ? "" : base::Concat(" (500: ", backend.fault, ")")));
    }
  }

  std::ostream& out_;
  const resolve::ResolvedGateway& gateway_;
  const Request& request_;
  const route::Target& target_;
};

// true: a rule wins.
absl::StatusOr<bool> ExplainRequest(const check::Configuration& configuration, const std::string& gateway_name,
                                    const Request& request, std::ostream& out) {
  const absl::StatusOr<std::unique_ptr<GatewayModel>> model = GatewayModel::Create(configuration, gateway_name);
  if (!model.ok()) return model.status();
  const absl::StatusOr<uint16_t> port = (*model)->ChoosePort(request);
  if (!port.ok()) return port.status();
  const absl::StatusOr<const route::RouteTable*> table = (*model)->Table(*port);
  if (!table.ok()) return table.status();

  const SeenRequest seen(request);
  if (!seen.status().ok()) return Failure("the proxy answers 400: ", base::ToStd(seen.status().message()));
  const route::Explanation explanation = route::Explain(**table, seen.view());
  if (explanation.winner != nullptr) {
    const OwnAnswer answer = AnswerBefore(**table, *explanation.winner, seen);
    if (answer.status != 0) {
      return Failure("the proxy answers ", answer.status, answer.status == 400 ? "" : " itself", ": ", answer.why);
    }
  }
  Printer(out, (*model)->gateway(), request, seen.target()).Print(explanation, *port);
  return explanation.winner != nullptr;
}

// nullopt: it cannot be had, and that has been said.
std::optional<check::Configuration> FromFiles(const Call& call) {
  load::Loaded loaded = LoadAndResolve(call.arguments.All("file"), call.console.files, call.console.key_pairs);
  if (loaded.errors() == 0) return std::move(loaded.configuration);
  for (const load::Finding& finding : loaded.findings) {
    if (finding.is_error) call.console.error << finding.ToString() << "\n";
  }
  return std::nullopt;
}

std::optional<check::Configuration> FromControlPlane(const Call& call, uint64_t revision) {
  portico::v1::ListRequest request;
  request.set_revision(revision);
  absl::StatusOr<Fetched> stored = Fetch(*call.client, request);
  if (stored.ok()) {
    WarnOfPart(call, stored->partial);
    return std::move(stored->configuration);
  }
  call.Fail(stored.status());
  return std::nullopt;
}

int Explain(const Call& call) {
  const base::Arguments& arguments = call.arguments;
  const absl::StatusOr<Request> request =
      ParseRequest(arguments.Get("method", "GET"), arguments.Get("url"), arguments.All("header"));
  if (!request.ok()) return call.WrongUsage(base::ToStd(request.status().message()));
  const bool offline = arguments.Has("file");
  if (offline && (arguments.Has("api_address") || arguments.Has("revision"))) {
    return call.WrongUsage("-f asks no control plane: no --api_address or --revision beside it");
  }
  const std::optional<uint64_t> revision = base::ParseDecimal(arguments.Get("revision", "0"));
  if (!revision) return call.WrongUsage("--revision is a number that history shows");
  const std::optional<check::Configuration> configuration =
      offline ? FromFiles(call) : FromControlPlane(call, *revision);
  if (!configuration) return kFailed;
  const absl::StatusOr<bool> wins =
      ExplainRequest(*configuration, arguments.Get("gateway"), *request, call.console.out);
  if (!wins.ok()) return call.Fail(wins.status());
  return *wins ? kGood : kFailed;
}

}  // namespace

const Command kExplain = {.name = "explain",
                          .help = kHelp,
                          .flags = {{.name = "file", .letter = 'f', .repeated = true},
                                    {.name = "revision"},
                                    {.name = "url", .required = true},
                                    {.name = "method"},
                                    {.name = "header", .letter = 'H', .repeated = true},
                                    {.name = "gateway"}},
                          .run = Explain};

}  // namespace portico::ctl
