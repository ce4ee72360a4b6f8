#include "dataplane/filters/auth/consumers.h"

#include <algorithm>
#include <optional>

#include "api/base/check.h"

namespace portico::auth {

void Become(const Consumer& consumer, filter::Identity& identity) {
  identity.consumers.push_back(consumer.name);
  identity.groups.insert(identity.groups.end(), consumer.groups.begin(), consumer.groups.end());
}

Consumers::Consumers(std::vector<Consumer> consumers) : consumers_(std::move(consumers)) {
  for (size_t i = 0; i < consumers_.size(); ++i) {
    for (size_t j = 0; j < consumers_[i].credentials.size(); ++j) {
      const Consumer::Credential& credential = consumers_[i].credentials[j];
      PORTICO_CHECK(!credential.claims.empty(), "it would be every caller of the issuer");
      const auto& [name, text] = *credential.claims.begin();
      index_[credential.issuer][name][text].emplace_back(i, j);
    }
  }
}

void Consumers::Look(const ByText& by_text, std::string_view text, const base::Json& claims,
                     std::vector<size_t>& found) const {
  const auto places = by_text.find(text);
  if (places == by_text.end()) return;
  for (const auto& [consumer, credential] : places->second) {
    if (ClaimsHaveAll(claims, consumers_[consumer].credentials[credential].claims)) found.push_back(consumer);
  }
}

void Consumers::Recognise(std::string_view issuer, const base::Json& claims, filter::Identity& identity) const {
  const auto by_name = index_.find(issuer);
  if (by_name == index_.end()) return;
  std::vector<size_t> found;
  for (const auto& [name, by_text] : by_name->second) {
    const base::Json* claim = claims.Find(name);
    if (claim == nullptr) continue;
    if (const std::optional<std::string_view> text = ClaimText(*claim)) Look(by_text, *text, claims, found);
    if (!claim->is_array()) continue;
    for (const base::Json& item : claim->items()) {
      if (const std::optional<std::string_view> text = ClaimText(item)) Look(by_text, *text, claims, found);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (const size_t place : found)
    Become(consumers_[place], identity);
}

}  // namespace portico::auth
