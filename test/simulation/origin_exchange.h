#ifndef PORTICO_TEST_SIMULATION_ORIGIN_EXCHANGE_H_
#define PORTICO_TEST_SIMULATION_ORIGIN_EXCHANGE_H_

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/downstream/connection.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "test/simulation/judge.h"

namespace portico::simulation {

// One request at an origin: checks it and answers it as its script says. A call of a composition is answered with JSON
// that names the exchange and the revision.
class OriginExchange final : public downstream::ExchangeEvents, private event::Timer::Handler {
 public:
  OriginExchange(downstream::Connection& connection, http::StreamId id, event::Loop& loop, std::string_view cluster,
                 Judge& judge);
  ~OriginExchange() override;

  base::Arena& arena() override { return arena_; }
  void OnRequest(http::RequestHead head) override;
  void OnBadRequest(http::MessageError error) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override;
  void OnRequestEnd() override;
  void OnReset(http::ResetReason reason) override;
  void OnSendReady() override;

 private:
  void OnTimer(event::Timer& timer) override;
  void Violation(std::string_view what);
  void GiveBack();
  void AnswerIfDue();
  void Fail();
  void SendHead();
  void SendPieces();
  void SendEnd();
  void SendJson();
  void Over();

  base::Arena arena_;
  downstream::Connection& connection_;
  const http::StreamId id_;
  event::Loop& loop_;
  const std::string_view cluster_;
  Judge& judge_;
  event::Timer timer_;
  const Script* script_ = nullptr;
  std::string path_;
  std::string revision_;
  bool composed_ = false;  // a call of a composition
  bool failing_ = false;   // an attempt that is tried again, if it may be
  uint64_t received_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
  size_t owed_ = 0;  // received and not given back: it reads slowly
  bool request_trailers_ = false;
  bool request_ended_ = false;
  std::optional<base::MonotonicTime> answer_at_;
  bool answering_ = false;
  bool blocked_ = false;  // until OnSendReady
  bool over_ = false;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_ORIGIN_EXCHANGE_H_
