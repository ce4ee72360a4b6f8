#include "dataplane/admin/admin_exchange.h"

#include <utility>
#include <variant>

#include "api/base/text.h"
#include "dataplane/export/prometheus.h"
#include "dataplane/http/date.h"

namespace portico::admin {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

bool IsLarge(Page page) {
  return page == Page::kMetrics || page == Page::kSnapshot || page == Page::kClusters;
}

}  // namespace

AdminExchange::AdminExchange(AdminSite& site, downstream::Connection& connection, http::StreamId id)
    : site_(site),
      connection_(connection),
      id_(id),
      timer_(site.loop.timers(), *this),
      self_(std::make_shared<AdminExchange*>(this)) {}

void AdminExchange::OnRequest(http::RequestHead head) {
  head_only_ = head.method == "HEAD";
  const auto decision = Decide(head.method, head.authority, head.path, site_.access);
  if (const auto* refusal = std::get_if<filter::Reply>(&decision)) return Answer(*refusal);
  Show(std::get<PageRequest>(decision));
}

void AdminExchange::OnBadRequest(http::MessageError error) {
  // Also instead of the rest of the content, when the answer may be on its way.
  if (state_ == State::kSending || state_ == State::kEnded) return;
  Answer(TextReply(error.status, base::Concat(error.detail, "\n")));
}

void AdminExchange::OnContent(base::Slice content) {
  dropped_bytes_ += content.size();
  if (dropped_bytes_ <= kContentBytesMax) connection_.Consumed(id_, content.size());
}

void AdminExchange::ShowReady(const AdminView::Readiness& readiness) {
  std::string text = readiness.ready ? "ready\n" : "not ready\n";
  for (const std::string& what : readiness.missing)
    base::AppendTo(text, base::Concat("missing: ", what, "\n"));
  Answer(TextReply(readiness.ready ? 200 : 503, std::move(text)));
}

void AdminExchange::Show(const PageRequest& request) {
  AdminView& view = site_.view;
  if (IsLarge(request.page)) return ShowLarge(request.page);
  switch (request.page) {
    case Page::kReady:
      return ShowReady(view.Ready());
    case Page::kLive:
      return Answer(TextReply(200, "live\n"));
    case Page::kLogLevel:
      if (request.set_log_level) view.set_log_level(*request.set_log_level);
      return Answer(TextReply(200, base::Concat(observe::SeverityName(view.log_level()), "\n")));
    default:
      return Answer(TextReply(200, IndexText(site_.access)));
  }
}

void AdminExchange::ShowLarge(Page page) {
  if (site_.large_answers >= kLargeAnswersMax) {
    filter::Reply busy = TextReply(503, "too many large pages are asked for at once; try again\n");
    busy.fields.emplace_back("retry-after", "1");
    return Answer(busy);
  }
  ++site_.large_answers;
  large_ = true;
  state_ = State::kGathering;
  timer_.Set(site_.loop.Now() + kGatherTime);
  switch (page) {
    case Page::kMetrics:
      return site_.view.ReadMetrics(Gathered(exporting::kPrometheusMediaType));
    case Page::kClusters:
      return site_.view.ReadClusters(Gathered("application/json"));
    default:
      return ShowSnapshot();
  }
}

void AdminExchange::ShowSnapshot() {
  const std::string text = site_.view.SnapshotText();
  Answer(text.empty() ? TextReply(503, "no configuration is in force yet\n") : MediaReply("application/yaml", text));
}

// The media type is a literal.
std::function<void(std::string)> AdminExchange::Gathered(std::string_view media_type) {
  return [waiting = std::weak_ptr<AdminExchange*>(self_), media_type](std::string text) {
    const std::shared_ptr<AdminExchange*> self = waiting.lock();
    if (self != nullptr && (*self)->state_ == State::kGathering) {
      (*self)->Answer(MediaReply(media_type, std::move(text)));
    }
  };
}

void AdminExchange::Answer(const filter::Reply& reply) {
  http::ResponseHead head(arena_);
  head.status = reply.status;
  head.framing.length = reply.content.size();
  for (const auto& [name, value] : reply.fields)
    head.fields.Add(name, value);
  head.fields.Add("content-length", base::Concat(reply.content.size()));
  head.fields.Add("date", http::FormatDate(site_.loop.WallNow(), arena_));
  const bool end = head_only_ || reply.content.empty();
  state_ = State::kSending;
  timer_.Set(site_.loop.Now() + kAnswerTime);
  if (!end) content_.Append(base::Slice::Copy(reply.content));
  connection_.SendResponse(id_, head, end);
  end ? End() : Send();
}

// Keeps no more in the codec than its mark, so that the timer watches over the rest.
void AdminExchange::Send() {
  while (state_ == State::kSending && connection_.Unsent(id_) < http::kSendHighMarkBytes) {
    base::Buffer piece;
    piece.MoveFrom(content_, kPieceBytes);
    const bool end = content_.empty();
    connection_.SendContent(id_, piece, end);
    if (end) End();
  }
}

void AdminExchange::End() {
  if (std::exchange(large_, false)) --site_.large_answers;
  state_ = State::kEnded;
  content_.Clear();
  timer_.Forget();
}

void AdminExchange::OnTimer(event::Timer&) {
  if (state_ == State::kGathering) return Answer(TextReply(503, "the workers did not answer in time\n"));
  End();
  connection_.Reset(id_, http::ResetReason::kCancelled);
}

}  // namespace portico::admin
