#ifndef PORTICO_API_CHECK_RESOURCE_RESOURCE_H_
#define PORTICO_API_CHECK_RESOURCE_RESOURCE_H_

#include "api/check/key_pair.h"
#include "api/check/violation.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// What judging needs beside the resource.
struct CheckEnvironment {
  const KeyPairChecker* key_pairs = nullptr;  // not owned; nullptr: certificates are not compared with their keys
  bool system_fields = false;                 // status and revisions may be set: what comes from the store
};

// One resource by itself, refused everywhere: what is supported, the bounds of every field, and the rules between
// fields of each kind. The README says in which file what stands. Secrets must hold their texts (yaml::LoadFiles).
Violations CheckResource(const portico::v1::Resource& resource, const CheckEnvironment& environment);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_RESOURCE_H_
