#ifndef PORTICO_API_YAML_TREE_H_
#define PORTICO_API_YAML_TREE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/yaml/limits.h"
#include "api/yaml/problem.h"

namespace portico::yaml {

// A YAML document as a tree of our own: yaml-cpp's nodes forget lines of keys, keep duplicate keys quietly and grow
// without bound under aliases. Its events are counted before anything is built.
struct Node {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool quoted = false;  // a scalar in quotes or a block: text, never a number
  Position position;
  std::string text;            // of a scalar
  std::vector<Node> children;  // of a list; of a map key, value, key, value …
};

// "nothing", "text", "a list", "a map": for messages.
std::string_view KindName(const Node& node);

// The documents of a text, empty ones left out. Anchors and aliases are understood (a copy for each alias, within
// limits), tags and merge keys are not. On an error `problems` says what and where, and the documents before it are
// returned. Whole text: UTF-8, no control characters but tab, line feed and carriage return.
std::vector<Node> ParseDocuments(std::string_view text, std::string_view file, const Limits& limits,
                                 Problems& problems);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_TREE_H_
