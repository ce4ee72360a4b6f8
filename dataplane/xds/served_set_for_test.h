#ifndef PORTICO_DATAPLANE_XDS_SERVED_SET_FOR_TEST_H_
#define PORTICO_DATAPLANE_XDS_SERVED_SET_FOR_TEST_H_

#include <cstdint>
#include <map>
#include <string>

#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/revision.pb.h"
#include "api/wire/names.h"
#include "api/wire/set_digest.h"
#include "dataplane/crypto/digest.h"
#include "google/protobuf/message.h"

// What a control plane has for a gateway, and how it says so. For tests only.

namespace portico::xds::for_test {

using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;

inline const check::ResourceKey kGateway{"Gateway", "default", "g"};

// Keeps to the protocol: each response says a change to the set, and a mark names what it is by then.
class ServedSet {
 public:
  // New, or in the place of another version: "e.1", "e.2", …
  DeltaDiscoveryResponse Give(const check::ResourceKey& key, const google::protobuf::Message& content) {
    const std::string version = base::Concat("e.", ++version_);
    set_[key.kind][wire::ResourceName(key)] = version;
    DeltaDiscoveryResponse response = Response(wire::TypeUrl(key.kind));
    auto& resource = *response.add_resources();
    resource.set_name(wire::ResourceName(key));
    resource.set_version(version);
    resource.mutable_resource()->PackFrom(content);
    return response;
  }
  DeltaDiscoveryResponse Take(const check::ResourceKey& key) {
    set_[key.kind].erase(wire::ResourceName(key));
    DeltaDiscoveryResponse response = Response(wire::TypeUrl(key.kind));
    response.add_removed_resources(wire::ResourceName(key));
    return response;
  }
  // Of what was given and not taken; `more` is said beside.
  DeltaDiscoveryResponse Mark(uint64_t number, const portico::v1::Revision& more = {}) {
    portico::v1::Revision mark = more;
    mark.set_epoch("e");
    mark.set_number(number);
    wire::SetDigest all;
    for (const auto& [kind, names] : set_) {
      if (names.empty()) continue;
      wire::SetDigest digest;
      for (const auto& [name, version] : names) {
        const auto hash = crypto::Sha256(wire::DigestInput(wire::TypeUrl(kind), name, version));
        digest.Add({reinterpret_cast<const char*>(hash.data()), hash.size()});
        all.Add({reinterpret_cast<const char*>(hash.data()), hash.size()});
      }
      auto& type = *mark.add_types();
      type.set_type_url(wire::TypeUrl(kind));
      type.set_count(static_cast<uint32_t>(names.size()));
      type.set_digest(digest.ToString());
    }
    digest_ = all.ToString();
    DeltaDiscoveryResponse response = Response(std::string(wire::kRevisionType));
    auto& resource = *response.add_resources();
    resource.set_name(wire::ResourceName(kGateway));
    resource.set_version(digest_);
    resource.mutable_resource()->PackFrom(mark);
    return response;
  }
  // Empty, with the next nonce: "1", "2", …
  DeltaDiscoveryResponse Response(const std::string& type_url) {
    DeltaDiscoveryResponse response;
    response.set_type_url(type_url);
    response.set_nonce(base::Concat(++nonce_));
    return response;
  }
  const std::string& digest() const { return digest_; }  // of the last mark

 private:
  std::map<std::string, std::map<std::string, std::string>> set_;
  uint64_t version_ = 0, nonce_ = 0;
  std::string digest_;
};

// Requests in words: "Route 3; Revision 4 refused Route default/a (e.2: why); Revision 5 NACK why".
inline std::string Words(const DeltaDiscoveryRequest& request) {
  std::string text = request.type_url().substr(wire::kTypePrefix.size());
  if (!request.response_nonce().empty()) text += " " + request.response_nonce();
  if (request.has_node()) text += " node " + request.node().id();
  for (const std::string& name : request.resource_names_subscribe())
    text += " +" + name;
  for (const std::string& name : request.resource_names_unsubscribe())
    text += " -" + name;
  const std::map<std::string, std::string> has(request.initial_resource_versions().begin(),
                                               request.initial_resource_versions().end());
  for (const auto& [name, version] : has)
    text += base::Concat(" ", name, "=", version);
  for (const auto& detail : request.error_detail().details()) {
    portico::v1::RevisionReport report;
    text += detail.UnpackTo(&report) ? " refused" : " another report";
    for (const auto& refusal : report.refusals())
      text += base::Concat(" ", refusal.resource(), " (", refusal.version(), ": ", refusal.reason(), ")");
  }
  if (request.error_detail().code() != 0) text += " NACK";
  return text;
}

}  // namespace portico::xds::for_test

#endif  // PORTICO_DATAPLANE_XDS_SERVED_SET_FOR_TEST_H_
