#include "api/check/resource/access.h"

#include <map>
#include <string>
#include <utility>

#include "api/base/text.h"

namespace portico::check {

using base::Concat;

void CheckRole(const portico::v1::RoleSpec& spec, Report& report) {
  if (spec.all_namespaces() && report.key().name_space != kDefaultNamespace) {
    report.Add("spec.allNamespaces", Concat("is for a Role in namespace ", kDefaultNamespace, " alone"));
  }
  std::map<std::pair<std::string, std::string>, int> first;
  for (int i = 0; i < spec.subjects_size(); ++i) {
    const portico::v1::RoleSubject& subject = spec.subjects(i);
    const std::string path = Concat("spec.subjects[", i, "]");
    if (subject.certificate().empty() == subject.token().empty()) {
      report.Add(path, "must hold exactly one of certificate and token");
      continue;
    }
    const auto [place, added] = first.try_emplace({subject.certificate(), subject.token()}, i);
    if (!added) report.Add(path, Concat("is subjects[", place->second, "]"));
  }
}

}  // namespace portico::check
