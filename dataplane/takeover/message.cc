#include "dataplane/takeover/message.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "api/base/text.h"

namespace portico::takeover {

namespace {

using Kind = Message::Kind;

constexpr std::string_view kMagic = "PTKO";
constexpr size_t kHeadBytes = 6;

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat("no message of a takeover: ", what)));
}

void AppendAddress(std::string& bytes, const net::Address& address) {
  bytes.push_back(address.is_v6() ? 6 : 4);
  bytes.append(address.bytes());
  bytes.push_back(static_cast<char>(address.port() >> 8));
  bytes.push_back(static_cast<char>(address.port() & 0xff));
}

net::Address AddressOf(bool v6, std::string_view bytes) {
  struct sockaddr_storage storage{};
  const std::string_view ip = bytes.substr(0, bytes.size() - 2), port = bytes.substr(bytes.size() - 2);
  if (v6) {
    auto* address = reinterpret_cast<struct sockaddr_in6*>(&storage);
    address->sin6_family = AF_INET6;
    std::memcpy(&address->sin6_addr, ip.data(), ip.size());
    std::memcpy(&address->sin6_port, port.data(), port.size());
  } else {
    auto* address = reinterpret_cast<struct sockaddr_in*>(&storage);
    address->sin_family = AF_INET;
    std::memcpy(&address->sin_addr, ip.data(), ip.size());
    std::memcpy(&address->sin_port, port.data(), port.size());
  }
  return net::Address::FromSocketAddress(reinterpret_cast<const struct sockaddr*>(&storage));
}

absl::Status DecodeAddresses(std::string_view body, std::vector<net::Address>& into) {
  while (!body.empty()) {
    if (body[0] != 4 && body[0] != 6) return Wrong("an address of an unknown family");
    const bool v6 = body[0] == 6;
    const size_t bytes = v6 ? 18 : 6;
    if (body.size() < 1 + bytes) return Wrong("an address that is cut off");
    into.push_back(AddressOf(v6, body.substr(1, bytes)));
    body.remove_prefix(1 + bytes);
  }
  return absl::OkStatus();
}

absl::Status DecodeBody(std::string_view body, Message& message) {
  switch (message.kind) {
    case Kind::kAsk:
    case Kind::kReady:
    case Kind::kGo:
      return body.empty() ? absl::OkStatus() : Wrong("more bytes than this kind has");
    case Kind::kSockets:
      if (body.size() != 1 || (body[0] != 0 && body[0] != 1)) return Wrong("sockets that do not say if more follow");
      message.more = body[0] == 1;
      return absl::OkStatus();
    case Kind::kServing:
      return DecodeAddresses(body, message.addresses);
    case Kind::kRefused:
      if (body.size() > Message::kTextBytesMax) return Wrong("a refusal that is too long");
      message.text = base::Printable(body);
      return absl::OkStatus();
  }
  return Wrong(base::Concat("an unknown kind, ", static_cast<int>(message.kind)));
}

}  // namespace

absl::StatusOr<std::string> Encode(const Message& message) {
  std::string bytes(kMagic);
  bytes.push_back(static_cast<char>(Message::kVersion));
  bytes.push_back(static_cast<char>(message.kind));
  if (message.kind == Kind::kSockets) bytes.push_back(message.more ? 1 : 0);
  for (const net::Address& address : message.addresses)
    AppendAddress(bytes, address);
  bytes.append(message.text, 0, Message::kTextBytesMax);
  if (bytes.size() > Message::kBytesMax) return absl::OutOfRangeError("more addresses than a takeover can name");
  return bytes;
}

absl::StatusOr<Message> Decode(std::string_view bytes) {
  if (bytes.size() > Message::kBytesMax) return Wrong("it is too long");
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return Wrong("it does not begin as one");
  const auto version = static_cast<uint8_t>(bytes[kMagic.size()]);
  Message message{.kind = static_cast<Kind>(bytes[kMagic.size() + 1]), .addresses = {}, .text = {}};
  if (version != Message::kVersion && message.kind != Kind::kRefused) {
    return absl::FailedPreconditionError(base::ToAbsl(base::Concat(
        "it speaks version ", version, " of the takeover's protocol, this process version ", Message::kVersion)));
  }
  if (absl::Status status = DecodeBody(bytes.substr(kHeadBytes), message); !status.ok()) return status;
  return message;
}

}  // namespace portico::takeover
