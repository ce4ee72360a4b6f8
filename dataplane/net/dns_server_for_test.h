#ifndef PORTICO_DATAPLANE_NET_DNS_SERVER_FOR_TEST_H_
#define PORTICO_DATAPLANE_NET_DNS_SERVER_FOR_TEST_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/net/address.h"
#include "dataplane/net/dns_message_for_test.h"

// A DNS server on a port of 127.0.0.1, UDP and TCP, that says whatever the test wants. For tests only.

namespace portico::net::for_test {

class DnsServer {
 public:
  // What it says to a query; nullopt: nothing. It has no thread: Serve() reads what has come and answers.
  std::function<std::optional<std::string>(const Query&)> script;
  std::vector<Query> heard;

  DnsServer() {
    for (int attempt = 0; attempt < 100 && !Bind(); ++attempt) {
    }
    PORTICO_CHECK(tcp_.valid());
  }

  const Address& address() const { return address_; }

  void Serve() {
    char bytes[2048];
    struct sockaddr_in from{};
    socklen_t size = sizeof from;
    for (;;) {
      const ssize_t count =
          ::recvfrom(udp_.get(), bytes, sizeof bytes, 0, reinterpret_cast<struct sockaddr*>(&from), &size);
      if (count < 0) break;
      const auto reply = Hear({bytes, static_cast<size_t>(count)}, false);
      if (reply) ::sendto(udp_.get(), reply->data(), reply->size(), 0, reinterpret_cast<struct sockaddr*>(&from), size);
    }
    for (;;) {
      base::FileDescriptor client(::accept4(tcp_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client.valid()) break;
      clients_.push_back({std::move(client), ""});
    }
    for (Client& client : clients_)
      ServeClient(client);
  }
  // It is gone: who asks hears so from the kernel.
  void Close() {
    udp_ = base::FileDescriptor();
    tcp_ = base::FileDescriptor();
  }

 private:
  struct Client {
    base::FileDescriptor fd;
    std::string received;
  };

  bool Bind() {
    udp_ = base::FileDescriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    tcp_ = base::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    struct sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<struct sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(udp_.get(), generic, size) != 0 || ::getsockname(udp_.get(), generic, &size) != 0) return false;
    address_ = Address::FromSocketAddress(generic);
    return ::bind(tcp_.get(), generic, size) == 0 && ::listen(tcp_.get(), 16) == 0;
  }

  std::optional<std::string> Hear(std::string bytes, bool tcp) {
    Query query{std::move(bytes), "", 0, tcp};
    size_t at = 12;
    for (size_t length = 0; (length = static_cast<unsigned char>(query.bytes.at(at))) != 0; at += length + 1)
      query.name += (query.name.empty() ? "" : ".") + query.bytes.substr(at + 1, length);
    query.type = static_cast<uint16_t>(static_cast<unsigned char>(query.bytes.at(at + 1)) << 8 |
                                       static_cast<unsigned char>(query.bytes.at(at + 2)));
    heard.push_back(query);
    return script(query);
  }

  void ServeClient(Client& client) {
    char bytes[2048];
    for (ssize_t count = 0; (count = ::recv(client.fd.get(), bytes, sizeof bytes, 0)) > 0;)
      client.received.append(bytes, static_cast<size_t>(count));
    if (client.received.size() < 2) return;
    const size_t length =
        static_cast<unsigned char>(client.received[0]) * 256u + static_cast<unsigned char>(client.received[1]);
    if (client.received.size() < 2 + length) return;
    const auto reply = Hear(std::exchange(client.received, {}).substr(2, length), true);
    if (!reply) return;
    const std::string out = Number16(static_cast<unsigned>(reply->size())) + *reply;
    // In two pieces: an answer need not come at once.
    for (const std::string& piece : {out.substr(0, 1), out.substr(1)})
      ::send(client.fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
  }

  base::FileDescriptor udp_, tcp_;
  Address address_;
  std::vector<Client> clients_;
};

}  // namespace portico::net::for_test

#endif  // PORTICO_DATAPLANE_NET_DNS_SERVER_FOR_TEST_H_
