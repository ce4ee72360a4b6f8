// A server that says anything, between verdicts and new streams: a script of steps, each a byte that says which, two of
// length, and what the server says.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/base/check.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/xds/client_session.h"

namespace portico::xds {
namespace {

// Whatever is said can be written and read; whatever is proposed is of this gateway and has a digest.
void Drain(ClientSession& session) {
  while (const std::optional<std::string> bytes = session.NextRequest()) {
    envoy::service::discovery::v3::DeltaDiscoveryRequest request;
    PORTICO_CHECK(request.ParseFromString(*bytes) && !request.type_url().empty());
  }
}

void Judge(ClientSession& session, bool accept) {
  const std::optional<Proposal> proposal = session.TakeProposal();
  if (!proposal.has_value()) return;
  size_t refused = 0;
  for (const auto& [key, received] : proposal->resources)
    refused += received->resource == nullptr ? 1 : 0;
  PORTICO_CHECK(refused == proposal->refused.size());
  if (accept) {
    session.Accept({});
    PORTICO_CHECK(session.in_force().has_value());
  } else {
    session.Reject("no");
  }
}

}  // namespace
}  // namespace portico::xds

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::xds;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  ClientSession session({.node_id = "n", .gateway = {"Gateway", "default", "g"}, .version = "1", .instance = "i"},
                        portico::crypto::Sha256);
  session.OnStreamStart();
  while (input.size() >= 3) {
    const char step = input[0];
    const size_t length = static_cast<uint8_t>(input[1]) * 256u + static_cast<uint8_t>(input[2]);
    const std::string_view said = input.substr(3, length);
    input.remove_prefix(3 + said.size());
    if (!said.empty() && !session.OnResponse(said).ok()) session.OnStreamStart();
    if (step == 'a' || step == 'r') Judge(session, step == 'a');
    if (step == 's') session.OnStreamStart();
    if (step != 'h') Drain(session);  // held up
  }
  return 0;
}
