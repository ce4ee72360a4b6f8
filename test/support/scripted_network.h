#ifndef PORTICO_TEST_SUPPORT_SCRIPTED_NETWORK_H_
#define PORTICO_TEST_SUPPORT_SCRIPTED_NETWORK_H_

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/event/loop.h"
#include "dataplane/net/network.h"

namespace portico::test {

// A loop whose turns and time the test makes. For tests of one class above streams; whole proxies run in sim/.
class ManualLoop final : public event::Loop {
 public:
  ManualLoop() { BeginTurn(base::MonotonicTime(std::chrono::seconds(1))); }
  ~ManualLoop() override { EndTurn(); }

  void Post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  base::WallTime WallNow() const override { return base::WallTime(Now().time_since_epoch()); }

  // Ends the turn that the test's calls so far belong to, and begins the next one `later`.
  void Turn(base::Duration later = base::Duration(0)) {
    std::deque<std::function<void()>> tasks;
    tasks.swap(tasks_);
    for (const std::function<void()>& task : tasks)
      task();
    EndTurn();
    // From expiry to expiry, as a real loop would wake up.
    const base::MonotonicTime end = Now() + later;
    while (Now() < end) {
      const auto next = timers().NextExpiry();
      BeginTurn(next && *next > Now() && *next < end ? *next : end);
      EndTurn();
    }
  }

 private:
  std::deque<std::function<void()>> tasks_;
};

// The far end of a ScriptedStream: what the test plays. Lives on when the stream is gone.
struct FarEnd {
  net::Address address;
  std::string written;  // by the class under test
  std::string inbound;  // not read yet
  size_t write_room = SIZE_MAX;
  bool open = false;
  bool ended = false;                          // our FIN
  bool failed = false;                         // our reset
  bool shut_down = false;                      // their FIN
  bool aborted = false;                        // their reset, when the stream goes
  std::string server_name, alpn, tls_version;  // what their TlsInfo says
  bool destroyed = false;
  net::ByteStream::Handler* handler = nullptr;

  void Open(bool ok) {
    open = ok;
    failed = !ok;
    if (handler != nullptr) handler->OnOpen(ok);
  }
  void Say(std::string_view bytes) {
    inbound += bytes;
    if (handler != nullptr) handler->OnReadable();
  }
  void End() {
    ended = true;
    if (handler != nullptr) handler->OnReadable();
  }
  void Fail() {
    failed = true;
    if (handler != nullptr) handler->OnReadable();
  }
  std::string TakeWritten() { return std::exchange(written, {}); }
};

class ScriptedStream final : public net::ByteStream {
 public:
  explicit ScriptedStream(std::shared_ptr<FarEnd> far) : far_(std::move(far)) {}
  ~ScriptedStream() override {
    far_->destroyed = true;
    far_->handler = nullptr;
  }

  void set_handler(Handler* handler) override { far_->handler = handler; }
  bool open() const override { return far_->open; }
  net::IoResult Read(char* into, size_t size) override {
    if (far_->inbound.empty()) {
      if (far_->failed) return {net::IoStatus::kFailed};
      return {far_->ended ? net::IoStatus::kEnd : net::IoStatus::kWouldBlock};
    }
    const size_t count = std::min(size, far_->inbound.size());
    std::memcpy(into, far_->inbound.data(), count);
    far_->inbound.erase(0, count);
    return {net::IoStatus::kOk, count};
  }
  net::IoResult Write(const struct iovec* vectors, int count) override {
    if (far_->failed) return {net::IoStatus::kFailed};
    size_t taken = 0;
    for (int i = 0; i < count && far_->write_room > 0; ++i) {
      const size_t piece = std::min(vectors[i].iov_len, far_->write_room);
      far_->written.append(static_cast<const char*>(vectors[i].iov_base), piece);
      far_->write_room -= far_->write_room == SIZE_MAX ? 0 : piece;
      taken += piece;
    }
    if (taken == 0) return {net::IoStatus::kWouldBlock};
    return {net::IoStatus::kOk, taken};
  }
  void ShutdownWrite() override { far_->shut_down = true; }
  void AbortOnClose() override { far_->aborted = true; }
  const net::Address& peer() const override { return far_->address; }
  const net::Address& local() const override { return far_->address; }
  net::TlsInfo tls() const override { return {far_->alpn, far_->server_name, far_->tls_version}; }
  std::string error() const override { return "scripted failure"; }

 private:
  std::shared_ptr<FarEnd> far_;
};

class ScriptedNetwork final : public net::Network {
 public:
  std::unique_ptr<net::ByteStream> Connect(const net::Address& address) override {
    auto far = std::make_shared<FarEnd>();
    far->address = address;
    connects.push_back(far);
    return std::make_unique<ScriptedStream>(far);
  }
  absl::StatusOr<std::unique_ptr<net::Acceptor>> Listen(const net::Address&, const net::ListenOptions&,
                                                        net::Acceptor::Handler&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status ProbePort(const net::Address&) override { return absl::OkStatus(); }

  std::vector<std::shared_ptr<FarEnd>> connects;  // every connection ever begun, in order
};

}  // namespace portico::test

#endif  // PORTICO_TEST_SUPPORT_SCRIPTED_NETWORK_H_
