#include "controlplane/xds/subscription.h"

#include <utility>

namespace portico::xds {
namespace {

constexpr std::string_view kWildcard = "*";

}  // namespace

void Subscription::Owe(const std::string& name, bool again) {
  bool& known = owed_[name];
  known = known || again;
}

void Subscription::OweAll(const Items& items) {
  for (const auto& [name, item] : items) {
    const auto held = has_.find(name);
    if (held == has_.end() || held->second != item.version) Owe(name, false);
  }
}

void Subscription::OnRequest(const Request& request, const Items& items) {
  const bool was_wildcard = wildcard_;
  if (request.first) {
    has_ = request.has;
    // Whatever it brought along may have gone or changed.
    for (const auto& [name, version] : has_)
      Owe(name, false);
    wildcard_ = request.subscribe.empty();
  }
  for (const std::string& name : request.subscribe) {
    if (name == kWildcard) {
      wildcard_ = true;
    } else {
      names_.insert(name);
      Owe(name, !(request.first && request.has.count(name) > 0));
    }
  }
  for (const std::string& name : request.unsubscribe) {
    if (name == kWildcard) {
      wildcard_ = false;
    } else {
      names_.erase(name);
      if (wildcard_) Owe(name, true);  // the client keeps it, and is told so by getting it again
    }
  }
  if (wildcard_ && !was_wildcard) OweAll(items);
  if (request.first) answer_ = wildcard_;
  if (request.subscribe.empty() && request.unsubscribe.empty() && !request.first) return;  // an ACK costs nothing
  // What is not wanted any more is the client's to forget.
  std::erase_if(has_, [this](const auto& entry) { return !Wants(entry.first); });
  std::erase_if(owed_, [this](const auto& entry) { return !Wants(entry.first); });
}

void Subscription::OnChange(const std::string& name) {
  if (Wants(name)) Owe(name, false);
}

void Subscription::Again(const std::string& name) {
  if (Wants(name)) Owe(name, true);
}

Subscription::Response Subscription::Next(const Items& items, size_t bytes_max) {
  Response response;
  response.send = answer_;
  size_t bytes = 0;
  auto owed = owed_.begin();
  for (; owed != owed_.end(); owed = owed_.erase(owed)) {
    const std::string& name = owed->first;
    const auto item = items.find(name);
    const auto held = has_.find(name);
    if (item == items.end()) {
      // Told once: that it is gone, or (whoever asked for it by name) that there is none.
      if (held == has_.end() && !owed->second) continue;
      if (bytes > 0 && bytes + name.size() > bytes_max) break;
      if (held != has_.end()) has_.erase(held);
      bytes += name.size();
      response.removed.push_back(name);
      continue;
    }
    const std::string& version = item->second.version;
    if (held != has_.end() && held->second == version && !owed->second) continue;
    if (bytes > 0 && bytes + item->second.field->size() > bytes_max) break;
    bytes += item->second.field->size();
    response.fields.push_back(item->second.field);
    has_[name] = version;
  }
  answer_ = false;
  response.send = response.send || !response.fields.empty() || !response.removed.empty();
  return response;
}

}  // namespace portico::xds
