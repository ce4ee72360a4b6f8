#ifndef PORTICO_TOOLS_CTL_GATEWAY_MODEL_H_
#define PORTICO_TOOLS_CTL_GATEWAY_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/arena.h"
#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "dataplane/http/message.h"
#include "dataplane/route/path.h"
#include "dataplane/route/route_table.h"
#include "tools/ctl/request.h"

namespace portico::ctl {

// A gateway as its proxies have it, as far as it can be asked without one: the tables of their matcher, and a request
// as it looks to it. What `explain` and `test` have in common.
//
//   ASSIGN model = GatewayModel::Create(configuration, "shop");
//   ASSIGN port = model->ChoosePort(request);
//   ASSIGN table = model->Table(port);
//   SeenRequest seen(request);
//   if (seen.status().ok()) … (*table)->Match(seen.view()) …

// A rule that knows what it was made of. Every rule of a model is one.
struct ModelRule final : route::Rule {
  ModelRule(route::Rule rule, resolve::SharedRule of) : route::Rule(std::move(rule)), resolved(std::move(of)) {}

  resolve::SharedRule resolved;
};
inline const resolve::ResolvedRule& ResolvedOf(const route::RuleMatch& match) {
  return *static_cast<const ModelRule&>(*match.rule).resolved;
}

// "Route default/shop, rule users, match 0".
std::string MatchName(const route::RuleMatch& match);

class GatewayModel {
 public:
  // `name` is [NAMESPACE/]NAME, "" for the only Gateway. kFailedPrecondition: there is none such.
  static absl::StatusOr<std::unique_ptr<GatewayModel>> Create(const check::Configuration& configuration,
                                                              const std::string& name);

  const resolve::ResolvedGateway& gateway() const { return gateway_; }

  // The URL's port, or the only one that a listener has for the URL's scheme. kFailedPrecondition: there is none.
  absl::StatusOr<uint16_t> ChoosePort(const Request& request) const;

  // Made when it is first asked for; lives as long as the model. Errors: as BuildRouteTable.
  absl::StatusOr<const route::RouteTable*> Table(uint16_t port);

 private:
  explicit GatewayModel(resolve::ResolvedGateway gateway) : gateway_(std::move(gateway)) {}

  const resolve::ResolvedGateway gateway_;
  std::map<uint16_t, std::unique_ptr<const route::RouteTable>> tables_;
};

// The request outlives it.
class SeenRequest {
 public:
  explicit SeenRequest(const Request& request);
  SeenRequest(const SeenRequest&) = delete;
  SeenRequest& operator=(const SeenRequest&) = delete;

  // Not good: the proxy answers 400, and why. Then the rest says nothing.
  const absl::Status& status() const { return path_.status; }
  const route::Target& target() const { return target_; }  // path normal
  const http::RequestHead& head() const { return head_; }
  route::RequestView view() const;

 private:
  base::Arena arena_;
  const Request& request_;
  route::Target target_;
  const route::NormalisedPath path_;
  http::RequestHead head_;
};

// What the proxy says to a request that `match` has won before it goes by its rule (downstream/exchange.cc).
struct OwnAnswer {
  int status = 0;  // 0: nothing, it goes by its rule
  std::string why;
};
OwnAnswer AnswerBefore(const route::RouteTable& table, const route::RuleMatch& match, const SeenRequest& seen);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_GATEWAY_MODEL_H_
