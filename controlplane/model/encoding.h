#ifndef PORTICO_CONTROLPLANE_MODEL_ENCODING_H_
#define PORTICO_CONTROLPLANE_MODEL_ENCODING_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/portico/v1/resource.pb.h"

// How resources become the store's keys and bytes.
namespace portico::model {

// "Route/default/shop": no part can hold a slash.
std::string StoreKey(const check::ResourceKey& key);

// What the store keeps under a key: what a user wrote, and its manager. The same bytes for the same content.
std::string Encode(const portico::v1::Resource& resource);

// Whether a user wrote the same in both, whatever the system adds (status, revisions, manager).
bool SameContent(const portico::v1::Resource& a, const portico::v1::Resource& b);

// The message of the resource's kind by itself, revisions included: what travels to proxies. Who looks after it is no
// concern of theirs.
std::string EncodeMessage(const portico::v1::Resource& resource);

// kDataLoss: the bytes are no resource. The revisions go into its metadata.
absl::StatusOr<portico::v1::Resource> Decode(std::string_view bytes, uint64_t revision, uint64_t created);

// The metadata of a resource that has a kind.
portico::v1::Metadata& MutableMetadata(portico::v1::Resource& resource);

// Takes away what only the system writes.
void ClearSystemFields(portico::v1::Resource& resource);
// The same but for the manager.
void ClearVersions(portico::v1::Resource& resource);

}  // namespace portico::model

#endif  // PORTICO_CONTROLPLANE_MODEL_ENCODING_H_
