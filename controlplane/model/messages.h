#ifndef PORTICO_CONTROLPLANE_MODEL_MESSAGES_H_
#define PORTICO_CONTROLPLANE_MODEL_MESSAGES_H_

#include "api/check/configuration.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/model/model.h"

// What the API and the records of changes say alike.
namespace portico::model {

portico::v1::ResourceName ToName(const check::ResourceKey& key);
portico::v1::ResourceChange ToMessage(const ResourceChange& change);

}  // namespace portico::model

#endif  // PORTICO_CONTROLPLANE_MODEL_MESSAGES_H_
