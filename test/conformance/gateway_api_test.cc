// Every HTTPRoute of Gateway API's examples pastes in as a Route, or is refused by the name of a field.

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/check/references/references.h"
#include "api/check/resource/resource.h"
#include "api/check/violation.h"
#include "api/portico/v1/resource.pb.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"
#include "test/conformance/lists.h"

namespace portico::conformance {
namespace {

constexpr char kFolder[] = "test/conformance/gateway_api";
constexpr char kList[] = "test/conformance/gateway_api.txt";

using base::Concat;
using check::Configuration;
using check::ResourceKey;
using portico::v1::Resource;

struct HttpRoute {
  std::string file;      // below kFolder
  std::string original;  // the document as it stands there
  std::string pasted;    // with `kind: Route` in place of Gateway API's kind and version
};

// The HTTPRoutes among the documents of a file.
void AppendRoutes(const std::string& file, std::vector<HttpRoute>& routes) {
  HttpRoute route{file, "", ""};
  bool is_route = false;
  const std::string text = ReadAll(Concat(kFolder, "/", file)) + "\n---";
  for (const std::string_view line : base::Split(text, '\n')) {
    if (line.starts_with("---")) {
      if (is_route) routes.push_back(route);
      is_route = false;
      route = {file, "", ""};
      continue;
    }
    is_route = is_route || line == "kind: HTTPRoute";
    route.original += Concat(line, "\n");
    if (!line.starts_with("apiVersion:")) {
      route.pasted += Concat(line == "kind: HTTPRoute" ? std::string_view("kind: Route") : line, "\n");
    }
  }
}

std::vector<HttpRoute> ReadRoutes() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder)) {
    const std::string path = entry.path().string();
    if (path.ends_with(".yaml")) files.push_back(path.substr(sizeof kFolder));
  }
  std::sort(files.begin(), files.end());
  std::vector<HttpRoute> routes;
  for (const std::string& file : files) {
    const size_t before = routes.size();
    AppendRoutes(file, routes);
    EXPECT_GT(routes.size(), before) << file;
  }
  return routes;
}

void SetName(portico::v1::Metadata& metadata, const std::string& name, const std::string& name_space) {
  metadata.set_name(name);
  metadata.set_namespace_(name_space);
}

Resource GatewayFor(const portico::v1::ParentReference& parent, const ResourceKey& route) {
  Resource out;
  auto& gateway = *out.mutable_gateway();
  SetName(*gateway.mutable_metadata(), parent.name(), check::ReferredNamespace(parent.namespace_(), route));
  auto& listener = *gateway.mutable_spec()->add_listeners();
  listener.set_name(parent.section_name());
  listener.set_port(parent.port());
  listener.mutable_allowed_routes()->mutable_namespaces()->set_from(portico::v1::FROM_NAMESPACES_ALL);
  return out;
}

Resource ClusterFor(const portico::v1::BackendRef& backend, const ResourceKey& route) {
  Resource out;
  auto& cluster = *out.mutable_cluster();
  SetName(*cluster.mutable_metadata(), backend.name(), check::ReferredNamespace(backend.namespace_(), route));
  cluster.mutable_spec()->add_endpoints()->set_port(backend.port());
  return out;
}

// What the Route refers to is all there, so that only what it says itself can be refused.
Configuration WorldOf(const Resource& route) {
  const ResourceKey key = check::KeyOf(route);
  Configuration world;
  world.Add(route);
  for (const auto& parent : route.route().spec().parent_refs())
    world.Add(GatewayFor(parent, key));
  for (const auto& rule : route.route().spec().rules()) {
    for (const auto& backend : rule.backend_refs())
      world.Add(ClusterFor(backend, key));
  }
  return world;
}

// "  accepted", or a line for each refusal.
std::string Judge(const HttpRoute& route, std::string& name) {
  yaml::Problems problems(100);
  const std::vector<yaml::Document> documents = yaml::ReadText(route.pasted, route.file, yaml::Limits(), problems);
  std::string refusals;
  for (const yaml::Problem& problem : problems.list())
    refusals += Concat("  ", problem.path, ": ", problem.message, "\n");
  name = documents.empty() ? "unreadable" : check::KeyOf(documents[0].resource).ToString();
  if (documents.empty()) return refusals;
  check::Violations violations = check::CheckResource(documents[0].resource, {});
  if (violations.empty()) violations = check::CheckReferences(WorldOf(documents[0].resource));
  for (const check::Violation& violation : violations)
    refusals += Concat("  ", violation.path, ": ", violation.message, "\n");
  return refusals.empty() ? "  accepted\n" : refusals;
}

TEST(GatewayApi, EachHttpRouteIsTakenOrRefusedByField) {
  std::string found;
  for (const HttpRoute& route : ReadRoutes()) {
    std::string name;
    const std::string judgement = Judge(route, name);
    found += Concat(route.file, ": ", name, "\n", judgement);
  }
  ExpectList(found, kList);
}

TEST(GatewayApi, AnHttpRouteAsItIsSaysHowToPasteIt) {
  const std::vector<HttpRoute> routes = ReadRoutes();
  EXPECT_GE(routes.size(), 48u);
  for (const HttpRoute& route : routes) {
    yaml::Problems problems(100);
    EXPECT_TRUE(yaml::ReadText(route.original, route.file, yaml::Limits(), problems).empty()) << route.file;
    ASSERT_EQ(problems.list().size(), 1u) << route.file;
    EXPECT_EQ(problems.list()[0].path, "kind");
    EXPECT_EQ(problems.list()[0].message, "write `kind: Route`; the spec of an HTTPRoute pastes in as it is");
  }
}

}  // namespace
}  // namespace portico::conformance
