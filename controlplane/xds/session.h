#ifndef PORTICO_CONTROLPLANE_XDS_SESSION_H_
#define PORTICO_CONTROLPLANE_XDS_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/google/rpc/status.pb.h"
#include "api/portico/v1/revision.pb.h"
#include "controlplane/reach/gateway_set.h"
#include "controlplane/reach/reaches.h"
#include "controlplane/xds/subscription.h"

namespace portico::xds {

// What a client says of what it was sent.
struct Running {
  uint64_t revision = 0;                       // the newest whose mark it took; 0: none yet
  std::vector<portico::v1::Refusal> refusals;  // of that, as fleet::Shorten keeps them
  uint64_t refused_revision = 0;               // the newest that it refused as a whole since; 0: none
  std::string refused_reason;
};

// One stream of one client, apart from its I/O. One thread.
//
//   session.OnRequest(request); session.OnStep(step);
//   if (nothing is being written) if (auto response = session.Next()) … write …
//
// What is owed is sent in batches: everything as of one revision, then its mark. What changes meanwhile is of the next
// batch, so that marks come however often things change.
class Session {
 public:
  static constexpr size_t kTypesMax = 32;          // we have nine
  static constexpr size_t kNamesMax = 500'000;     // of all types, asked for or brought along
  static constexpr size_t kNameBytesMax = 512;     // of a name, a version or a type: ours have at most 350
  static constexpr size_t kBytesMax = 3 << 20;     // of one response: gRPC clients take 4 MiB
  static constexpr size_t kMarksMax = 100;         // sent and not answered: who answers nothing is sent nothing more
  static constexpr size_t kReasonBytesMax = 1024;  // of a mark that is refused as a whole

  // `set` outlives the session.
  explicit Session(const reach::GatewaySet& set) : set_(set) {}

  // Anything but ok ends the stream. kInvalidArgument: no type, or a text that is too long; kResourceExhausted: over a
  // limit.
  absl::Status OnRequest(const envoy::service::discovery::v3::DeltaDiscoveryRequest& request);

  // The set that the session was made with has changed.
  void OnStep(const reach::SetStep& step);

  // A response, as pieces one after the other.
  struct Response {
    std::string head;
    std::vector<std::shared_ptr<const std::string>> fields;
    bool mark = false;  // that ends a batch
  };
  // nullopt: nothing is owed.
  std::optional<Response> Next();

  const Running& running() const { return running_; }
  // The newest revision that it was sent whole. 0: none yet.
  uint64_t sent_revision() const { return sent_revision_; }

 private:
  // The first request for the mark says what a client that comes back runs already.
  void OnReturn(const envoy::service::discovery::v3::DeltaDiscoveryRequest& request);
  void OnAnswer(const envoy::service::discovery::v3::DeltaDiscoveryRequest& request);
  void OnRunning(uint64_t revision, const google::rpc::Status& detail);
  void AnswerNothing();
  // Everything of a response but its resources, under a new nonce.
  std::string Head(const std::string& type_url, std::vector<std::string> removed);
  // Puts everything that is owed into the batch, the mark last.
  void Gather();
  // What is owed of one type, in as many responses as it takes. True: something was.
  bool Take(const std::string& type_url, Subscription& subscription);
  Subscription* Find(const std::string& type_url);

  const reach::GatewaySet& set_;
  std::map<std::string, Subscription> subscriptions_;  // by type
  uint64_t last_nonce_ = 0;
  std::map<uint64_t, uint64_t> marks_;  // that are not answered: nonce to revision
  std::deque<Response> batch_;
  bool unsealed_ = false;  // the client has, or will have with this batch, what no mark of ours has covered
  uint64_t sent_revision_ = 0;
  Running running_;
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_SESSION_H_
