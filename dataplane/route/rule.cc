#include "dataplane/route/rule.h"

namespace portico::route {

void FieldEdits::Apply(http::Fields& fields) const {
  for (const auto& [name, value] : set)
    fields.Set(name, value);
  for (const auto& [name, value] : add)
    fields.Add(name, value);
  for (const std::string& name : remove)
    fields.Remove(name);
}

const Backend* PickBackend(const Rule& rule, uint64_t random) {
  if (rule.weight_sum == 0) return nullptr;
  // The sum is at most 16 × 1,000,000: the bias of the remainder is below 2^-40.
  uint64_t left = random % rule.weight_sum;
  for (const Backend& backend : rule.backends) {
    if (left < backend.weight) return &backend;
    left -= backend.weight;
  }
  return nullptr;
}

}  // namespace portico::route
