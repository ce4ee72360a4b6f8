#ifndef PORTICO_API_YAML_PROBLEM_H_
#define PORTICO_API_YAML_PROBLEM_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace portico::yaml {

// Where something stands in a text; both from 1. 0: nowhere in particular.
struct Position {
  size_t line = 0;
  size_t column = 0;
  bool operator==(const Position&) const = default;
};

// What is wrong, where, and what would be right.
struct Problem {
  std::string file;
  Position position;
  std::string path;  // "spec.rules[2].matches[0].path.type", "" for the document itself
  std::string message;

  // "shop.yaml:12:7: spec.rules[2].name: …"
  std::string ToString() const;
};

// Problems in the order they were found, up to a limit; then they are only counted.
class Problems {
 public:
  explicit Problems(size_t count_max) : count_max_(count_max) {}
  void Add(Problem problem);
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }
  size_t dropped() const { return dropped_; }

  // One line for each, and "and 12 more" at the end.
  std::string ToString() const;

 private:
  const size_t count_max_;
  std::vector<Problem> list_;
  size_t dropped_ = 0;
};

// Where each field of a document stands, so that whoever judges it later can name the line.
class SourceMap {
 public:
  void Set(std::string path, Position position) { positions_.emplace(std::move(path), position); }

  // The position of the field or, if the text has no such field, of the nearest one around it.
  Position Locate(std::string_view path) const;

 private:
  std::map<std::string, Position, std::less<>> positions_;
};

// "spec" + "rules" -> "spec.rules"; a key that is no plain word is quoted: metadata.labels["a.b/c"].
std::string FieldPath(std::string_view parent, std::string_view name);
// "spec.rules" + 2 -> "spec.rules[2]".
std::string ItemPath(std::string_view parent, size_t index);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_PROBLEM_H_
