#include "dataplane/observe/access_log.h"

#include <algorithm>
#include <array>

#include "api/base/hex.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "dataplane/observe/timestamp.h"

namespace portico::observe {
namespace {

constexpr std::string_view kCut = "…";

// Sorted. By custom the values of these are secrets: OAuth 2.0 (RFC 6749, RFC 6750 section 2.3) and common keys.
constexpr std::array<std::string_view, 16> kSecretNames = {
    "access_token", "api_key",  "apikey",        "assertion", "auth", "client_secret", "code",  "id_token",
    "key",          "password", "refresh_token", "secret",    "sig",  "signature",     "state", "token"};
constexpr size_t kSecretNameBytesMax = 256;  // as long as one that a policy names may be (api/check)
static_assert(std::is_sorted(kSecretNames.begin(), kSecretNames.end()));

// At most kLogFieldBytesMax bytes, whole characters of UTF-8 where it is UTF-8.
std::string_view Bounded(std::string_view text) {
  if (text.size() <= kLogFieldBytesMax) return text;
  size_t end = kLogFieldBytesMax;
  for (int i = 0; i < 3 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80; ++i)
    --end;
  return text.substr(0, end);
}

// The name as an origin would read it, however it was encoded: "%74oken" is token.
bool IsSecretName(std::string_view name, std::span<const std::string> more) {
  std::array<char, kSecretNameBytesMax> decoded;
  size_t size = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (size == decoded.size()) return false;
    char c = name[i] == '+' ? ' ' : name[i];
    if (c == '%' && i + 2 < name.size() && base::HexDigit(name[i + 1]) >= 0 && base::HexDigit(name[i + 2]) >= 0) {
      c = static_cast<char>(base::HexDigit(name[i + 1]) * 16 + base::HexDigit(name[i + 2]));
      i += 2;
    }
    decoded[size++] = base::LowerAscii(c);
  }
  const std::string_view text(decoded.data(), size);
  return std::binary_search(kSecretNames.begin(), kSecretNames.end(), text) ||
         std::find(more.begin(), more.end(), text) != more.end();
}

// One line under construction: {"a":"b","c":1}
class Line {
 public:
  explicit Line(std::string& out) : out_(out) { out_ += '{'; }

  void Text(std::string_view name, std::string_view text) {
    if (text.empty()) return;
    Name(name);
    const std::string_view bounded = Bounded(text);
    base::AppendJsonString(out_, bounded);
    Close(bounded.size() < text.size());
  }
  void Number(std::string_view name, uint64_t number) {
    Name(name);
    base::AppendTo(out_, number);
  }
  // Milliseconds with three places.
  void Milliseconds(std::string_view name, base::Duration duration) {
    Name(name);
    const auto us = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
    base::AppendTo(out_, us / 1000);
    out_ += '.';
    AppendDigits(out_, us % 1000, 3);
  }
  // RFC 3339, UTC, milliseconds.
  void Time(std::string_view name, base::WallTime time) {
    if (time == base::WallTime()) return;
    Name(name);
    out_ += '"';
    AppendTimestamp(out_, time);
    out_ += '"';
  }
  // A request target with the values of secret parameters left out. The bound is on what is shown.
  void Target(std::string_view name, std::string_view target, std::span<const std::string> secret_parameters) {
    if (target.empty()) return;
    Name(name);
    out_ += '"';
    room_ = kLogFieldBytesMax;
    const size_t question = target.find('?');
    Piece(target.substr(0, question));
    if (question != std::string_view::npos) Query(target.substr(question + 1), secret_parameters);
    out_ += '"';
    Close(room_ == 0);
  }
  // Names of steps are words (api/check).
  void Steps(std::string_view name, std::span<const StepRecord> steps) {
    if (steps.empty()) return;
    Name(name);
    out_ += '"';
    for (const StepRecord& step : steps) {
      if (out_.back() != '"') out_ += ' ';
      base::AppendTo(out_, step.name);
      out_ += '=';
      base::AppendTo(out_, step.outcome);
      if (!step.for_each || step.failed > step.items) continue;
      out_ += '(';
      if (step.failed > 0) base::AppendTo(out_, step.failed);
      if (step.failed > 0) out_ += '/';
      base::AppendTo(out_, step.items);
      out_ += ')';
    }
    out_ += '"';
  }
  void Flag(std::string_view name) {
    Name(name);
    out_ += "true";
  }
  void End() { out_ += "}\n"; }

 private:
  void Name(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  // Puts the mark of a cut inside the closing quote.
  void Close(bool cut) {
    if (!cut) return;
    out_.pop_back();
    out_ += kCut;
    out_ += '"';
  }
  // Escaped, without quotes of its own.
  void Piece(std::string_view text) {
    text = text.substr(0, room_);
    room_ -= text.size();
    const size_t begin = out_.size();
    base::AppendJsonString(out_, text);
    out_.erase(begin, 1);
    out_.pop_back();
  }
  void Query(std::string_view query, std::span<const std::string> secret_parameters) {
    char before = '?';
    while (room_ > 0) {
      const size_t end = query.find('&');
      Piece({&before, 1});
      Parameters(query.substr(0, end), secret_parameters);
      if (end == std::string_view::npos) return;
      query.remove_prefix(end + 1);
      before = '&';
    }
  }

  // Between two `&`. Some origins read a `;` there as another one: what follows a secret then may be more of it or not.
  void Parameters(std::string_view text, std::span<const std::string> secret_parameters) {
    while (true) {
      const size_t end = text.find(';');
      const std::string_view parameter = text.substr(0, end);
      const size_t equals = parameter.find('=');
      if (equals != std::string_view::npos && IsSecretName(parameter.substr(0, equals), secret_parameters)) {
        Piece(parameter.substr(0, equals + 1));
        return Piece("***");
      }
      Piece(parameter);
      if (end == std::string_view::npos) return;
      Piece(";");
      text.remove_prefix(end + 1);
    }
  }

  std::string& out_;
  size_t room_ = 0;
};

}  // namespace

void AppendAccessLogLine(const ExchangeRecord& record, std::string& out) {
  Line line(out);
  line.Time("time", record.start);
  line.Milliseconds("durationMs", record.duration);
  line.Text("client", record.client);
  line.Text("protocol", record.protocol);
  line.Text("tls", record.tls);
  line.Text("method", record.method);
  line.Text("scheme", record.scheme);
  line.Text("authority", record.authority);
  line.Target("target", record.target, record.secret_parameters);
  line.Number("status", static_cast<uint64_t>(std::max(record.status, 0)));
  line.Number("receivedBytes", record.received_bytes);
  line.Number("sentBytes", record.sent_bytes);
  line.Text("route", record.route);
  line.Text("rule", record.rule);
  line.Text("cluster", record.cluster);
  line.Text("endpoint", record.endpoint);
  if (record.attempts > 0) line.Number("attempts", static_cast<uint64_t>(record.attempts));
  line.Text("composition", record.composition);
  line.Steps("steps", record.steps);
  line.Text("retries", record.retries);
  line.Text("requestId", record.request_id);
  line.Text("traceId", record.trace_id);
  line.Text("spanId", record.span_id);
  line.Text("parentSpanId", record.parent_span);
  line.Text("cache", record.cache);
  line.Text("subject", record.subject);
  line.Text("consumer", record.consumer);
  line.Text("limit", record.limit);
  line.Text("limitOutcome", record.limit_outcome);
  line.Text("error", record.error);
  line.Text("reason", record.reason);
  if (record.aborted) line.Flag("aborted");
  line.End();
}

}  // namespace portico::observe
