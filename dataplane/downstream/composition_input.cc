#include "dataplane/downstream/composition_input.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>

#include "api/base/utf8.h"

namespace portico::downstream {
namespace {

using base::Json;
using base::JsonMember;

// RFC 9110 has no bound on parameters; the request target's length has.
std::string_view ValidUtf8(std::string_view text, base::Arena& arena) {
  if (base::IsUtf8(text)) return text;
  std::string out;
  while (!text.empty()) {
    const size_t bytes = base::Utf8CharacterBytes(text);
    if (bytes == 0) {
      base::AppendUtf8(out, 0xfffd);
    } else {
      out.append(text.substr(0, bytes));
    }
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return arena.Copy(out);
}

Json Text(std::string_view text, base::Arena& arena) {
  return Json::String(ValidUtf8(text, arena));
}

Json TextOrNull(std::string_view text, base::Arena& arena) {
  return text.empty() ? Json() : Text(text, arena);
}

// Of each name the first, in the order in which they came. By sorting: a query may have thousands of parameters.
void KeepFirstOfEachName(std::vector<JsonMember>& members) {
  std::vector<size_t> order(members.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&members](size_t place) { return std::pair(members[place].name, place); });
  const auto same_name = [&members](size_t a, size_t b) { return members[a].name == members[b].name; };
  order.erase(std::unique(order.begin(), order.end(), same_name), order.end());
  std::ranges::sort(order);
  for (size_t kept = 0; kept < order.size(); ++kept)
    members[kept] = members[order[kept]];
  members.resize(order.size());
}

Json QueryObject(std::string_view query, base::Arena& arena) {
  std::vector<JsonMember> members;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = ValidUtf8(arena.Copy(route::DecodeForm(pair.substr(0, equals))), arena);
    const std::string_view value = pair.substr(std::min(pair.size(), equals + 1));
    members.push_back({name, Text(arena.Copy(route::DecodeForm(value)), arena)});
  }
  KeepFirstOfEachName(members);
  return Json::Object(arena, members);
}

Json FieldsObject(const http::Fields& fields, base::Arena& arena) {
  std::vector<JsonMember> members;
  for (const http::Field& field : fields) {
    members.push_back({field.name, Json()});
  }
  KeepFirstOfEachName(members);
  for (JsonMember& member : members)
    member.value = Text(*fields.Combined(member.name), arena);
  return Json::Object(arena, members);
}

template <typename Texts>
Json TextArray(const Texts& texts, base::Arena& arena) {
  std::vector<Json> items;
  for (const auto& text : texts)
    items.push_back(Text(text, arena));
  return Json::Array(arena, items);
}

// As a policy's principal.method spells it.
std::string_view MethodText(filter::IdentityMethod method) {
  switch (method) {
    case filter::IdentityMethod::kJwt:
      return "JWT";
    case filter::IdentityMethod::kApiKey:
      return "APIKey";
    case filter::IdentityMethod::kAnonymous:
      break;
  }
  return "Anonymous";
}

}  // namespace

Json RequestVariable(const http::RequestHead& head, const route::Target& target, base::Arena& arena) {
  const JsonMember members[] = {
      {"method", Text(head.method, arena)},
      {"scheme", Text(head.scheme, arena)},
      {"host", Text(route::HostOf(head.authority), arena)},
      {"path", Text(target.path, arena)},
      {"query", QueryObject(target.query, arena)},
      {"headers", FieldsObject(head.fields, arena)},
  };
  return Json::Object(arena, members);
}

Json IdentityVariable(const filter::Identity& identity, base::Arena& arena) {
  const JsonMember members[] = {
      {"anonymous", Json::Bool(identity.anonymous())},  {"method", Json::String(MethodText(identity.method))},
      {"subject", TextOrNull(identity.subject, arena)}, {"issuer", TextOrNull(identity.issuer, arena)},
      {"scopes", TextArray(identity.scopes, arena)},    {"consumer", TextOrNull(identity.consumer(), arena)},
      {"groups", TextArray(identity.groups, arena)},    {"claims", identity.claims},
  };
  return Json::Object(arena, members);
}

std::vector<std::pair<std::string, std::string>> TracingFields(const http::Fields& fields) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const http::FieldId id : {http::FieldId::kTraceparent, http::FieldId::kTracestate, http::FieldId::kXRequestId}) {
    if (const auto value = fields.Combined(http::FieldName(id))) out.emplace_back(http::FieldName(id), *value);
  }
  return out;
}

}  // namespace portico::downstream
