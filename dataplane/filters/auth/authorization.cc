#include "dataplane/filters/auth/authorization.h"

#include <algorithm>

#include "dataplane/route/path.h"

namespace portico::auth {
namespace {

// An empty list asks for nothing.
template <typename List, typename Predicate>
bool NoneAskedOrOne(const List& list, Predicate predicate) {
  return list.empty() || std::any_of(list.begin(), list.end(), predicate);
}

template <typename Value>
bool Holds(const std::vector<Value>& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool Agrees(const Principal& principal, const filter::Identity& identity) {
  if (principal.method && *principal.method != identity.method) return false;
  // A caller without subject is not the subject "".
  return NoneAskedOrOne(principal.subjects,
                        [&](const std::string& subject) { return !subject.empty() && subject == identity.subject; }) &&
         NoneAskedOrOne(principal.consumers,
                        [&](const filter::ConsumerName& name) { return Holds(identity.consumers, name); }) &&
         NoneAskedOrOne(principal.groups, [&](const std::string& group) { return Holds(identity.groups, group); }) &&
         ClaimsHaveAll(identity.claims, principal.claims);
}

bool Agrees(const Operation& operation, const Attempt& attempt) {
  return NoneAskedOrOne(operation.methods, [&](const std::string& method) { return method == attempt.method; }) &&
         NoneAskedOrOne(operation.paths,
                        [&](const route::RuleMatch& match) { return route::PathAgrees(match, attempt.path); }) &&
         NoneAskedOrOne(operation.hosts,
                        [&](const std::string& host) { return route::HostAgrees(host, attempt.host); });
}

}  // namespace

Authorization::Decision Authorization::Decide(const Attempt& attempt) const {
  const AuthorizationRule* allowing = nullptr;
  for (const AuthorizationRule& rule : rules) {
    if (!rule.denies && allowing != nullptr) continue;
    if (!Agrees(rule.principal, attempt.identity) || !Agrees(rule.operation, attempt)) continue;
    if (rule.denies) return {.allowed = false, .rule = &rule};
    allowing = &rule;
  }
  if (allowing != nullptr) return {.allowed = true, .rule = allowing};
  return {.allowed = !denies_by_default, .rule = nullptr};
}

Authorization::Decision Authorization::DecideEveryReading(const Attempt& attempt) const {
  Decision decision = Decide(attempt);
  for (const std::string& reading : route::OtherReadings(attempt.path)) {
    if (decision.allowed) decision = Decide({attempt.identity, attempt.method, attempt.host, reading});
  }
  return decision;
}

}  // namespace portico::auth
