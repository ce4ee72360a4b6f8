#ifndef PORTICO_DATAPLANE_LISTENER_TEST_SURROUNDINGS_H_
#define PORTICO_DATAPLANE_LISTENER_TEST_SURROUNDINGS_H_

#include <map>
#include <memory>
#include <string_view>

#include "dataplane/call/call.h"
#include "dataplane/net/network.h"

// What a listener has around it, such as it is hard to have. For tests only.

namespace portico::listener {

// A backend that never answers.
class SilentBackend final : public call::Backend {
 public:
  std::string_view name() const override { return "default/silent"; }
  std::unique_ptr<call::Call> Start(const call::CallRequest&, call::CallHandler&) override {
    return std::make_unique<SilentCall>();
  }

 private:
  class SilentCall final : public call::Call {
    void SendContent(base::Buffer& content, bool) override { content.Clear(); }
    void SendTrailers(const http::Fields&) override {}
    size_t Unsent() const override { return 0; }
    void Consumed(size_t) override {}
    call::CallFacts facts() const override { return {}; }
  };
};

// The machine's network, on which some addresses can't be had.
class PickyNetwork final : public net::Network {
 public:
  explicit PickyNetwork(net::Network& machine) : machine_(machine) {}
  std::unique_ptr<net::ByteStream> Connect(const net::Address& address) override { return machine_.Connect(address); }
  absl::StatusOr<std::unique_ptr<net::Acceptor>> Listen(const net::Address& address, const net::ListenOptions& options,
                                                        net::Acceptor::Handler& handler) override {
    const auto refused = refuses.find(address);
    if (refused != refuses.end()) return refused->second;
    return machine_.Listen(address, options, handler);
  }
  absl::Status ProbePort(const net::Address& address) override { return machine_.ProbePort(address); }

  std::map<net::Address, absl::Status> refuses;

 private:
  net::Network& machine_;
};

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_TEST_SURROUNDINGS_H_
