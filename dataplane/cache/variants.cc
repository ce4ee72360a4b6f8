#include "dataplane/cache/variants.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "dataplane/http/syntax.h"

namespace portico::cache {
namespace {

// The names in `vary`, lower case, sorted, each once. nullopt: as for "*".
std::optional<std::vector<std::string>> NamesOf(const http::Fields& response) {
  std::vector<std::string> names;
  for (const http::Field& field : response) {
    if (field.id != http::FieldId::kVary) continue;
    std::string_view rest = field.value;
    while (const std::optional<std::string_view> name = http::NextListMember(rest)) {
      if (*name == "*" || !http::IsToken(*name) || names.size() == kSelectingFieldsMax) return std::nullopt;
      names.push_back(base::LowerAscii(*name));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::optional<std::string> CombinedValue(const http::Fields& fields, std::string_view name) {
  std::optional<std::string> all;
  for (const http::Field& field : fields) {
    if (field.name != name) continue;
    const std::string_view value = http::TrimOws(field.value);
    all = all ? base::Concat(*all, ", ", value) : std::string(value);
  }
  return all;
}

std::optional<SelectingFields> SelectingFieldsOf(const http::Fields& response, const http::Fields& request) {
  std::optional<std::vector<std::string>> names = NamesOf(response);
  if (!names) return std::nullopt;
  SelectingFields selecting;
  size_t bytes = 0;
  for (std::string& name : *names) {
    std::optional<std::string> value = CombinedValue(request, name);
    bytes += value ? value->size() : 0;
    if (bytes > kSelectingBytesMax) return std::nullopt;
    selecting.push_back({std::move(name), std::move(value)});
  }
  return selecting;
}

bool Selects(const SelectingFields& selecting, const http::Fields& request) {
  return std::all_of(selecting.begin(), selecting.end(),
                     [&](const SelectingField& field) { return CombinedValue(request, field.name) == field.value; });
}

}  // namespace portico::cache
