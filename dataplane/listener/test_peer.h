#ifndef PORTICO_DATAPLANE_LISTENER_TEST_PEER_H_
#define PORTICO_DATAPLANE_LISTENER_TEST_PEER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/net/network.h"

namespace portico::test {

// One end of a connection that a test plays, over any ByteStream: what it heard, and how it ended.
class TestPeer final : private net::ByteStream::Handler {
 public:
  explicit TestPeer(std::unique_ptr<net::ByteStream> stream, std::string say = "")
      : stream_(std::move(stream)), unsent_(std::move(say)) {
    stream_->set_handler(this);
    open = stream_->open();
    Send();
  }

  void Say(std::string_view bytes) {
    unsent_ += bytes;
    Send();
  }
  void End() { stream_->ShutdownWrite(); }
  size_t Answers() const {
    size_t count = 0;
    for (size_t at = heard.find("HTTP/1.1 "); at != std::string::npos; at = heard.find("HTTP/1.1 ", at + 1))
      ++count;
    return count;
  }
  bool Heard(std::string_view text) const { return heard.find(text) != std::string::npos; }
  bool gone() const { return ended || failed; }

  std::string heard;
  bool open = false;
  bool ended = false;   // their clean end
  bool failed = false;  // refused or reset
  std::function<void()> on_heard;

 private:
  void OnOpen(bool ok) override {
    open = ok;
    failed = !ok;
    Send();
  }
  void OnReadable() override {
    char bytes[1024];
    net::IoResult result{net::IoStatus::kOk};
    while ((result = stream_->Read(bytes, sizeof bytes)).status == net::IoStatus::kOk)
      heard.append(bytes, result.bytes);
    ended = ended || result.status == net::IoStatus::kEnd;
    failed = failed || result.status == net::IoStatus::kFailed;
    if (on_heard) on_heard();
  }
  void OnWritable() override { Send(); }
  void Send() {
    while (open && !failed && !unsent_.empty()) {
      struct iovec vector = {unsent_.data(), unsent_.size()};
      const net::IoResult result = stream_->Write(&vector, 1);
      if (result.status != net::IoStatus::kOk) return;
      unsent_.erase(0, result.bytes);
    }
  }

  const std::unique_ptr<net::ByteStream> stream_;
  std::string unsent_;
};

// Accepts whoever comes. `on_accept` may speak.
class TestServer final : private net::Acceptor::Handler {
 public:
  TestServer(net::Network& network, const net::Address& address, const net::ListenOptions& options = {})
      : acceptor_(network.Listen(address, options, *this).value()) {}

  std::vector<std::unique_ptr<TestPeer>> peers;
  std::function<void(TestPeer& peer)> on_accept;

 private:
  void OnAccept(std::unique_ptr<net::ByteStream> stream) override {
    peers.push_back(std::make_unique<TestPeer>(std::move(stream)));
    if (on_accept) on_accept(*peers.back());
  }

  std::unique_ptr<net::Acceptor> acceptor_;
};

inline std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nhost: shop.example\r\n\r\n";
}
inline std::string Answer(std::string_view content) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(content.size()) + "\r\n\r\n" + std::string(content);
}

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_LISTENER_TEST_PEER_H_
