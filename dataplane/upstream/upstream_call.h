#ifndef PORTICO_DATAPLANE_UPSTREAM_UPSTREAM_CALL_H_
#define PORTICO_DATAPLANE_UPSTREAM_UPSTREAM_CALL_H_

#include <optional>
#include <vector>

#include "dataplane/call/call.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/upstream/cluster.h"
#include "dataplane/upstream/connection.h"

namespace portico::upstream {

// One call to a cluster: choose an endpoint, get a connection, send, hear; try again where README.md says it is safe.
//
//   kWaiting ──connection──▶ kStreaming ──response and its end──▶ kDone
//      ▲  │ none to be had: next endpoint      │ failed before the response on a reused connection: once more
//      └──┴────────────────────────────────────┘               every other failure: kDone with OnError
//
// It waits at an endpoint for a connection that is on its way, or in the cluster's line while there is no room for one.
// Every method that calls the handler does so as its last act: the handler may destroy the call.
class UpstreamCall final : public call::Call,
                           private Waiter,
                           private Connection::StreamOwner,
                           private event::Timer::Handler,
                           private event::TurnEnd {
 public:
  // `failed`: endpoints to be asked only if there is no other, the last of them last of all; outlives the call.
  // nullptr: none.
  UpstreamCall(Cluster& cluster, const call::CallRequest& request, call::CallHandler& handler,
               const std::vector<net::Address>* failed = nullptr);
  ~UpstreamCall() override;

  void SendContent(base::Buffer& content, bool end) override;
  void SendTrailers(const http::Fields& trailers) override;
  size_t Unsent() const override;
  void Consumed(size_t bytes) override;
  call::CallFacts facts() const override;
  // The head of the answer has said all that is wanted of it: the attempt is over, however the rest ends.
  void CountAnswer();
  // Of the endpoint that the request has last been sent to, or waited at until its attempt's time was over; nullopt:
  // of none.
  const std::optional<net::Address>& address() const { return address_; }

 private:
  enum class State : uint8_t { kWaiting, kStreaming, kDone };

  // Waiter
  void OnConnection(Endpoint& endpoint, Connection& connection) override;
  void OnNoConnection(Endpoint& endpoint, const call::Error& error) override;
  void OnRoom() override;
  // Connection::StreamOwner
  void OnSending() override;
  void OnInformational(const http::ResponseHead& head) override;
  void OnResponse(http::ResponseHead head) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override;
  void OnEnd() override;
  void OnStreamError(const call::Error& error) override;
  void OnSendReady() override;

  void OnTimer(event::Timer& timer) override;
  void OnTurnEnd() override;

  Endpoint* ChooseEndpoint();
  void TryNext(const call::Error& last_error);
  void WaitForRoom();
  void GiveUp(const call::Error& error);
  void BeginAttempt();
  void EndAttempt(std::string_view outcome);
  void TellEndpoint(std::string_view outcome);
  bool MayRepeat(const call::Error& error) const;
  void Fail(call::Error error);  // a copy: the handler may destroy the call, and what it keeps
  void LeaveConnection();
  void Progress();
  bool IsCallersTurn() const;
  bool KnowsNobody() const { return cluster_.endpoint_count() == 0; }
  void NoteCaller();
  void FailLate();
  base::MonotonicTime Deadline() const;

  Cluster& cluster_;
  const call::CallRequest request_;
  call::CallHandler& handler_;
  const std::vector<net::Address>* const failed_;
  event::Timer timer_;
  State state_ = State::kWaiting;
  Connection* connection_ = nullptr;
  http::StreamId id_ = 0;
  std::vector<net::Address> tried_;     // where no connection was to be had
  std::optional<call::Error> failure_;  // to be reported at the end of the turn in which the call began
  std::optional<base::MonotonicTime> attempt_deadline_;
  base::MonotonicTime progress_at_{};  // kWaiting: when it began to
  base::MonotonicTime begun_at_{}, connected_at_{}, answered_at_{};
  base::MonotonicTime callers_until_{};  // when it last gave or took what was waited for
  base::MonotonicTime held_since_{};
  size_t held_bytes_ = 0;  // of the response, that the caller has not taken yet
  base::Buffer pending_;   // content, until it is sent along with the head
  std::optional<http::Fields> pending_trailers_;
  std::string endpoint_name_;
  std::optional<net::Address> address_;  // address()
  net::Address waited_at_;               // of the endpoint that it waits at, or has last waited at
  Endpoint* asked_ = nullptr;            // while that has not been told what became of it
  int attempts_ = 0;
  int status_ = 0;
  const bool admitted_;  // false: one call too many
  bool attempting_ = false;
  bool request_ended_;
  bool sending_ = false;  // what pending_ held has been given to the connection
  bool heard_ = false;    // a 1xx response, or the final one
  bool response_begun_ = false;
  bool reused_ = false;
  bool repeated_ = false;
  bool wants_new_ = false;  // a reused connection has failed: the other idle ones are as old
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_UPSTREAM_CALL_H_
