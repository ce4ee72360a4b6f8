#ifndef PORTICO_DATAPLANE_ADMIN_ADMIN_EXCHANGE_H_
#define PORTICO_DATAPLANE_ADMIN_ADMIN_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/admin/admin_view.h"
#include "dataplane/admin/pages.h"
#include "dataplane/base/buffer.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/filter/reply.h"

namespace portico::admin {

// What the exchanges of one address share. Outlives them, as far as they were not reset.
struct AdminSite {
  event::Loop& loop;
  AdminView& view;
  const Access access;
  size_t large_answers = 0;  // being gathered or sent
};

// One request and its answer.
//
//   kAwaiting ──head──▶ kGathering ──view's answer, kGatherTime──▶ kSending ──all taken──▶ kEnded
//       └──a page that is at hand, a refusal──────────────────────────▲          from every state: reset, kAnswerTime
//
// Content of the request is dropped; beyond kContentBytesMax it is not even read, while the answer is on its way.
class AdminExchange final : public downstream::ExchangeEvents, private event::Timer::Handler {
 public:
  // /metrics, /snapshot and /clusters may be megabytes each: more of them at once are answered 503.
  static constexpr size_t kLargeAnswersMax = 16;
  static constexpr size_t kContentBytesMax = 64 * 1024;
  static constexpr base::Duration kGatherTime = std::chrono::seconds(5);   // a worker that takes longer is stuck
  static constexpr base::Duration kAnswerTime = std::chrono::seconds(60);  // for a client to take its answer

  // All outlive it.
  AdminExchange(AdminSite& site, downstream::Connection& connection, http::StreamId id);

  // downstream::ExchangeEvents
  base::Arena& arena() override { return arena_; }
  void OnRequest(http::RequestHead head) override;
  void OnBadRequest(http::MessageError error) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override {}
  void OnRequestEnd() override {}
  void OnReset(http::ResetReason reason) override { End(); }
  void OnSendReady() override { Send(); }

 private:
  enum class State : uint8_t { kAwaiting, kGathering, kSending, kEnded };

  void OnTimer(event::Timer& timer) override;

  void Show(const PageRequest& request);
  void ShowReady(const AdminView::Readiness& readiness);
  void ShowLarge(Page page);
  void ShowSnapshot();
  std::function<void(std::string)> Gathered(std::string_view media_type);
  void Answer(const filter::Reply& reply);
  void Send();
  void End();

  AdminSite& site_;
  downstream::Connection& connection_;
  const http::StreamId id_;
  base::Arena arena_;
  event::Timer timer_;
  std::shared_ptr<AdminExchange*> self_;  // what the view's answer finds it by; gone with it
  base::Buffer content_;                  // not sent yet
  size_t dropped_bytes_ = 0;              // of the request's content
  State state_ = State::kAwaiting;
  bool head_only_ = false;
  bool large_ = false;
};

}  // namespace portico::admin

#endif  // PORTICO_DATAPLANE_ADMIN_ADMIN_EXCHANGE_H_
