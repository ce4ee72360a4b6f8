#include "dataplane/filters/auth/jwks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "dataplane/crypto/base64url.h"

namespace portico::auth {
namespace {

using base::Concat;
using base::Json;
using crypto::VerificationKey;

constexpr size_t kDepthMax = 16;
constexpr size_t kValuesMax = 10'000;
constexpr size_t kShownBytesMax = 40;

absl::Status Invalid(const std::string& text) {
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

// A text from the set as it may be shown in a message.
std::string Shown(std::string_view text) {
  std::string shown;
  base::AppendJsonString(shown, text.substr(0, kShownBytesMax));
  return shown;
}

// One key of the set on its way to a VerificationKey. A reason to pass it over lands in `warning`.
class JwkReader {
 public:
  JwkReader(const Json& jwk, size_t place) : jwk_(jwk), what_(Concat("keys[", place, "]")) {}

  // nullopt: passed over, see warning().
  absl::StatusOr<std::optional<Jwks::Key>> Read() {
    if (!jwk_.is_object()) return Error("is not an object");
    for (const char* name : {"kid", "use", "alg", "kty", "crv"}) {
      const Json* member = jwk_.Find(name);
      if (member != nullptr && !member->is_string()) return Error(Concat("member \"", name, "\" is not a string"));
    }
    if (jwk_.Find("kty") == nullptr) return Error("has no \"kty\"");
    const std::string_view kid = Text("kid");
    if (kid.size() > Jwks::kKidBytesMax) return Error(Concat("\"kid\" has more than ", Jwks::kKidBytesMax, " bytes"));
    if (jwk_.Find("kid") != nullptr && kid.empty()) return Error("\"kid\" is empty");
    if (absl::StatusOr<bool> ours = IsForUs(); !ours.ok() || !*ours) return Skipped(ours.status());
    if (jwk_.Find("d") != nullptr) return Error("is a private key (member \"d\"); only its public half belongs here");
    absl::StatusOr<VerificationKey> key = ReadKey();
    if (!key.ok()) return Error(base::ToStd(key.status().message()));
    if (absl::Status fits = CheckAlgorithm(*key); !fits.ok()) return fits;
    return Jwks::Key{std::string(kid), *std::move(key)};
  }

  const std::string& warning() const { return warning_; }

 private:
  std::string_view Text(std::string_view name) const {
    const Json* member = jwk_.Find(name);
    return member == nullptr ? std::string_view() : member->string();
  }

  absl::Status Error(std::string_view reason) const { return Invalid(Concat(what_, ": ", reason)); }

  static absl::StatusOr<std::optional<Jwks::Key>> Skipped(const absl::Status& status) {
    if (!status.ok()) return status;
    return std::optional<Jwks::Key>();
  }

  absl::StatusOr<bool> Skip(std::string_view reason) {
    warning_ = Concat(what_, " is passed over: ", reason);
    return false;
  }

  // Is it a key that checks signatures of a kind that we know (RFC 7517 sections 4.1 to 4.4)?
  absl::StatusOr<bool> IsForUs() {
    if (jwk_.Find("use") != nullptr && Text("use") != "sig") return Skip(Concat("\"use\" is ", Shown(Text("use"))));
    if (const Json* operations = jwk_.Find("key_ops")) {
      if (!operations->is_array()) return Error("member \"key_ops\" is not an array");
      const auto verifies = [](const Json& value) { return value.is_string() && value.string() == "verify"; };
      if (std::ranges::none_of(operations->items(), verifies)) return Skip("\"key_ops\" does not hold \"verify\"");
    }
    const std::string_view type = Text("kty");
    if (type != "RSA" && type != "EC" && type != "OKP" && type != "oct")
      return Skip(Concat("\"kty\" is ", Shown(type)));
    if (type == "EC" || type == "OKP") {
      if (jwk_.Find("crv") == nullptr) return Error("has no \"crv\"");
      if (Text("crv") != (type == "EC" ? "P-256" : "Ed25519")) return Skip(Concat("\"crv\" is ", Shown(Text("crv"))));
    }
    const std::string_view algorithm = Text("alg");
    const bool known = algorithm == "RS256" || algorithm == "ES256" || algorithm == "EdDSA" || algorithm == "HS256";
    if (jwk_.Find("alg") != nullptr && !known) return Skip(Concat("\"alg\" is ", Shown(algorithm)));
    return true;
  }

  absl::StatusOr<std::string> Component(std::string_view name) const {
    const Json* member = jwk_.Find(name);
    if (member == nullptr || !member->is_string()) return Invalid(Concat("member \"", name, "\" is not a string"));
    std::optional<std::string> bytes = crypto::DecodeBase64Url(member->string());
    if (!bytes) return Invalid(Concat("member \"", name, "\" is not canonical base64url"));
    return *std::move(bytes);
  }

  absl::StatusOr<VerificationKey> ReadKey() const {
    const std::string_view type = Text("kty");
    const bool pair = type == "RSA" || type == "EC";
    absl::StatusOr<std::string> first = Component(type == "RSA" ? "n" : type == "oct" ? "k" : "x");
    if (!first.ok()) return first.status();
    absl::StatusOr<std::string> second = pair ? Component(type == "RSA" ? "e" : "y") : std::string();
    if (!second.ok()) return second.status();
    if (type == "RSA") return VerificationKey::FromRsa(*first, *second);
    if (type == "EC") return VerificationKey::FromP256(*first, *second);
    return type == "OKP" ? VerificationKey::FromEd25519(*first) : VerificationKey::FromHmac(*first);
  }

  absl::Status CheckAlgorithm(const VerificationKey& key) const {
    if (jwk_.Find("alg") == nullptr) return absl::OkStatus();
    if (Text("alg") == crypto::SignatureAlgorithmName(key.algorithm())) return absl::OkStatus();
    return Error(Concat("\"alg\" ", Text("alg"), " does not fit \"kty\" ", Text("kty")));
  }

  const Json& jwk_;
  const std::string what_;
  std::string warning_;
};

}  // namespace

absl::StatusOr<Jwks> Jwks::Parse(std::string_view json) {
  base::Arena arena;
  absl::StatusOr<Json> set = base::ParseJson(
      json, arena,
      {.bytes_max = kBytesMax, .depth_max = kDepthMax, .values_max = kValuesMax, .refuse_duplicate_names = true});
  if (!set.ok()) return Invalid(Concat("JWKS: ", base::ToStd(set.status().message())));
  const Json* keys = set->Find("keys");
  if (keys == nullptr || !keys->is_array()) return Invalid("JWKS: no array \"keys\"");
  if (keys->items().size() > kKeysMax) return Invalid(Concat("JWKS: more than ", kKeysMax, " keys"));
  Jwks jwks;
  for (size_t place = 0; place < keys->items().size(); ++place) {
    JwkReader reader(keys->items()[place], place);
    absl::StatusOr<std::optional<Key>> key = reader.Read();
    if (!key.ok()) return Invalid(Concat("JWKS: ", base::ToStd(key.status().message())));
    if (!reader.warning().empty()) jwks.warnings_.push_back(reader.warning());
    if (!key->has_value()) continue;
    const auto same = [&](const Key& other) { return other.kid == (*key)->kid; };
    if (std::ranges::any_of(jwks.keys_, same)) {
      return Invalid((*key)->kid.empty() ? Concat("JWKS: keys[", place, "]: a second key without \"kid\"")
                                         : Concat("JWKS: keys[", place, "]: \"kid\" ", Shown((*key)->kid), " again"));
    }
    jwks.keys_.push_back(**std::move(key));
  }
  if (jwks.keys_.empty()) return Invalid("JWKS: no key that can check a signature");
  return jwks;
}

const Jwks::Key* Jwks::Find(std::string_view kid) const {
  const auto key = std::ranges::find(keys_, kid, &Key::kid);
  return key == keys_.end() ? nullptr : &*key;
}

}  // namespace portico::auth
