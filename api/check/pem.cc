#include "api/check/pem.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "api/base/text.h"
#include "api/check/key_pair.h"

namespace portico::check {
namespace {

using base::Concat;

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

absl::Status Invalid(const std::string& text) {
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// Base64 of RFC 4648 section 4 without white space, padded, unused bits zero.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && text.ends_with('='))
    text.remove_suffix(1), ++padding;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xff));
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

// The lines of a text one by one, without their end and trailing white space.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> Next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t'))
      line.remove_suffix(1);
    return line;
  }
  size_t number() const { return number_; }

 private:
  std::string_view rest_;
  size_t number_ = 0;
};

// Whether a label is one that may be told: a key that lost its line breaks would else stand in the error as its
// "label".
bool IsLabel(std::string_view label) {
  constexpr size_t kLabelBytesMax = 40;  // the longest that there is has 25
  return !label.empty() && label.size() <= kLabelBytesMax && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
  });
}

// "-----BEGIN X-----" -> "X".
std::optional<std::string_view> Boundary(std::string_view line, std::string_view start) {
  if (!line.starts_with(start)) return std::nullopt;
  line.remove_prefix(start.size());
  if (!line.ends_with(kDashes)) return std::nullopt;
  line.remove_suffix(kDashes.size());
  if (!IsLabel(line)) return std::nullopt;
  return line;
}

// What stands between BEGIN, whose line was read, and END.
absl::StatusOr<PemBlock> ParseBlock(std::string_view label, Lines& lines) {
  PemBlock block{.label = std::string(label), .der = {}, .encrypted = label == "ENCRYPTED PRIVATE KEY"};
  const size_t first_line = lines.number();
  std::string base64;
  while (const std::optional<std::string_view> line = lines.Next()) {
    if (const auto end = Boundary(*line, kEnd)) {
      if (*end != label) return Invalid(Concat("line ", lines.number(), ": END ", *end, " closes BEGIN ", label));
      if (block.encrypted) return block;
      std::optional<std::string> der = DecodeBase64(base64);
      if (!der) return Invalid(Concat("the ", label, " block at line ", first_line, " is not base64"));
      block.der = std::move(*der);
      return block;
    }
    // RFC 1421 section 4.6: headers, a name with a colon each, before the text. Only encryption has them.
    if (line->starts_with("Proc-Type:") && line->find("ENCRYPTED") != line->npos) block.encrypted = true;
    if (!block.encrypted) base64 += *line;
  }
  return Invalid(Concat("the ", label, " block at line ", first_line, " has no END"));
}

}  // namespace

absl::StatusOr<std::vector<PemBlock>> ParsePem(std::string_view text) {
  if (text.size() > kPemBytesMax) return Invalid(Concat("more than ", kPemBytesMax, " bytes"));
  std::vector<PemBlock> blocks;
  Lines lines(text);
  while (const std::optional<std::string_view> line = lines.Next()) {
    if (!line->starts_with(kDashes)) continue;
    const auto label = Boundary(*line, kBegin);
    if (!label) {
      return Invalid(
          Concat("line ", lines.number(), " is no BEGIN of a PEM block; does the block have its line breaks?"));
    }
    absl::StatusOr<PemBlock> block = ParseBlock(*label, lines);
    if (!block.ok()) return block.status();
    blocks.push_back(*std::move(block));
  }
  if (blocks.empty()) return Invalid("no PEM block (-----BEGIN …-----)");
  return blocks;
}

absl::StatusOr<std::vector<std::string>> ParseCertificatesPem(std::string_view text, size_t count_max) {
  absl::StatusOr<std::vector<PemBlock>> blocks = ParsePem(text);
  if (!blocks.ok()) return Invalid(Concat("certificate: ", base::ToStd(blocks.status().message())));
  if (blocks->size() > count_max) return Invalid(Concat("certificate: more than ", count_max, " certificates"));
  std::vector<std::string> certificates;
  for (PemBlock& block : *blocks) {
    if (block.label != "CERTIFICATE") return Invalid(Concat("certificate: a ", block.label, " block is among them"));
    certificates.push_back(std::move(block.der));
  }
  return certificates;
}

absl::StatusOr<PemBlock> ParsePrivateKeyPem(std::string_view text) {
  absl::StatusOr<std::vector<PemBlock>> blocks = ParsePem(text);
  if (!blocks.ok()) return Invalid(Concat("private key: ", base::ToStd(blocks.status().message())));
  std::optional<PemBlock> key;
  for (PemBlock& block : *blocks) {
    if (block.label == "EC PARAMETERS") continue;  // `openssl ecparam -genkey` writes it before the key
    if (block.encrypted) return Invalid("private key: it is encrypted; remove the passphrase (openssl pkey)");
    if (block.label != "PRIVATE KEY" && block.label != "RSA PRIVATE KEY" && block.label != "EC PRIVATE KEY") {
      return Invalid(Concat("private key: a ", block.label, " block is no private key"));
    }
    if (key) return Invalid("private key: there are several");
    key = std::move(block);
  }
  if (!key) return Invalid("private key: there is none");
  return *std::move(key);
}

}  // namespace portico::check
