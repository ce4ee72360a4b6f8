#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_CONSUMERS_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_CONSUMERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/json.h"
#include "dataplane/base/time.h"
#include "dataplane/filter/identity.h"
#include "dataplane/filters/auth/claim.h"

namespace portico::auth {

struct Consumer {
  struct Credential {
    std::string issuer;
    ClaimConditions claims;  // not empty
  };
  struct Key {
    std::array<uint8_t, 32> digest{};            // SHA-256
    base::WallTime end = base::WallTime::max();  // not accepted from then on
  };
  filter::ConsumerName name;
  std::vector<std::string> groups;
  std::vector<Credential> credentials;
  std::vector<Key> keys;  // what whose key is asks: key_table.h
  bool foreign = false;   // of another namespace than the authentication's: whoever writes there is not trusted here
};

// The caller is this one as well.
void Become(const Consumer& consumer, filter::Identity& identity);

// Which Consumers a token is. A look costs one search for each name of a claim that credentials of its issuer begin
// with (nearly always one), however many Consumers there are. Immutable, any thread.
class Consumers {
 public:
  Consumers() = default;
  // Their order is the order in an identity.
  explicit Consumers(std::vector<Consumer> consumers);

  // Adds all that agree, with their groups. Claims are those of a verified token of `issuer`.
  void Recognise(std::string_view issuer, const base::Json& claims, filter::Identity& identity) const;

  const std::vector<Consumer>& all() const { return consumers_; }

 private:
  using Place = std::pair<size_t, size_t>;  // consumer, credential
  using ByText = std::map<std::string, std::vector<Place>, std::less<>>;

  void Look(const ByText& by_text, std::string_view text, const base::Json& claims, std::vector<size_t>& found) const;

  std::vector<Consumer> consumers_;
  // Issuer -> first claim's name -> its text -> credentials.
  std::map<std::string, std::map<std::string, ByText, std::less<>>, std::less<>> index_;
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_CONSUMERS_H_
