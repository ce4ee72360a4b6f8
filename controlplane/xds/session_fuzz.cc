// A client that says anything, while its gateway's set changes: a script of steps, each a byte that says which, two of
// length, and what the client says.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/wire/names.h"
#include "controlplane/reach/gateway_set.h"
#include "controlplane/reach/reaches.h"
#include "controlplane/xds/session.h"

namespace portico::xds {
namespace {

using base::Concat;
using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

class Stream {
 public:
  Stream() { set_.Seal("e", 0); }

  void OnStart() {
    session_ = std::make_unique<Session>(set_);
    last_nonce_ = 0;
  }

  // False: the stream is over.
  bool OnRequest(const DeltaDiscoveryRequest& request) {
    const bool good = session_->OnRequest(request).ok();
    PORTICO_CHECK(good || session_->running().revision <= revision_);
    return good;
  }

  // One resource comes, or has a new version, or goes.
  void Change(char which, bool comes) {
    const std::string type_url = wire::TypeUrl(which % 2 == 0 ? "Cluster" : "Route");
    const std::string name = Concat("default/n", static_cast<unsigned char>(which) / 2 % 4);
    ++revision_;
    if (comes) {
      set_.Put(type_url, name, reach::MakeItem(type_url, name, Concat("e.", revision_), "x"));
    } else {
      set_.Remove(type_url, name);
    }
    Seal({{type_url, name}});
  }
  // The gateway comes or goes, with nothing of what it has.
  void Know(bool known) {
    set_.set_known(known);
    ++revision_;
    Seal({});
  }

  // One response, if one is owed. It can be read, nonces count up, and a mark tells of no revision to come.
  bool Respond() {
    const std::optional<Session::Response> response = session_->Next();
    if (!response.has_value()) return false;
    std::string bytes = response->head;
    for (const auto& field : response->fields)
      bytes += *field;
    DeltaDiscoveryResponse whole;
    PORTICO_CHECK(whole.ParseFromString(bytes) && !whole.type_url().empty());
    PORTICO_CHECK(whole.nonce() == Concat(++last_nonce_));
    PORTICO_CHECK(!response->mark || whole.type_url() == wire::kRevisionType);
    PORTICO_CHECK(session_->sent_revision() <= revision_);
    PORTICO_CHECK(session_->running().revision <= session_->sent_revision());
    PORTICO_CHECK(session_->running().refused_revision <= session_->sent_revision());
    return true;
  }

 private:
  void Seal(std::vector<std::pair<std::string, std::string>> changed) {
    set_.Seal("e", revision_);
    session_->OnStep({&set_, std::move(changed)});
  }

  reach::GatewaySet set_{check::ResourceKey{"Gateway", "default", "g"}};
  uint64_t revision_ = 0, last_nonce_ = 0;
  std::unique_ptr<Session> session_;
};

}  // namespace
}  // namespace portico::xds

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::xds;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Stream stream;
  stream.OnStart();
  stream.Know(true);
  while (input.size() >= 3) {
    const char step = input[0];
    const size_t length = static_cast<uint8_t>(input[1]) * 256u + static_cast<uint8_t>(input[2]);
    const std::string_view said = input.substr(3, length);
    input.remove_prefix(3 + said.size());
    if ((step == 'p' || step == 'g') && !said.empty()) {
      stream.Change(said[0], step == 'p');
    } else if (step == 'k' || step == 'u') {
      stream.Know(step == 'k');
    } else if (step == 's') {
      stream.OnStart();
    } else {
      DeltaDiscoveryRequest request;
      if (request.ParseFromArray(said.data(), static_cast<int>(said.size())) && !stream.OnRequest(request))
        stream.OnStart();
    }
    if (step == 'o') stream.Respond();
    // Held up, or all that is owed.
    while (step != 'h' && step != 'o' && stream.Respond()) {
    }
  }
  return 0;
}
