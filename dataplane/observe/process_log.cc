#include "dataplane/observe/process_log.h"

#include <array>
#include <utility>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "dataplane/observe/timestamp.h"

namespace portico::observe {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"error", "warning", "info", "debug"};
constexpr std::string_view kCut = "…";
// The time, the longest severity, their spaces, the mark of a cut and the line's end.
static_assert(ProcessLog::kTextBytesMax + 24 + 1 + 7 + 1 + kCut.size() + 1 <= LogOutput::kPieceBytesMax);

void AppendEscapedByte(std::string& out, char byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\x";
  out += kDigits[static_cast<uint8_t>(byte) >> 4];
  out += kDigits[static_cast<uint8_t>(byte) & 15];
}

// C0, DEL, and C1 (U+0080 to U+009F), which a terminal obeys too.
bool IsControl(std::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<uint8_t>(character[1]) < 0xa0;
}

// One character, or one byte that is none, as it is shown. Takes it from `text`.
std::string NextShown(std::string_view& text) {
  const size_t size = base::Utf8CharacterBytes(text);
  const std::string_view character = text.substr(0, size == 0 ? 1 : size);
  text.remove_prefix(character.size());
  if (size > 0 && !IsControl(character)) return std::string(character);
  std::string shown;
  for (const char byte : character)
    AppendEscapedByte(shown, byte);
  return shown;
}

void AppendShown(std::string& out, std::string_view text) {
  size_t room = ProcessLog::kTextBytesMax;
  while (!text.empty()) {
    const std::string shown = NextShown(text);
    if (shown.size() > room) {
      out += kCut;
      return;
    }
    room -= shown.size();
    out += shown;
  }
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  return kNames[static_cast<size_t>(severity)];
}

std::optional<Severity> ParseSeverity(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Severity>(i);
  return std::nullopt;
}

ProcessLog::ProcessLog(int fd, std::function<base::WallTime()> now) : now_(std::move(now)) {
  set_level(Severity::kInfo);
  absl::StatusOr<LogOutput> output = LogOutput::Share(fd);
  if (output.ok()) output_.emplace(*std::move(output));
}

std::string ProcessLog::Line(Severity severity, std::string_view text) const {
  std::string line;
  AppendTimestamp(line, now_());
  line += ' ';
  line += SeverityName(severity);
  line += ' ';
  AppendShown(line, text);
  line += '\n';
  return line;
}

void ProcessLog::Write(Severity severity, std::string_view text) {
  if (severity > level()) return;
  std::string line = Line(severity, text);
  shared::MutexLock lock(mutex_);
  if (!output_) return;
  if (dropped_ > 0 && WriteRest()) {
    rest_ = Line(Severity::kWarning, base::Concat("lines of this log that nobody read were dropped: ", dropped_));
    dropped_ = 0;
  }
  if (!WriteRest()) {
    ++dropped_;
    return;
  }
  rest_ = std::move(line);
  WriteRest();
}

// False: some of it has to wait. What fails is lost: there is nowhere to say so.
bool ProcessLog::WriteRest() {
  while (!rest_.empty()) {
    const LogOutput::Result result = output_->Write(rest_);
    if (result.would_wait()) return false;
    rest_.erase(0, result.error != 0 ? rest_.size() : result.written);
  }
  return true;
}

}  // namespace portico::observe
