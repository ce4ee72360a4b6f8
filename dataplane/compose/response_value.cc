#include "dataplane/compose/response_value.h"

#include <algorithm>
#include <vector>

#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::compose {

bool IsJsonType(std::string_view content_type) {
  const std::string type = base::LowerAscii(base::TrimSpace(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" || type.ends_with("+json");
}

base::Json HeaderObject(const http::Fields& fields, base::Arena& arena) {
  std::vector<base::JsonMember> members;
  for (const http::Field& field : fields) {
    // Joined once, however often it comes: a hundred lines of one name would make a hundred copies of them all.
    const auto is_same = [&](const http::Field& other) { return other.name == field.name; };
    if (std::find_if(fields.begin(), &field, is_same) != &field) continue;
    const std::string_view value = *fields.Combined(field.name);
    if (base::IsUtf8(value)) members.push_back({field.name, base::Json::String(value)});
  }
  return base::Json::Object(arena, members);
}

base::Json ResponseObject(int status, const base::Json& headers, const base::Json& body, base::Arena& arena) {
  const base::Json code = status == 0 ? base::Json() : base::Json::Number(status);
  const base::JsonMember members[] = {{"status", code}, {"headers", headers}, {"body", body}};
  return base::Json::Object(arena, members);
}

std::string Shortened(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;
  return base::Concat(text.substr(0, size), "...");
}

}  // namespace portico::compose
