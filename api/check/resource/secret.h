#ifndef PORTICO_API_CHECK_RESOURCE_SECRET_H_
#define PORTICO_API_CHECK_RESOURCE_SECRET_H_

#include "api/check/key_pair.h"
#include "api/check/resource/report.h"
#include "api/portico/v1/secret.pb.h"

namespace portico::check {

// Exactly one kind of content, as text that is there (inline: `file` is for whoever reads the configuration) and is
// what it says: certificates, a key set (jwks.h), a key pair that fits. `key_pairs` nullptr: pairs are not compared.
void CheckSecret(const portico::v1::SecretSpec& spec, const KeyPairChecker* key_pairs, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_SECRET_H_
