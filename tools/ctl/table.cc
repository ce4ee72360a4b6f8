#include "tools/ctl/table.h"

#include <algorithm>

#include "api/base/json.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"

namespace portico::ctl {
namespace {

std::string Aligned(const Table& table) {
  std::vector<std::vector<std::string>> rows = table.rows;
  rows.insert(rows.begin(), table.heads);
  for (std::vector<std::string>& row : rows) {
    for (std::string& text : row)
      text = base::Printable(text);
  }
  std::vector<size_t> widths(table.heads.size());
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string Json(const Table& table) {
  std::string out = "[";
  for (const std::vector<std::string>& row : table.rows) {
    out += out.size() == 1 ? "\n  {" : ",\n  {";
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ", ";
      base::AppendJsonString(out, base::LowerAscii(table.heads[i]));
      out += ": ";
      base::AppendJsonString(out, row[i]);
    }
    out += '}';
  }
  return out + (table.rows.empty() ? "]\n" : "\n]\n");
}

std::string Yaml(const Table& table) {
  std::string out;
  for (const std::vector<std::string>& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += base::Concat(i == 0 ? "- " : "  ", base::LowerAscii(table.heads[i]), ": ", yaml::QuoteText(row[i]), "\n");
    }
  }
  return out.empty() ? "[]\n" : out;
}

}  // namespace

std::string Print(const Table& table, const std::string& format) {
  if (format == "json") return Json(table);
  return format == "yaml" ? Yaml(table) : Aligned(table);
}

}  // namespace portico::ctl
