#ifndef PORTICO_DATAPLANE_HTTP_H2_FRAMES_FOR_TEST_H_
#define PORTICO_DATAPLANE_HTTP_H2_FRAMES_FOR_TEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Frames by hand (RFC 9113 section 4), so that the codecs are judged by bytes that no library of theirs has made. For
// tests only.
//
//   std::string input = std::string(kPreface) + Settings() + Headers(1, Get("/"), kEndStream);
//   for (const std::string& line : Describe(output)) …   // "RST_STREAM 1 code=1"

namespace portico::http::h2::frames {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Type : uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRstStream,
  kSettings,
  kPushPromise,
  kPing,
  kGoaway,
  kWindowUpdate,
  kContinuation
};
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;

using Lines = std::vector<std::pair<std::string, std::string>>;

inline std::string Number(uint32_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
  return out;
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload) {
  std::string out = Number(static_cast<uint32_t>(payload.size()), 3);
  out += Number(type, 1) + Number(flags, 1) + Number(id, 4);
  return out.append(payload);
}

// A string literal of HPACK without Huffman's code (RFC 7541 sections 5.1 and 5.2).
inline std::string Literal(std::string_view text) {
  std::string out;
  size_t size = text.size();
  if (size < 127) {
    out.push_back(static_cast<char>(size));
  } else {
    out.push_back(127);
    for (size -= 127; size >= 128; size /= 128)
      out.push_back(static_cast<char>(size % 128 + 128));
    out.push_back(static_cast<char>(size));
  }
  return out.append(text);
}

// Every line as a literal without indexing and with its own name (RFC 7541 section 6.2.2).
inline std::string Block(const Lines& lines) {
  std::string out;
  for (const auto& [name, value] : lines)
    out += std::string(1, '\0') + Literal(name) + Literal(value);
  return out;
}

// HEADERS with as many CONTINUATION as the block needs.
inline std::string Headers(uint32_t id, const Lines& lines, uint8_t flags = 0, size_t piece_bytes = 16384) {
  const std::string block = Block(lines);
  std::string out;
  size_t at = 0;
  do {
    const std::string piece = block.substr(at, piece_bytes);
    at += piece.size();
    const uint8_t last = at == block.size() ? kEndHeaders : 0;
    out += Frame(out.empty() ? kHeaders : kContinuation, last | (out.empty() ? flags : 0), id, piece);
  } while (at < block.size());
  return out;
}

inline std::string Data(uint32_t id, std::string_view content, uint8_t flags = 0) {
  return Frame(kData, flags, id, content);
}
inline std::string Settings() {
  return Frame(kSettings, 0, 0, "");
}
inline std::string Setting(uint16_t name, uint32_t value) {
  return Frame(kSettings, 0, 0, Number(name, 2) + Number(value, 4));
}
inline std::string Ping() {
  return Frame(kPing, 0, 0, "portico!");
}
inline std::string RstStream(uint32_t id, uint32_t code) {
  return Frame(kRstStream, 0, id, Number(code, 4));
}
inline std::string WindowUpdate(uint32_t id, uint32_t bytes) {
  return Frame(kWindowUpdate, 0, id, Number(bytes, 4));
}
inline std::string Goaway(uint32_t last_id, uint32_t code) {
  return Frame(kGoaway, 0, 0, Number(last_id, 4) + Number(code, 4));
}

inline Lines Request(std::string method, std::string path, Lines more = {}) {
  Lines lines = {{":method", method}, {":scheme", "https"}, {":authority", "a.test"}, {":path", path}};
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

inline uint32_t ReadNumber(std::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes)
    value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// Each frame of `output` in words: type, stream and what matters of it.
inline std::vector<std::string> Describe(std::string_view output) {
  static constexpr const char* kNames[] = {"DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
                                           "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
  std::vector<std::string> lines;
  while (output.size() >= 9) {
    const uint32_t size = ReadNumber(output.substr(0, 3));
    const auto type = static_cast<uint8_t>(output[3]);
    const auto flags = static_cast<uint8_t>(output[4]);
    std::string line =
        std::string(type < 10 ? kNames[type] : "UNKNOWN") + " " + std::to_string(ReadNumber(output.substr(5, 4)));
    const std::string_view payload = output.substr(9, size);
    if (type == kRstStream) line += " code=" + std::to_string(ReadNumber(payload));
    if (type == kGoaway) {
      line += " last=" + std::to_string(ReadNumber(payload.substr(0, 4)));
      line += " code=" + std::to_string(ReadNumber(payload.substr(4, 4)));
    }
    if (type == kWindowUpdate) line += " bytes=" + std::to_string(ReadNumber(payload));
    if (type == kData) line += " bytes=" + std::to_string(size);
    if ((type == kData || type == kHeaders) && (flags & kEndStream) != 0) line += " end";
    if ((type == kPing || type == kSettings) && (flags & kAck) != 0) line += " ack";
    lines.push_back(line);
    output.remove_prefix(9 + size);
  }
  return lines;
}

}  // namespace portico::http::h2::frames

#endif  // PORTICO_DATAPLANE_HTTP_H2_FRAMES_FOR_TEST_H_
