#include "test/simulation/client.h"

#include <algorithm>
#include <utility>

namespace portico::simulation {
namespace {

constexpr size_t kReadBytes = 4096;
constexpr base::Duration kConnectTime = std::chrono::seconds(5);
constexpr size_t kDripBytes = 500;
constexpr base::Duration kSlowReadPause = std::chrono::milliseconds(3);
constexpr base::Duration kDripPause = std::chrono::seconds(1);

// A stream must not die inside its own callback.
struct Grave : event::Deletable {
  explicit Grave(std::unique_ptr<net::ByteStream> of) : stream(std::move(of)) {}
  std::unique_ptr<net::ByteStream> stream;
};

}  // namespace

Client::Client(const ClientParts& parts, std::deque<Script> scripts)
    : parts_(parts), scripts_(std::move(scripts)), timer_(parts.loop.timers(), *this), next_begin_(parts.loop.Now()) {
  if (!scripts_.empty()) next_begin_ += scripts_.front().pause;
  timer_.Set(next_begin_);
}

void Client::Step() {
  if (stream_ == nullptr && !scripts_.empty() && next_begin_ <= parts_.loop.Now()) {
    stream_ = parts_.network.Connect(parts_.proxy);
    stream_->set_handler(this);
    connect_deadline_ = parts_.loop.Now() + kConnectTime;
    return StepAt(connect_deadline_);
  }
  if (stream_ != nullptr && !open_) {
    return parts_.loop.Now() < connect_deadline_ ? StepAt(connect_deadline_) : Disconnect(/*abort=*/true);
  }
  if (open_) {
    OnStep();
    BeginDue();
    // It takes no more: the next one needs another connection.
    if (open_ && under_way() == 0 && !scripts_.empty() && !CanBegin()) return Disconnect(/*abort=*/false);
    Write();
  }
  if (open_) Read();
  if (!scripts_.empty() && next_begin_ > parts_.loop.Now()) StepAt(next_begin_);
}

void Client::StepAt(base::MonotonicTime time) {
  if (!timer_.deadline() || time < *timer_.deadline()) timer_.Set(time);
}

void Client::BeginDue() {
  while (open_ && !scripts_.empty() && next_begin_ <= parts_.loop.Now() && CanBegin()) {
    const Script& script = parts_.judge.Begin(std::move(scripts_.front()));
    scripts_.pop_front();
    if (!scripts_.empty()) next_begin_ = parts_.loop.Now() + scripts_.front().pause;
    ClientExchange::Owner& owner = *this;
    BeginExchange(std::make_unique<ClientExchange>(parts_.loop, parts_.judge, script, owner));
  }
}

void Client::OnOpen(bool ok) {
  if (!ok) {
    next_begin_ = parts_.loop.Now() + std::chrono::milliseconds(20);
    return Disconnect(/*abort=*/false);
  }
  open_ = readable_ = true;
  OnConnected();
  Step();
}

void Client::OnReadable() {
  readable_ = true;
  Read();
}

// A slow reader takes a piece now and then, so that what it does not take has to wait somewhere.
void Client::Read() {
  char bytes[kReadBytes];
  while (open_ && readable_) {
    const Script::Pace pace = ReadPace();
    if (pace == Script::Pace::kDrip && parts_.loop.Now() < next_drip_) return StepAt(next_drip_);
    const net::IoResult result = stream_->Read(bytes, pace == Script::Pace::kDrip ? kDripBytes : sizeof bytes);
    if (result.status == net::IoStatus::kOk) {
      OnBytes(std::string_view(bytes, result.bytes));
      dripped_bytes_ += result.bytes;
      if (dripped_bytes_ >= kDripBytes) {
        dripped_bytes_ = 0;
        next_drip_ = parts_.loop.Now() + kDripPause;
      }
      if (!open_ || pace != Script::Pace::kSlow) continue;
      StepAt(parts_.loop.Now() + kSlowReadPause);
      break;
    }
    readable_ = false;
    if (result.status == net::IoStatus::kWouldBlock) break;
    if (result.status == net::IoStatus::kEnd) OnEndOfStream();
    Disconnect(/*abort=*/false);
  }
  if (open_) Write();
}

void Client::Write() {
  while (open_) {
    const std::string_view output = Output();
    if (output.empty()) return;
    struct iovec vector = {const_cast<char*>(output.data()), output.size()};
    const net::IoResult result = stream_->Write(&vector, 1);
    // What the proxy said before it closed may still wait to be read.
    if (result.status == net::IoStatus::kFailed) readable_ = true, StepSoon();
    if (result.status != net::IoStatus::kOk) return;
    Written(result.bytes);
  }
}

void Client::Disconnect(bool abort, bool excused) {
  if (stream_ == nullptr) return;
  if (abort) stream_->AbortOnClose();
  stream_->set_handler(nullptr);
  parts_.loop.DeleteLater(std::make_unique<Grave>(std::move(stream_)));
  open_ = readable_ = false;
  OnDisconnected(excused);
  StepAt(std::max(next_begin_, parts_.loop.Now()));
}

}  // namespace portico::simulation
