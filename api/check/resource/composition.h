#ifndef PORTICO_API_CHECK_RESOURCE_COMPOSITION_H_
#define PORTICO_API_CHECK_RESOURCE_COMPOSITION_H_

#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "api/portico/v1/composition.pb.h"

namespace portico::check {

// The rules of a Composition by itself; `key` is what the violations are of. Whether its Clusters exist is for
// api/check/references to say. Pure.
//
// Programs and call templates see $request, $identity and the other steps; a call with forEach sees ${each} as well,
// the answer sees $failures. Of several cycles one is named, at its first step: "orders -> stock -> orders" means that
// orders uses stock. Everything that dataplane/compose can't plan is refused here; beyond that, a template's own text
// must be fit for its place, as only what is expanded is encoded.
Violations CheckComposition(const ResourceKey& key, const portico::v1::CompositionSpec& spec);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_COMPOSITION_H_
