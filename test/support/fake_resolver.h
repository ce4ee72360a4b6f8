#ifndef PORTICO_TEST_SUPPORT_FAKE_RESOLVER_H_
#define PORTICO_TEST_SUPPORT_FAKE_RESOLVER_H_

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/net/resolver.h"

namespace portico::test {

inline net::Resolution Answer(const std::vector<std::string>& ips, base::Duration ttl) {
  net::Resolution answer{net::LookupOutcome::kAnswered, {}, ttl};
  for (const std::string& ip : ips)
    answer.addresses.push_back(*net::Address::Parse(ip, 0));
  return answer;
}

// Whoever looks a name up waits until the test answers. No socket.
class FakeResolver final : public net::Resolver {
 public:
  std::unique_ptr<Lookup> Resolve(std::string_view name, net::Family family, Handler& handler) override {
    ++asked;
    auto lookup = std::make_unique<Pending>(*this, Key(name, family), handler);
    pending_.push_back(lookup.get());
    return lookup;
  }

  // "A orders.internal, AAAA orders.internal": what is under way, oldest first.
  std::string Waiting() const {
    std::string text;
    for (const Pending* one : pending_)
      text += (text.empty() ? "" : ", ") + one->key;
    return text;
  }
  // Of the oldest such lookup; false: there is none.
  bool Say(std::string_view name, net::Family family, net::Resolution resolution) {
    const auto found =
        std::ranges::find_if(pending_, [&](const Pending* one) { return one->key == Key(name, family); });
    if (found == pending_.end()) return false;
    Pending* one = *found;
    pending_.erase(found);
    one->handler.OnResolved(std::move(resolution));
    return true;
  }
  bool Say(std::string_view name, net::Family family, net::LookupOutcome outcome) {
    return Say(name, family, net::Resolution{outcome, {}, {}});
  }

  int asked = 0;

 private:
  struct Pending final : Lookup {
    Pending(FakeResolver& its_resolver, std::string its_key, Handler& its_handler)
        : resolver(its_resolver), key(std::move(its_key)), handler(its_handler) {}
    ~Pending() override { std::erase(resolver.pending_, this); }

    FakeResolver& resolver;
    const std::string key;
    Handler& handler;
  };

  static std::string Key(std::string_view name, net::Family family) {
    return (family == net::Family::kV4 ? "A " : "AAAA ") + std::string(name);
  }

  std::vector<Pending*> pending_;
};

}  // namespace portico::test

#endif  // PORTICO_TEST_SUPPORT_FAKE_RESOLVER_H_
