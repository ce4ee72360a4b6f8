#ifndef PORTICO_DATAPLANE_DOWNSTREAM_EXCHANGE_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_EXCHANGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/compose/composition.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/downstream/relay.h"
#include "dataplane/downstream/site.h"
#include "dataplane/downstream/trace.h"
#include "dataplane/downstream/upload_pace.h"
#include "dataplane/filter/identity.h"
#include "dataplane/filter/runner.h"
#include "dataplane/route/path.h"
#include "dataplane/route/route_table.h"

namespace portico::downstream {

// One request with its response, from the first byte to the line in the access log. Until somebody answers it is a row
// of steps with one driver loop; each step is a short function that says which comes next:
//
//   kReadHead ──▶ kRoute ──▶ kAdmit ──▶ kChoose ──▶ kRespond   the origin (relay.h), a composition, a redirect, …
//       │            │      (kAdmitting: a filter waits)
//       └────────────┴──────────┴──▶ kRespond: a local answer (local_answer.h, or a filter's reply)
//
// Deadlines: timeouts.request and streamDurationMax bind the whole, streamIdle the silence in both directions,
// UploadPace content that drips.
//
// The connection owns it; it dies at the end of a turn. Whatever it has begun elsewhere ends with the response.
class Exchange final : public ExchangeEvents,
                       private Relay::Delegate,
                       private filter::Runner::Delegate,
                       private compose::CompositionHandler,
                       private event::Timer::Handler {
 public:
  // Connection and site outlive it, the connection as far as the exchange is not over.
  Exchange(Connection& connection, http::StreamId id, const Site& site);
  ~Exchange() override;

  base::Arena& arena() override { return arena_; }
  void OnRequest(http::RequestHead head) override;
  void OnBadRequest(http::MessageError error) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override;
  void OnRequestEnd() override;
  void OnReset(http::ResetReason reason) override;
  void OnSendReady() override { relay_.ClientReady(); }

 private:
  enum class Step : uint8_t { kReadHead, kRoute, kAdmit, kAdmitting, kChoose, kRespond, kOver };

  void Drive();
  Step ReadHead();
  Step Route();
  Step RouteOptions(route::RequestView view, const route::RuleMatch* match);
  Step Take(const route::RuleMatch* match, const route::RequestView& view);
  bool IsWayAround(const route::RuleMatch& match, const route::RequestView& view) const;
  void Bind(const route::RuleMatch& match);
  Step Admit();
  Step Choose();
  Step Redirect();
  Step Forward(const snapshot::BoundBackend& backend);
  Step Compose(const snapshot::BoundBackend& backend);
  // A response of our own, whole. Ends whatever is under way for this exchange.
  Step Answer(filter::Reply reply);

  // Relay::Delegate
  void OnProgress() override;
  void OnOriginHead(http::ResponseHead& head) override;
  void OnResponseEnd() override;
  void OnOriginError(const call::Error& error) override;
  // filter::Runner::Delegate
  void OnFiltersPassed() override;
  void TakeEditedQuery();
  void OnFiltersReply(filter::Reply reply) override;
  // compose::CompositionHandler
  void OnAnswer(compose::Answer answer) override;
  void OnFailure(compose::Failure failure) override;
  void OnTimer(event::Timer& timer) override;

  std::shared_ptr<call::Backend> KeepBackend(const std::string& cluster);
  void PrepareForOrigin();
  void TakeCallFacts();
  void TakeSteps();
  void FinishHead(http::ResponseHead& head);
  void Abort(http::ResetReason reason);
  void Finish(bool aborted);
  bool ClientDawdles() const { return !relay_.request_ended() && !relay_.client_waits(); }
  bool HasPace() const;
  bool EndUploadWindow();
  void SetTimer();
  const snapshot::ClientConfig& client() const { return *client_; }

  base::Arena arena_;
  Connection& connection_;
  const http::StreamId id_;
  const Site& site_;
  Host& host_;
  // Of the port, which is asked for no more once the rule is known: a long exchange pins no table.
  std::shared_ptr<const snapshot::ClientConfig> client_;
  Step step_ = Step::kReadHead;
  bool driving_ = false;

  std::optional<http::RequestHead> request_;  // what goes to the origin, once prepared
  route::Target target_;                      // its path is normal
  size_t prefix_bytes_ = 0;
  std::shared_ptr<const snapshot::BoundRule> rule_;
  filter::Identity identity_;
  Trace trace_;
  bool is_timed_ = false;  // the client asks where its time goes, and may
  base::MonotonicTime filters_begun_{};
  std::optional<base::Duration> filters_time_;
  std::optional<filter::Runner> runner_;
  Relay relay_;
  // Kept until the exchange dies: a newer configuration may have dropped them.
  std::vector<std::shared_ptr<call::Backend>> backends_;
  std::vector<call::Backend*> plan_backends_;
  std::unique_ptr<compose::Composition> composition_;
  std::vector<observe::StepRecord> steps_;

  event::Timer timer_;
  std::optional<base::MonotonicTime> deadline_;
  base::MonotonicTime last_progress_;
  std::optional<UploadPace> pace_;
  const base::MonotonicTime begun_;
  observe::ExchangeRecord record_;
  net::Address client_address_;
  std::string client_text_;
  std::string reason_;
  uint64_t answer_bytes_ = 0;                // content of a local answer
  uint64_t content_bytes_max_ = UINT64_MAX;  // of the request; known once there is a rule
};

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_EXCHANGE_H_
