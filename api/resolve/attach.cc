#include "api/resolve/attach.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "api/base/text.h"
#include "api/resolve/hostname.h"

namespace portico::resolve {
namespace {

using check::ResourceKey;

bool AdmitsNamespace(const v1::Listener& listener, const ResourceKey& gateway, const ResourceKey& route) {
  switch (listener.allowed_routes().namespaces().from()) {
    case v1::FROM_NAMESPACES_UNSPECIFIED:
    case v1::FROM_NAMESPACES_SAME:
      return route.name_space == gateway.name_space;
    case v1::FROM_NAMESPACES_ALL:
      return true;
    default:
      return false;  // None; and Selector, which api/check refuses: closed if it ever gets here
  }
}

bool AdmitsKind(const v1::Listener& listener) {
  const auto& kinds = listener.allowed_routes().kinds();
  return kinds.empty() || std::any_of(kinds.begin(), kinds.end(), [](const v1::RouteGroupKind& kind) {
           return kind.kind() == "Route" || kind.kind() == "HTTPRoute";
         });
}

std::vector<std::string> Intersections(const v1::Listener& listener, const v1::RouteSpec& route) {
  std::vector<std::string> out;
  const std::string own = base::LowerAscii(listener.hostname());
  const auto add = [&out, &own](std::string_view hostname) {
    std::optional<std::string> both = IntersectHostnames(own, base::LowerAscii(hostname));
    if (both && std::find(out.begin(), out.end(), *both) == out.end()) out.push_back(*std::move(both));
  };
  for (const std::string& hostname : route.hostnames())
    add(hostname);
  if (route.hostnames().empty()) add("");
  return out;
}

// How far the listeners went along with a parentRef, for the notice: the furthest of them all.
enum class Reached { kNoListener, kSectionAndPort, kNamespaceAndKind, kAttached };

std::string WhyNot(Reached reached, const v1::ParentReference& parent, const ResourceKey& gateway) {
  switch (reached) {
    case Reached::kNoListener:
      return base::Concat("attaches to nothing: ", gateway.ToString(), " has no listener",
                          parent.section_name().empty() ? "" : base::Concat(" named `", parent.section_name(), "`"),
                          parent.has_port() ? base::Concat(" on port ", parent.port()) : "");
    case Reached::kSectionAndPort:
      return base::Concat("attaches to nothing: allowedRoutes of ", gateway.ToString(), " does not admit this Route");
    default:
      return base::Concat("attaches to nothing: no hostname is both the Route's and the listener's of ",
                          gateway.ToString());
  }
}

class Attacher {
 public:
  Attacher(const check::Configuration& configuration, const ResourceKey& gateway, std::vector<Notice>& notices)
      : configuration_(configuration), gateway_(gateway), notices_(notices) {
    for (const auto& [key, resource] : configuration.resources()) {
      if (resource->has_gateway()) ++gateways_[key.name_space];
    }
  }

  void Attach(const ResourceKey& key, const SharedResource& resource) {
    const v1::RouteSpec& spec = resource->route().spec();
    std::map<size_t, std::vector<std::string>> listeners;
    if (spec.parent_refs().empty() && key.name_space == gateway_.name_space) AttachByDefault(key, spec, listeners);
    for (int i = 0; i < spec.parent_refs_size(); ++i) {
      const v1::ParentReference& parent = spec.parent_refs(i);
      if (parent.name() != gateway_.name) continue;
      if (check::ReferredNamespace(parent.namespace_(), key) != gateway_.name_space) continue;
      AttachParent(key, spec, parent, base::Concat("spec.parentRefs[", i, "]"), listeners);
    }
    for (auto& [listener, hostnames] : listeners)
      out.push_back({key, resource, listener, std::move(hostnames)});
  }

  std::vector<Attachment> out;

 private:
  void AttachByDefault(const ResourceKey& key, const v1::RouteSpec& spec,
                       std::map<size_t, std::vector<std::string>>& listeners) {
    if (gateways_[key.name_space] == 1) return AttachParent(key, spec, {}, "spec", listeners);
    notices_.push_back(
        {Notice::Kind::kNotAttached, key, "spec.parentRefs",
         base::Concat("attaches to nothing: it names no Gateway and its namespace has ", gateways_[key.name_space])});
  }

  void AttachParent(const ResourceKey& key, const v1::RouteSpec& spec, const v1::ParentReference& parent,
                    std::string path, std::map<size_t, std::vector<std::string>>& listeners) {
    const v1::GatewaySpec& gateway = configuration_.Find(gateway_)->gateway().spec();
    Reached furthest = Reached::kNoListener;
    for (int i = 0; i < gateway.listeners_size(); ++i) {
      const v1::Listener& listener = gateway.listeners(i);
      std::vector<std::string> hostnames;
      const Reached reached = Try(key, spec, parent, listener, hostnames);
      furthest = std::max(furthest, reached);
      if (reached == Reached::kAttached) listeners[static_cast<size_t>(i)] = std::move(hostnames);
    }
    if (furthest == Reached::kAttached) return;
    notices_.push_back({Notice::Kind::kNotAttached, key, std::move(path), WhyNot(furthest, parent, gateway_)});
  }

  Reached Try(const ResourceKey& key, const v1::RouteSpec& spec, const v1::ParentReference& parent,
              const v1::Listener& listener, std::vector<std::string>& hostnames) const {
    if (!parent.section_name().empty() && parent.section_name() != listener.name()) return Reached::kNoListener;
    if (parent.has_port() && parent.port() != listener.port()) return Reached::kNoListener;
    if (!AdmitsNamespace(listener, gateway_, key) || !AdmitsKind(listener)) return Reached::kSectionAndPort;
    hostnames = Intersections(listener, spec);
    return hostnames.empty() ? Reached::kNamespaceAndKind : Reached::kAttached;
  }

  const check::Configuration& configuration_;
  const ResourceKey& gateway_;
  std::vector<Notice>& notices_;
  std::map<std::string, size_t> gateways_;  // how many in each namespace
};

}  // namespace

std::vector<Attachment> AttachRoutes(const check::Configuration& configuration, const ResourceKey& gateway,
                                     std::vector<Notice>& notices) {
  Attacher attacher(configuration, gateway, notices);
  for (const auto& [key, resource] : configuration.resources()) {
    if (resource->has_route()) attacher.Attach(key, resource);
  }
  return std::move(attacher.out);
}

}  // namespace portico::resolve
