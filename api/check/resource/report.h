#ifndef PORTICO_API_CHECK_RESOURCE_REPORT_H_
#define PORTICO_API_CHECK_RESOURCE_REPORT_H_

#include <iterator>
#include <string>
#include <utility>

#include "api/check/configuration.h"
#include "api/check/violation.h"

namespace portico::check {

// Gathers what is wrong with one resource. `key` must outlive it.
class Report {
 public:
  explicit Report(const ResourceKey& key) : key_(key) {}

  const ResourceKey& key() const { return key_; }
  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }
  void Append(Violations more) { std::move(more.begin(), more.end(), std::back_inserter(violations_)); }
  Violations Take() { return std::move(violations_); }

 private:
  const ResourceKey& key_;
  Violations violations_;
};

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_REPORT_H_
