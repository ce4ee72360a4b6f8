#include "api/check/resource/gateway.h"

#include <map>
#include <set>
#include <string>

#include "api/base/text.h"
#include "api/check/resource/names.h"

namespace portico::check {
namespace {

using base::Concat;
using portico::v1::Listener;

void Tls(const Listener& listener, const std::string& path, Report& report) {
  const bool https = listener.protocol() == portico::v1::LISTENER_PROTOCOL_HTTPS;
  if (https && !listener.has_tls()) report.Add(path + ".tls", "is missing: HTTPS needs certificateRefs");
  if (!https && listener.has_tls()) report.Add(path + ".tls", "is for protocol HTTPS alone");
}

}  // namespace

void CheckGateway(const portico::v1::GatewaySpec& spec, Report& report) {
  std::set<std::string> names;
  std::map<uint32_t, const Listener*> ports;
  for (int i = 0; i < spec.listeners_size(); ++i) {
    const Listener& listener = spec.listeners(i);
    const std::string path = Concat("spec.listeners[", i, "]");
    if (!names.insert(listener.name()).second) report.Add(path + ".name", "is the name of another listener");
    const Listener& first = *ports.try_emplace(listener.port(), &listener).first->second;
    if (first.protocol() != listener.protocol()) {
      report.Add(path + ".protocol", Concat("must be that of listener ", first.name(), ", which has the same port"));
    }
    Tls(listener, path, report);
  }
  std::set<std::string> addresses;
  for (int i = 0; i < spec.addresses_size(); ++i) {
    if (!addresses.insert(AddressIdentity(spec.addresses(i).value())).second) {
      report.Add(Concat("spec.addresses[", i, "].value"), "is there already");
    }
  }
}

}  // namespace portico::check
