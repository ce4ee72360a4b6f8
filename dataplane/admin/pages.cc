#include "dataplane/admin/pages.h"

#include <array>
#include <utility>

#include "api/base/text.h"
#include "dataplane/net/address.h"

namespace portico::admin {
namespace {

struct Row {
  Page page;
  std::string_view path;
  std::string_view shows;
  bool for_probes;
};

constexpr std::array<Row, 7> kRows = {{
    {Page::kIndex, "/", "this list", true},
    {Page::kReady, "/ready",
     "200 while the proxy takes requests, 503 while it starts and while it drains; which ports are missing", true},
    {Page::kLive, "/live", "200 as long as the main thread answers", true},
    {Page::kMetrics, "/metrics", "numbers about the traffic, for Prometheus", true},
    {Page::kSnapshot, "/snapshot", "the configuration in force, without its secrets (YAML)", false},
    {Page::kClusters, "/clusters", "each cluster's endpoints, connections and calls (JSON)", false},
    {Page::kLogLevel, "/log_level", "how much the process's log says", false},
}};
constexpr size_t kPathColumn = 12;

constexpr std::string_view kLevelQuery = "level=";

bool Has(const Access& access, const Row& row) {
  return access.pages == Pages::kAll || row.for_probes;
}

const Row* FindRow(std::string_view path, const Access& access) {
  for (const Row& row : kRows)
    if (row.path == path && Has(access, row)) return &row;
  return nullptr;
}

// Whether a host can only mean this machine, however names are resolved: an address, or localhost (RFC 6761 section
// 6.3). "" comes from HTTP/1.0, which no browser speaks.
bool IsOwnHost(std::string_view authority) {
  if (authority.empty() || net::Address::ParseWithPort(authority).ok() || net::Address::Parse(authority, 0).ok())
    return true;
  if (authority.starts_with('[') && authority.ends_with(']')) return true;  // an IP literal, says the codec
  const std::string_view host = authority.substr(0, authority.find(':'));
  return host == "localhost" || host.ends_with(".localhost");
}

filter::Reply MethodRefused(const Row& row) {
  const std::string_view allowed = row.page == Page::kLogLevel ? "GET, HEAD, PUT" : "GET, HEAD";
  filter::Reply reply = TextReply(405, base::Concat(row.path, " takes ", allowed, "\n"));
  reply.fields.emplace_back("allow", allowed);
  return reply;
}

std::variant<PageRequest, filter::Reply> DecideChange(const Row& row, std::string_view query, const Access& access) {
  if (access.read_only) return TextReply(403, "this address changes nothing; ask on the machine itself, on loopback\n");
  const auto level =
      query.starts_with(kLevelQuery) ? observe::ParseSeverity(query.substr(kLevelQuery.size())) : std::nullopt;
  if (!level) return TextReply(400, "say ?level=error, warning, info or debug\n");
  return PageRequest{row.page, level};
}

}  // namespace

std::variant<PageRequest, filter::Reply> Decide(std::string_view method, std::string_view authority,
                                                std::string_view target, const Access& access) {
  if (access.loopback && !IsOwnHost(authority)) {
    return TextReply(403, "the host must be an IP address or localhost: a name could be anybody's\n");
  }
  const size_t question = target.find('?');
  const Row* row = FindRow(target.substr(0, question), access);
  if (row == nullptr) return TextReply(404, base::Concat("there is no such page; there are\n\n", IndexText(access)));
  if (method == "PUT" && row->page == Page::kLogLevel) {
    return DecideChange(*row, question == std::string_view::npos ? "" : target.substr(question + 1), access);
  }
  if (method != "GET" && method != "HEAD") return MethodRefused(*row);
  return PageRequest{row->page, std::nullopt};
}

std::string IndexText(const Access& access) {
  std::string text;
  for (const Row& row : kRows) {
    if (!Has(access, row)) continue;
    base::AppendTo(text, row.path);
    text.append(kPathColumn - row.path.size(), ' ');
    base::AppendTo(text, row.shows);
    if (row.page == Page::kLogLevel && !access.read_only) {
      base::AppendTo(text, "; change it by PUT /log_level?level=debug (error, warning, info)");
    }
    text += '\n';
  }
  return text;
}

filter::Reply TextReply(int status, std::string content) {
  filter::Reply reply = MediaReply("text/plain; charset=utf-8", std::move(content));
  reply.status = status;
  return reply;
}

filter::Reply MediaReply(std::string_view media_type, std::string content) {
  return {.status = 200,
          .fields = {{"content-type", std::string(media_type)},
                     {"cache-control", "no-store"},
                     {"x-content-type-options", "nosniff"}},
          .content = std::move(content),
          .reason = {}};
}

}  // namespace portico::admin
