#include "dataplane/snapshot/certificate_names.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

namespace portico::snapshot {
namespace {

// A name that no client sends (RFC 6761 section 6.4), for a certificate that is shown for no name at all.
constexpr std::string_view kNoName = "invalid";

bool IsWildcard(std::string_view name) {
  return name.starts_with("*.");
}

// Exact hostnames first, then the longer wildcard, then any.
bool IsMoreSpecific(std::string_view a, std::string_view b) {
  if (IsWildcard(a) != IsWildcard(b)) return a.empty() ? false : b.empty() ? true : IsWildcard(b);
  return IsWildcard(a) ? a.size() > b.size() : !a.empty() && b.empty();
}

// Whether each host that `name` stands for is one of the listener's.
bool IsWithin(std::string_view name, std::string_view hostname) {
  if (hostname.empty() || name == hostname) return true;
  return IsWildcard(hostname) && name.size() > hostname.size() - 1 && name.ends_with(hostname.substr(1));
}

// Whether a certificate's name is good for a host (RFC 9525 section 6.3: one label, the leftmost, whole).
bool Covers(std::string_view name, std::string_view host) {
  if (name == host) return true;
  const size_t dot = host.find('.');
  return IsWildcard(name) && !IsWildcard(host) && dot != std::string_view::npos && name.substr(1) == host.substr(dot);
}

// The certificate that is shown for the listener's own hostname.
size_t OwnCertificate(const ListenerCertificates& listener) {
  const auto covers = [&listener](const std::string& name) { return Covers(name, listener.hostname); };
  for (size_t i = 0; i < listener.names.size(); ++i) {
    if (std::any_of(listener.names[i].begin(), listener.names[i].end(), covers)) return i;
  }
  return 0;
}

// Gives out the names of listeners, the more specific ones first.
class Offers {
 public:
  void Add(size_t place, const ListenerCertificates& listener) {
    const size_t own = OwnCertificate(listener);
    for (size_t i = 0; i < listener.names.size(); ++i) {
      CertificateOffer offer{place, i, {}};
      if (i == own && !listener.hostname.empty()) Take(listener.hostname, offer);
      for (const std::string& name : listener.names[i]) {
        if (IsWithin(name, listener.hostname)) Take(name, offer);
      }
      out.push_back(std::move(offer));
    }
    hostnames_.push_back(listener.hostname);
  }

  std::vector<CertificateOffer> out;

 private:
  void Take(const std::string& name, CertificateOffer& offer) {
    const bool of_another = std::any_of(hostnames_.begin(), hostnames_.end(), [&name](const std::string& hostname) {
      return !hostname.empty() && IsWithin(name, hostname);
    });
    if (!of_another && taken_.insert(name).second) offer.names.push_back(name);
  }

  std::vector<std::string> hostnames_;  // of the listeners before
  std::set<std::string> taken_;
};

}  // namespace

std::vector<CertificateOffer> OfferCertificates(const std::vector<ListenerCertificates>& listeners) {
  std::vector<size_t> order(listeners.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&listeners](size_t a, size_t b) {
    const std::string& one = listeners[a].hostname;
    const std::string& other = listeners[b].hostname;
    return IsMoreSpecific(one, other) || (!IsMoreSpecific(other, one) && a < b);
  });
  Offers all;
  for (const size_t place : order)
    all.Add(place, listeners[place]);
  std::vector<CertificateOffer> offers = std::move(all.out);
  if (offers.empty()) return offers;
  const size_t any = listeners[order.back()].hostname.empty() ? order.back() : 0;
  const auto first = std::find_if(offers.begin(), offers.end(),
                                  [any](const CertificateOffer& offer) { return offer.listener == any; });
  if (first != offers.end()) std::rotate(offers.begin(), first, first + 1);
  if (offers.front().names.empty()) offers.front().names.emplace_back(kNoName);
  std::erase_if(offers, [](const CertificateOffer& offer) { return offer.names.empty(); });
  return offers;
}

}  // namespace portico::snapshot
