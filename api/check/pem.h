#ifndef PORTICO_API_CHECK_PEM_H_
#define PORTICO_API_CHECK_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portico::check {

// Textual encodings of certificates and keys (RFC 7468), read strictly and without any TLS library, so that the proxy
// and porticoctl refuse the same texts with the same words. Text between blocks is allowed (section 5.2).
struct PemBlock {
  std::string label;  // "CERTIFICATE", "PRIVATE KEY", …
  std::string der;
  bool encrypted = false;  // RFC 1421's Proc-Type: 4,ENCRYPTED, or the label says so; `der` is then of no use
};

// All blocks in order. kInvalidArgument: over kPemBytesMax, an END that does not fit its BEGIN, text that is no base64.
absl::StatusOr<std::vector<PemBlock>> ParsePem(std::string_view text);

// The certificates' DER; other kinds of blocks are refused by label. 1 to kChainCertificatesMax, or up to `count_max`.
absl::StatusOr<std::vector<std::string>> ParseCertificatesPem(std::string_view text, size_t count_max);

// The one private key among the blocks, its label kept (it names the encoding). EC PARAMETERS may stand before it.
absl::StatusOr<PemBlock> ParsePrivateKeyPem(std::string_view text);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_PEM_H_
