#ifndef PORTICO_DATAPLANE_XDS_CLIENT_SESSION_H_
#define PORTICO_DATAPLANE_XDS_CLIENT_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/check/configuration.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/revision.pb.h"
#include "api/wire/node.h"
#include "dataplane/xds/received_set.h"

namespace portico::xds {

struct Refusal {
  check::ResourceKey key;
  std::string version;
  std::string reason;
};

// Which set a mark stands for. The digest says what is in it; the number is how people call it.
struct Mark {
  std::string epoch;
  uint64_t number = 0;
  std::string digest;
};

// A whole set that wants to be in force.
struct Proposal {
  Mark mark;
  Resources resources;
  std::vector<Refusal> refused;  // those of `resources` without a message: their last good versions should go on
};

// What is in force: the last that was accepted.
struct InForce {
  Mark mark;
  std::vector<Refusal> refusals;
};

// The proxy's side of the stream of configuration, apart from its I/O. One thread. It outlives streams:
//
//   OnStreamStart()                          // a stream stands; forgets what was to be said on the last one
//   while (auto request = NextRequest()) …   // to be sent; after each call of anything here
//   OnResponse(bytes)                        // not ok: end the stream, and start one later
//   if (auto proposal = TakeProposal()) …    // build, swap …
//   Accept(refusals) or Reject(why)          // whenever; the stream may end meanwhile
//
// What comes is staged, and its answers are withheld, until a mark says which set it makes: idle → (mark, of this very
// set) proposed → (verdict) idle. Then the answers go out in the order of what they answer. An ACK of a resource's
// response says that it was part of what was judged; the verdict is the mark's answer alone: an ACK, with the list of
// what was refused, or a NACK. What comes while a verdict is awaited is staged for the next; of several marks only the
// newest is proposed and answered, which covers the ones before.
class ClientSession {
 public:
  static constexpr size_t kResponseBytesMax = 4 << 20;  // as gRPC's own clients
  static constexpr size_t kTextBytesMax = 512;          // a name has at most 63 + 1 + 253; a version or nonce far less
  static constexpr size_t kWithheldMax = 10'000;        // answers; a set of 256 MiB comes in some hundred responses
  static constexpr size_t kReturnBytesMax = 3 << 20;    // of names and versions in a request: servers take 4 MiB
  static constexpr size_t kRefusalsMax = 100;           // told of one mark; the control plane keeps as many
  static constexpr size_t kReasonBytesMax = 1024;       // of each reason that is told

  ClientSession(wire::Node node, Sha256 sha256) : node_(std::move(node)), received_(sha256) {}

  // What a process before this one left in force. Before the first stream. A mark without a digest: it is not all that
  // any mark meant, so the next one is proposed whatever it is. kResourceExhausted: over a limit.
  absl::Status Restore(const Resources& resources, InForce in_force);

  void OnStreamStart();
  // kInvalidArgument: it breaks the protocol; kResourceExhausted: over a limit; kDataLoss: what was asked for again is
  // not what the mark says either.
  absl::Status OnResponse(std::string_view bytes);
  // A serialised DeltaDiscoveryRequest.
  std::optional<std::string> NextRequest();

  // Once for each proposal.
  std::optional<Proposal> TakeProposal();
  // The verdict on the proposal that was taken last. `refusals`: beside those that it came with.
  void Accept(std::vector<Refusal> refusals);
  void Reject(std::string_view reason);

  const std::optional<InForce>& in_force() const { return in_force_; }

 private:
  using Request = envoy::service::discovery::v3::DeltaDiscoveryRequest;
  using Response = envoy::service::discovery::v3::DeltaDiscoveryResponse;

  // A mark that came, with everything that it sealed.
  struct Sealed {
    std::vector<Request> answers;  // to what came before it
    std::string nonce;             // "": of a stream that is over, nothing is to be answered
    Mark mark;
    Resources resources;
    std::vector<Refusal> refused;      // those of `resources` without a message
    std::string fault;                 // it can't be what it says: it will be refused
    std::set<std::string> kinds_else;  // that differ from what it says
  };

  absl::Status OnResources(const Response& response);
  absl::Status OnMark(const Response& response);
  absl::Status Withhold(const Response& response, bool changed);
  void ReadMark(const Response& response, Sealed& sealed) const;
  void Compare(const portico::v1::Revision& revision, Sealed& sealed) const;
  std::vector<Refusal> Refused() const;
  // Takes up the mark that waits, if no verdict is awaited.
  void Advance();
  void Acknowledge(Sealed sealed);
  void Refuse(Sealed sealed, std::string_view reason);
  void AskAtFirst(const std::string& type_url);
  void AskAgain(const std::string& kind);

  const wire::Node node_;
  ReceivedSet received_;           // as the server thinks we have it, refused or not
  std::deque<Request> requests_;   // to be sent
  std::vector<Request> withheld_;  // answers to what no mark has sealed yet
  std::optional<Sealed> waiting_;  // the newest mark, not taken up
  std::optional<Sealed> awaited_;  // proposed
  bool proposal_taken_ = false;
  std::set<std::string> asked_again_;  // kinds, since a mark last was of this very set
  std::optional<InForce> in_force_;
};

}  // namespace portico::xds

#endif  // PORTICO_DATAPLANE_XDS_CLIENT_SESSION_H_
