#include "controlplane/listen/peer_address.h"

#include "api/base/hex.h"

namespace portico::listen {

std::string PeerAddress(std::string_view uri) {
  const size_t colon = uri.find(':');
  const std::string_view rest = uri.substr(colon == std::string_view::npos ? 0 : colon + 1);
  std::string text;
  for (size_t i = 0; i < rest.size() && text.size() < kPeerAddressBytesMax; ++i) {
    const bool escaped =
        rest[i] == '%' && i + 2 < rest.size() && base::HexDigit(rest[i + 1]) >= 0 && base::HexDigit(rest[i + 2]) >= 0;
    text.push_back(escaped ? static_cast<char>(base::HexDigit(rest[i + 1]) << 4 | base::HexDigit(rest[i + 2]))
                           : rest[i]);
    if (escaped) i += 2;
  }
  return text;
}

}  // namespace portico::listen
