#ifndef PORTICO_DATAPLANE_XDS_RECEIVED_SET_H_
#define PORTICO_DATAPLANE_XDS_RECEIVED_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/base/shared_map.h"
#include "api/check/configuration.h"
#include "api/wire/set_digest.h"
#include "dataplane/xds/read_resource.h"

namespace portico::xds {

// crypto::Sha256; an argument, because nothing else here needs a library for it.
using Sha256 = std::array<uint8_t, 32> (*)(std::string_view);

using Resources = base::SharedMap<check::ResourceKey, std::shared_ptr<const Received>>;

// What the control plane has sent and not taken back, with the digests by which its marks name it. Pure.
class ReceivedSet {
 public:
  struct Limits {
    size_t resources_max = 200'000;   // twenty times the 10,000 routes of a large gateway
    size_t bytes_max = 256ull << 20;  // on the wire; a few times that as messages
  };
  explicit ReceivedSet(Sha256 sha256) : ReceivedSet(sha256, Limits()) {}
  ReceivedSet(Sha256 sha256, const Limits& limits) : sha256_(sha256), limits_(limits) {}

  // New, or in the place of another version. kResourceExhausted: over a limit, and nothing has changed.
  absl::Status Put(const check::ResourceKey& key, std::shared_ptr<const Received> received);
  void Remove(const check::ResourceKey& key);
  // Everything of a kind.
  void Clear(std::string_view kind);

  // A copy is for whoever needs what is here now.
  const Resources& resources() const { return resources_; }
  // Those without a message.
  const std::set<check::ResourceKey>& refused() const { return refused_; }

  struct TypeSum {
    uint32_t count = 0;
    wire::SetDigest digest;
  };
  TypeSum OfKind(std::string_view kind) const;
  std::string digest() const { return all_.ToString(); }

 private:
  std::string Hash(const check::ResourceKey& key, const std::string& version) const;

  const Sha256 sha256_;
  const Limits limits_;
  Resources resources_;
  std::set<check::ResourceKey> refused_;
  std::map<std::string, TypeSum, std::less<>> kinds_;
  wire::SetDigest all_;
  size_t bytes_ = 0;
};

}  // namespace portico::xds

#endif  // PORTICO_DATAPLANE_XDS_RECEIVED_SET_H_
