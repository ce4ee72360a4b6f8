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
enum class How { kNoListener, kSectionAndPort, kNamespaceAndKind, kAttached };

std::string WhyNot(How how, const v1::ParentReference& parent, const ResourceKey& gateway) {
  switch (how) {
    case How::kNoListener:
      return base::Concat("attaches to nothing: ", gateway.ToString(), " has no listener",
                          parent.section_name().empty() ? "" : base::Concat(" named `", parent.section_name(), "`"),
                          parent.has_port() ? base::Concat(" on port ", parent.port()) : "");
    case How::kSectionAndPort:
      return base::Concat("attaches to nothing: allowedRoutes of ", gateway.ToString(), " does not admit this Route");
    default:
      return base::Concat("attaches to nothing: no hostname is both the Route's and the listener's of ",
                          gateway.ToString());
  }
}

class Attacher {
 public:
  Attacher(const check::Configuration& configuration, const ResourceKey& gateway, const ResourceKey& route,
           std::vector<Notice>& notices)
      : configuration_(configuration),
        gateway_(gateway),
        listeners_(configuration.Find(gateway)->gateway().spec().listeners()),
        route_(route),
        spec_(configuration.Find(route)->route().spec()),
        notices_(notices) {}

  Attachments Attach() {
    if (spec_.parent_refs().empty() && route_.name_space == gateway_.name_space) AttachByDefault();
    for (int i = 0; i < spec_.parent_refs_size(); ++i) {
      const v1::ParentReference& parent = spec_.parent_refs(i);
      if (parent.name() != gateway_.name) continue;
      if (check::ReferredNamespace(parent.namespace_(), route_) != gateway_.name_space) continue;
      AttachParent(parent, base::Concat("spec.parentRefs[", i, "]"));
    }
    return std::move(out_);
  }

 private:
  void AttachByDefault() {
    size_t gateways = 0;
    configuration_.ForEach("Gateway", route_.name_space, [&gateways](const auto&, const auto&) { ++gateways; });
    if (gateways == 1) return AttachParent({}, "spec");
    notices_.push_back({Notice::Kind::kNotAttached, route_, "spec.parentRefs",
                        base::Concat("attaches to nothing: it names no Gateway and its namespace has ", gateways)});
  }

  void AttachParent(const v1::ParentReference& parent, std::string path) {
    How furthest = How::kNoListener;
    for (int i = 0; i < listeners_.size(); ++i) {
      std::vector<std::string> hostnames;
      const How how = Try(parent, listeners_[i], hostnames);
      furthest = std::max(furthest, how);
      if (how == How::kAttached) out_[static_cast<size_t>(i)] = std::move(hostnames);
    }
    if (furthest == How::kAttached) return;
    notices_.push_back({Notice::Kind::kNotAttached, route_, std::move(path), WhyNot(furthest, parent, gateway_)});
  }

  How Try(const v1::ParentReference& parent, const v1::Listener& listener, std::vector<std::string>& hostnames) const {
    if (!parent.section_name().empty() && parent.section_name() != listener.name()) return How::kNoListener;
    if (parent.has_port() && parent.port() != listener.port()) return How::kNoListener;
    if (!AdmitsNamespace(listener, gateway_, route_) || !AdmitsKind(listener)) return How::kSectionAndPort;
    hostnames = Intersections(listener, spec_);
    return hostnames.empty() ? How::kNamespaceAndKind : How::kAttached;
  }

  const check::Configuration& configuration_;
  const ResourceKey& gateway_;
  const google::protobuf::RepeatedPtrField<v1::Listener>& listeners_;
  const ResourceKey& route_;
  const v1::RouteSpec& spec_;
  std::vector<Notice>& notices_;
  Attachments out_;
};

}  // namespace

Attachments AttachRoute(const check::Configuration& configuration, const ResourceKey& gateway, const ResourceKey& route,
                        std::vector<Notice>& notices) {
  return Attacher(configuration, gateway, route, notices).Attach();
}

}  // namespace portico::resolve
