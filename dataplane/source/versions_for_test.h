#ifndef PORTICO_DATAPLANE_SOURCE_VERSIONS_FOR_TEST_H_
#define PORTICO_DATAPLANE_SOURCE_VERSIONS_FOR_TEST_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/source/settle.h"

// Sets of versions as text. For tests only.

namespace portico::source::for_test {

using check::ResourceKey;

// Each line is a resource: "KIND [NAMESPACE/]NAME@VERSION {spec}".
inline Versions Parse(const std::vector<std::string>& lines) {
  Versions versions;
  for (const std::string_view line : lines) {
    const size_t space = line.find(' '), at = line.find('@'), brace = line.find('{');
    const std::string_view name = line.substr(space + 1, at - space - 1);
    const size_t slash = name.find('/');
    const std::string_view own = slash == std::string_view::npos ? name : name.substr(slash + 1);
    const std::string_view name_space = slash == std::string_view::npos ? "default" : name.substr(0, slash);
    const std::string text = base::Concat("kind: ", line.substr(0, space), "\nmetadata: {name: ", own,
                                          ", namespace: ", name_space, "}\nspec: ", line.substr(brace), "\n");
    yaml::Problems problems(10);
    const std::vector<yaml::Document> documents = yaml::ReadText(text, "f", yaml::Limits(), problems);
    EXPECT_EQ(problems.ToString(), "") << line;
    auto resource = std::make_shared<portico::v1::Resource>(documents.at(0).resource);
    const ResourceKey key = check::KeyOf(*resource);
    versions.Put(key, {std::string(line.substr(at + 1, brace - at - 2)), std::move(resource)});
  }
  return versions;
}

inline std::string Text(const Versions& versions) {
  std::vector<std::string> names;
  for (const auto& [key, version] : versions)
    names.push_back(base::Concat(key.ToString(), "@", version.version));
  return base::Join(names, ", ");
}

inline ResourceKey Key(std::string_view text) {
  const size_t space = text.find(' ');
  return {std::string(text.substr(0, space)), "default", std::string(text.substr(space + 1))};
}

}  // namespace portico::source::for_test

#endif  // PORTICO_DATAPLANE_SOURCE_VERSIONS_FOR_TEST_H_
