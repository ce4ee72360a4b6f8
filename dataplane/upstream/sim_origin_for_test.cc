#include "dataplane/upstream/sim_origin_for_test.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "dataplane/http/h1/server_codec.h"
#include "dataplane/http/h2/server_codec.h"

namespace portico::upstream::for_test {
namespace {

enum class Mood { kAnswers, kAnswersEarly, kAnswersLate, kNever, kRefuses, kCloses, kResets, kNonsense, kFails };

Mood RandomMood(base::Random& random) {
  const uint64_t number = random.Below(20);
  return number < 12 ? Mood::kAnswers : static_cast<Mood>(number - 11);
}

}  // namespace

// One connection. Dies at the end of a turn of its loop.
class SimOrigin::Peer final : public event::Deletable,
                              private net::ByteStream::Handler,
                              private http::ServerEvents,
                              private event::TurnEnd,
                              private event::Timer::Handler {
 public:
  Peer(SimOrigin& origin, std::unique_ptr<net::ByteStream> stream)
      : origin_(origin), late_(origin.loop_.timers(), *this), stream_(std::move(stream)) {
    http::ServerEvents& events = *this;
    if (origin.http2_) {
      codec_ = std::make_unique<http::h2::ServerCodec>(events, origin.limits_);
    } else {
      codec_ = std::make_unique<http::h1::ServerCodec>(origin.limits_, events, nullptr, "http");
    }
  }
  void Start() {
    stream_->set_handler(this);
    OnReadable();
  }

 private:
  struct Request {
    std::string call;
    Mood mood;
  };

  void OnOpen(bool) override {}
  void OnReadable() override {
    char bytes[4096];
    while (!gone_) {
      const net::IoResult result = stream_->Read(bytes, sizeof bytes);
      if (result.status == net::IoStatus::kWouldBlock) break;
      if (result.status != net::IoStatus::kOk) return Go(false);
      if (!codec_->Feed(base::Slice::Copy({bytes, result.bytes}))) goes_ = true;
    }
    origin_.loop_.AtTurnEnd(*this);
  }
  void OnWritable() override { origin_.loop_.AtTurnEnd(*this); }
  void OnTurnEnd() override {
    if (gone_) return;
    if (!codec_->Resume()) goes_ = true;
    for (;;) {
      codec_->Produce(out_);
      if (out_.empty()) break;
      struct iovec vectors[8];
      const int count = out_.Gather(vectors, 8);
      const net::IoResult result = stream_->Write(vectors, count);
      if (result.status == net::IoStatus::kWouldBlock) return;
      if (result.status == net::IoStatus::kFailed) return Go(false);
      out_.Consume(result.bytes);
    }
    if (goes_ || codec_->WantsClose()) Go(false);
  }
  void Go(bool abort) {
    if (std::exchange(gone_, true)) return;
    if (abort) stream_->AbortOnClose();
    stream_->set_handler(nullptr);
    origin_.Remove(*this);
  }

  base::Arena& OnRequestBegin(http::StreamId) override { return arena_; }
  void OnRequest(http::StreamId id, http::RequestHead head) override {
    const Request request{std::string(head.fields.Find("x-call").value_or("none0")), RandomMood(origin_.random_)};
    requests_[id] = request;
    const bool refused = request.mood == Mood::kRefuses && origin_.http2_;
    if (!refused) ++origin_.taken_[request.call];
    if (refused) {
      codec_->Reset(id, http::ResetReason::kRefused);
      requests_.erase(id);
    }
    if (request.mood == Mood::kAnswersEarly) Answer(id);
    if (request.mood == Mood::kCloses) Go(false);
    if (request.mood == Mood::kResets) Go(true);
    if (request.mood == Mood::kNonsense) out_.Append("\x7fnonsense\r\n\r\n");
  }
  void OnBadRequest(http::StreamId, http::MessageError error) override {
    PORTICO_CHECK(false, "a cluster sends no bad request");
  }
  void OnContent(http::StreamId id, base::Slice content) override {
    const auto found = requests_.find(id);
    if (found != requests_.end()) {
      const std::string_view text = content.view();
      PORTICO_CHECK(text.find_first_not_of(LetterOf(found->second.call)) == std::string_view::npos, "mixed up");
    }
    codec_->Consumed(id, content.size());
  }
  void OnTrailers(http::StreamId, http::Fields) override {}
  void OnMessageEnd(http::StreamId id) override {
    const auto found = requests_.find(id);
    if (found == requests_.end()) return;
    const Mood mood = found->second.mood;
    if (mood == Mood::kAnswers || mood == Mood::kFails) return Answer(id);  // which may forget the request
    if (mood == Mood::kAnswersLate) {
      late_ids_.push_back(id);
      late_.Set(origin_.loop_.Now() + std::chrono::milliseconds(origin_.random_.Below(200)));
    }
  }
  void OnReset(http::StreamId id, http::ResetReason) override { requests_.erase(id); }
  void OnSendReady(http::StreamId) override {}
  void OnTimer(event::Timer&) override {
    for (const http::StreamId id : std::exchange(late_ids_, {}))
      Answer(id);
    origin_.loop_.AtTurnEnd(*this);
  }

  void Answer(http::StreamId id) {
    const auto found = requests_.find(id);
    if (found == requests_.end()) return;
    const Request request = found->second;
    requests_.erase(found);
    base::Random& random = origin_.random_;
    http::ResponseHead head(arena_);
    if (random.Below(4) == 0) {
      head.status = 103;
      codec_->SendResponse(id, head, false);
    }
    head.status = request.mood == Mood::kFails ? 500 : 200;
    head.fields.Add("x-call", request.call);
    base::Buffer content;
    content.Append(std::string(random.Below(uint64_t{1} << random.Below(random.Below(10) == 0 ? 20 : 12)),
                               LetterOf(request.call)));
    if (random.Below(2) == 0) {
      head.framing.length = content.size();
      head.fields.Add("content-length", std::to_string(content.size()));
    }
    codec_->SendResponse(id, head, false);
    codec_->SendContent(id, content, true);
  }

  SimOrigin& origin_;
  event::Timer late_;
  std::unique_ptr<net::ByteStream> stream_;
  std::unique_ptr<http::ServerCodec> codec_;
  base::Arena arena_;
  base::Buffer out_;
  std::map<http::StreamId, Request> requests_;
  std::vector<http::StreamId> late_ids_;
  bool goes_ = false;
  bool gone_ = false;
};

SimOrigin::SimOrigin(sim::SimLoop& loop, sim::SimNetwork& network, const net::Address& address, bool http2,
                     base::Random& random)
    : loop_(loop), random_(random), http2_(http2), acceptor_(*network.Listen(address, {}, *this)) {}

SimOrigin::~SimOrigin() = default;

void SimOrigin::OnAccept(std::unique_ptr<net::ByteStream> stream) {
  peers_.push_back(std::make_unique<Peer>(*this, std::move(stream)));
  peers_.back()->Start();
}

void SimOrigin::Remove(Peer& peer) {
  const auto found = std::find_if(peers_.begin(), peers_.end(), [&](const auto& one) { return one.get() == &peer; });
  if (found == peers_.end()) return;
  loop_.DeleteLater(std::move(*found));
  peers_.erase(found);
}

}  // namespace portico::upstream::for_test
