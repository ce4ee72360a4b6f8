#include "controlplane/model/model.h"

#include "api/base/text.h"

namespace portico::model {

std::string VersionOf(const Model& model, const portico::v1::Resource& resource) {
  return base::Concat(model.epoch, ".", check::MetadataOf(resource).revision());
}

}  // namespace portico::model
