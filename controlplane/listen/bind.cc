#include "controlplane/listen/bind.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::listen {
namespace {

using base::Concat;

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

absl::Status Failure(std::string_view flag, const std::string& address, const char* why) {
  return absl::FailedPreconditionError(
      base::ToAbsl(Concat(flag, "=", address, ": cannot be listened at: ", std::string_view(why))));
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<Socket> Bind(std::string_view flag, const std::string& address) {
  const size_t colon = address.rfind(':');
  PORTICO_CHECK(colon != std::string::npos);
  std::string ip = address.substr(0, colon);
  if (ip.starts_with('[')) ip = ip.substr(1, ip.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(ip.c_str(), address.substr(colon + 1).c_str(), &hints, &found); error != 0) {
    return Failure(flag, address, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> numeric(found);
  Socket bound(socket(numeric->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;  // connections of an earlier process that linger don't count
  setsockopt(bound.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(bound.descriptor(), numeric->ai_addr, numeric->ai_addrlen) != 0) {
    return Failure(flag, address, std::strerror(errno));
  }
  return bound;
}

int PortOf(const Socket& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  PORTICO_CHECK(getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&storage), &size) == 0);
  // The port stands at the same place for both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string WithPort(const std::string& address, int port) {
  return Concat(address.substr(0, address.rfind(':')), ":", port);
}

}  // namespace portico::listen
