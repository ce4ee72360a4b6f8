#include "api/check/resource/jwks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/base/text.h"

namespace portico::check {
namespace {

using base::Concat;
using base::Json;

constexpr size_t kBytesMax = 65536;
constexpr size_t kDepthMax = 16;
constexpr size_t kValuesMax = 10'000;
constexpr size_t kKeysMax = 100;  // issuers publish 2 to 8
constexpr size_t kKidBytesMax = 256;
constexpr size_t kShownBytesMax = 40;

struct Component {
  std::string_view name;
  size_t bytes_least, bytes_most;
};

// A kind of key that checks signatures (RFC 7518 sections 3.1 and 6, RFC 8037): one algorithm and one curve each.
struct KeyKind {
  std::string_view kty, crv, alg;
  std::array<Component, 2> components;
};
constexpr KeyKind kKinds[] = {
    {"RSA", "", "RS256", {{{"n", 256, 1024}, {"e", 1, 4}}}},  // 2048 to 8192 bits
    {"EC", "P-256", "ES256", {{{"x", 32, 32}, {"y", 32, 32}}}},
    {"OKP", "Ed25519", "EdDSA", {{{"x", 32, 32}, {}}}},
    {"oct", "", "HS256", {{{"k", 32, 1024}, {}}}},
};

absl::Status Invalid(const std::string& text) {
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

std::string Shown(std::string_view text) {
  std::string shown;
  base::AppendJsonString(shown, text.substr(0, kShownBytesMax));
  return shown;
}

// 0 to 63; 64: no letter of RFC 4648 section 5.
size_t Base64UrlValue(char c) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return std::min(kLetters.find(c), kLetters.size());
}

// How many bytes a canonical base64url text without padding stands for (RFC 7515 section 2).
std::optional<size_t> Base64UrlBytes(std::string_view text) {
  const size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  if (std::ranges::any_of(text, [](char c) { return Base64UrlValue(c) == 64; })) return std::nullopt;
  // The last letter's bits below the last byte are zero.
  const size_t unused = rest == 2 ? 0x0f : rest == 3 ? 0x03 : 0;
  if (unused != 0 && (Base64UrlValue(text.back()) & unused) != 0) return std::nullopt;
  return text.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1);
}

class KeyReader {
 public:
  explicit KeyReader(const Json& key) : key_(key) {}

  // Why it is wrong; nullopt: nothing is.
  std::optional<std::string> Wrong() {
    if (!key_.is_object()) return "is not an object";
    for (const char* name : {"kid", "use", "alg", "kty", "crv"}) {
      const Json* member = key_.Find(name);
      if (member != nullptr && !member->is_string()) return Concat("member \"", name, "\" is not a string");
    }
    if (key_.Find("kty") == nullptr) return "has no \"kty\"";
    if (Text("kid").size() > kKidBytesMax) return Concat("\"kid\" has more than ", kKidBytesMax, " bytes");
    if (key_.Find("kid") != nullptr && Text("kid").empty()) return "\"kid\" is empty";
    if (std::optional<std::string> wrong = Purpose()) return wrong;
    return passed_over_.empty() ? WrongKey() : std::nullopt;
  }

  // After Wrong(): why the key is not for us, "" if it is.
  const std::string& passed_over() const { return passed_over_; }
  std::string_view kid() const { return Text("kid"); }

 private:
  std::string_view Text(std::string_view name) const {
    const Json* member = key_.Find(name);
    return member == nullptr ? std::string_view() : member->string();
  }

  // Does it check signatures of a kind that we know (RFC 7517 sections 4.1 to 4.4)? If not, passed_over_ says why.
  std::optional<std::string> Purpose() {
    if (key_.Find("use") != nullptr && Text("use") != "sig") return PassOver(Concat("\"use\" is ", Shown(Text("use"))));
    if (const Json* operations = key_.Find("key_ops")) {
      if (!operations->is_array()) return "member \"key_ops\" is not an array";
      const auto verifies = [](const Json& value) { return value.is_string() && value.string() == "verify"; };
      if (std::ranges::none_of(operations->items(), verifies)) {
        return PassOver("\"key_ops\" does not hold \"verify\"");
      }
    }
    const auto* kind = std::ranges::find(kKinds, Text("kty"), &KeyKind::kty);
    if (kind == std::end(kKinds)) return PassOver(Concat("\"kty\" is ", Shown(Text("kty"))));
    if (!kind->crv.empty() && key_.Find("crv") == nullptr) return "has no \"crv\"";
    if (!kind->crv.empty() && Text("crv") != kind->crv) return PassOver(Concat("\"crv\" is ", Shown(Text("crv"))));
    const bool known = std::ranges::find(kKinds, Text("alg"), &KeyKind::alg) != std::end(kKinds);
    if (key_.Find("alg") != nullptr && !known) return PassOver(Concat("\"alg\" is ", Shown(Text("alg"))));
    return std::nullopt;
  }
  std::nullopt_t PassOver(std::string reason) {
    passed_over_ = std::move(reason);
    return std::nullopt;
  }

  std::optional<std::string> WrongKey() const {
    if (key_.Find("d") != nullptr) return "is a private key (member \"d\"); only its public half belongs here";
    const KeyKind& kind = *std::ranges::find(kKinds, Text("kty"), &KeyKind::kty);
    for (const Component& component : kind.components) {
      if (component.name.empty()) continue;
      const Json* member = key_.Find(component.name);
      if (member == nullptr || !member->is_string()) return Concat("member \"", component.name, "\" is not a string");
      const std::optional<size_t> bytes = Base64UrlBytes(member->string());
      if (!bytes) return Concat("member \"", component.name, "\" is not canonical base64url");
      const auto [name, least, most] = component;
      if (*bytes < least || *bytes > most) {
        return Concat("member \"", name, "\" has ", *bytes, " bytes, not ", least,
                      least == most ? "" : Concat(" to ", most));
      }
    }
    if (key_.Find("alg") == nullptr || Text("alg") == kind.alg) return std::nullopt;
    return Concat("\"alg\" ", Text("alg"), " does not fit \"kty\" ", kind.kty);
  }

  const Json& key_;
  std::string passed_over_;
};

}  // namespace

absl::Status CheckJwks(std::string_view text) {
  base::Arena arena;
  const absl::StatusOr<Json> set = base::ParseJson(
      text, arena,
      {.bytes_max = kBytesMax, .depth_max = kDepthMax, .values_max = kValuesMax, .refuse_duplicate_names = true});
  if (!set.ok()) return Invalid(Concat("is no JSON: ", base::ToStd(set.status().message())));
  const Json* keys = set->Find("keys");
  if (keys == nullptr || !keys->is_array()) return Invalid("must be an object with an array \"keys\"");
  if (keys->items().size() > kKeysMax) return Invalid(Concat("must have at most ", kKeysMax, " keys"));
  std::set<std::string_view> names;
  std::string passed_over;
  for (size_t place = 0; place < keys->items().size(); ++place) {
    KeyReader reader(keys->items()[place]);
    const std::string what = Concat("keys[", place, "]: ");
    if (const std::optional<std::string> wrong = reader.Wrong()) return Invalid(Concat(what, *wrong));
    if (!reader.passed_over().empty()) {
      passed_over += Concat("; ", what, reader.passed_over());
    } else if (!names.insert(reader.kid()).second) {
      return Invalid(reader.kid().empty() ? Concat(what, "is a second key without \"kid\"")
                                          : Concat(what, "\"kid\" ", Shown(reader.kid()), " is there already"));
    }
  }
  if (names.empty()) return Invalid(Concat("has no key that can check a signature", passed_over));
  return absl::OkStatus();
}

}  // namespace portico::check
