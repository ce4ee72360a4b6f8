#include "api/wire/names.h"

#include <algorithm>

#include "api/base/text.h"

namespace portico::wire {

const std::vector<std::string>& ResourceTypes() {
  static const std::vector<std::string> kTypes = {
      TypeUrl("Secret"),      TypeUrl("Consumer"),    TypeUrl("ReferenceGrant"), TypeUrl("Endpoints"),
      TypeUrl("Cluster"),     TypeUrl("Composition"), TypeUrl("AuthPolicy"),     TypeUrl("RateLimitPolicy"),
      TypeUrl("CachePolicy"), TypeUrl("Gateway"),     TypeUrl("Route"),          TypeUrl("CachePurge")};
  return kTypes;
}

std::string TypeUrl(std::string_view kind) {
  return base::Concat(kTypePrefix, kind);
}

std::string ResourceName(const check::ResourceKey& key) {
  return base::Concat(key.name_space, "/", key.name);
}

std::optional<check::ResourceKey> KeyOf(std::string_view type_url, std::string_view name) {
  const std::vector<std::string>& types = ResourceTypes();
  const size_t slash = name.find('/');
  if (std::find(types.begin(), types.end(), type_url) == types.end() || slash == std::string_view::npos || slash == 0 ||
      slash + 1 == name.size() || name.find('/', slash + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return check::ResourceKey{std::string(type_url.substr(kTypePrefix.size())), std::string(name.substr(0, slash)),
                            std::string(name.substr(slash + 1))};
}

}  // namespace portico::wire
