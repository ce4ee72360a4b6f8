#include "dataplane/filters/auth/jwt.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "api/base/text.h"
#include "dataplane/crypto/base64url.h"

namespace portico::auth {
namespace {

using base::Json;
using std::chrono::seconds;

constexpr uint64_t kDateMax = 253'402'300'799;  // the end of the year 9999, beyond which nobody can write a date
constexpr base::Duration kClockSkewMax = std::chrono::minutes(10);

struct Parts {
  std::string_view header, payload, signature;
  std::string_view signing_input;
};

std::optional<Parts> SplitToken(std::string_view token) {
  const size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

// Strict as what is signed must be: UTF-8, each name once (RFC 7515 section 4, RFC 7519 section 4), an object.
std::optional<Json> ParseObject(std::string_view text, base::Arena& arena) {
  absl::StatusOr<Json> json = base::ParseJson(text, arena,
                                              {.bytes_max = JwtVerifier::kTokenBytesMax,
                                               .depth_max = JwtVerifier::kDepthMax,
                                               .values_max = JwtVerifier::kValuesMax,
                                               .refuse_duplicate_names = true});
  if (!json.ok() || !json->is_object()) return std::nullopt;
  return *json;
}

// "" for a member that is not there; nullopt for one that is no string.
std::optional<std::string_view> StringMember(const Json& object, std::string_view name) {
  const Json* member = object.Find(name);
  if (member == nullptr) return "";
  if (!member->is_string()) return std::nullopt;
  return member->string();
}

JwtRefusal CheckHeader(const Json& header) {
  if (header.Find("crit") != nullptr || header.Find("b64") != nullptr) return JwtRefusal::kCriticalHeader;
  const std::optional<std::string_view> type = StringMember(header, "typ");
  if (!type || !StringMember(header, "kid") || !StringMember(header, "alg")) return JwtRefusal::kBadHeader;
  if (header.Find("cty") != nullptr) return JwtRefusal::kBadType;
  const bool known = base::EqualsIgnoreCase(*type, "JWT") || base::EqualsIgnoreCase(*type, "at+jwt") ||
                     base::EqualsIgnoreCase(*type, "application/at+jwt");
  return header.Find("typ") != nullptr && !known ? JwtRefusal::kBadType : JwtRefusal::kNone;
}

struct ChosenKey {
  JwtRefusal refusal = JwtRefusal::kNone;
  const Jwks::Key* key = nullptr;
};

// The key's own algorithm is what counts; the header may only agree with it (RFC 8725 section 3.1). So neither "none"
// nor an RSA public key used as an HMAC secret can come about.
ChosenKey ChooseKey(const Json& header, const Jwks& jwks) {
  ChosenKey chosen;
  if (const Json* kid = header.Find("kid")) {
    // An empty kid is one that no key has; Find("") would meet the key without a name.
    chosen.key = kid->string().empty() ? nullptr : jwks.Find(kid->string());
    if (chosen.key == nullptr) chosen.refusal = JwtRefusal::kUnknownKey;
  } else if (jwks.keys().size() == 1) {
    chosen.key = &jwks.keys().front();
  } else {
    chosen.refusal = JwtRefusal::kNoKeyName;
  }
  const Json* algorithm = header.Find("alg");
  const bool named = algorithm != nullptr && chosen.key != nullptr &&
                     algorithm->string() == crypto::SignatureAlgorithmName(chosen.key->key.algorithm());
  if (chosen.key != nullptr && !named) chosen.refusal = JwtRefusal::kBadAlgorithm;
  return chosen;
}

bool IsNone(const Json& header) {
  const Json* algorithm = header.Find("alg");
  return algorithm == nullptr || base::EqualsIgnoreCase(algorithm->string(), "none");
}

// One NumericDate; nullopt: not a whole number of seconds between 1970 and 9999, written as one.
std::optional<base::WallTime> ReadDate(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const std::optional<uint64_t> date = base::ParseDecimal(value.number_text());
  if (!date || *date > kDateMax) return std::nullopt;
  return base::WallTime(seconds(*date));
}

// An array of strings, or one string where `separator` divides ('\0': stands for itself). False: anything else.
bool ReadStrings(const Json& payload, std::string_view name, char separator, std::vector<std::string_view>& out) {
  const Json* member = payload.Find(name);
  if (member == nullptr) return true;
  if (member->is_string()) {
    if (separator == '\0') {
      out.push_back(member->string());
    } else {
      for (const std::string_view piece : base::Split(member->string(), separator)) {
        if (!piece.empty()) out.push_back(piece);
      }
    }
    return true;
  }
  if (!member->is_array()) return false;
  for (const Json& item : member->items()) {
    if (!item.is_string()) return false;
    out.push_back(item.string());
  }
  return true;
}

}  // namespace

// Payload text -> Claims, judged by the options at `now`.
class ClaimsReader {
 public:
  ClaimsReader(const JwtVerifier::Options& options, base::WallTime now) : options_(options), now_(now) {}

  JwtVerifier::Result Read(std::string_view payload) {
    const std::shared_ptr<Claims> claims(new Claims());
    const std::optional<Json> object = ParseObject(payload, claims->arena_);
    if (!object) return {JwtRefusal::kBadPayload, nullptr};
    claims->payload_ = *object;
    for (const auto step : {&ClaimsReader::ReadParties, &ClaimsReader::ReadDates, &ClaimsReader::ReadRights}) {
      const JwtRefusal refusal = (this->*step)(*claims);
      if (refusal != JwtRefusal::kNone) return {refusal, nullptr};
    }
    return {JwtRefusal::kNone, claims};
  }

 private:
  // iss, aud, sub and the client (RFC 7519 section 4.1, RFC 9068 section 2.2).
  JwtRefusal ReadParties(Claims& claims) {
    const Json& payload = claims.payload_;
    const auto issuer = StringMember(payload, "iss");
    const auto subject = StringMember(payload, "sub");
    const auto party = StringMember(payload, "azp");
    const auto client = StringMember(payload, "client_id");
    std::vector<std::string_view> audiences;
    if (!issuer || !subject || !party || !client || !ReadStrings(payload, "aud", '\0', audiences)) {
      return JwtRefusal::kBadClaim;
    }
    if (*issuer != options_.issuer) return JwtRefusal::kWrongIssuer;
    const auto ours = [&](std::string_view audience) {
      return std::ranges::find(options_.audiences, audience) != options_.audiences.end();
    };
    if (std::ranges::none_of(audiences, ours)) return JwtRefusal::kWrongAudience;
    claims.issuer_ = *issuer;
    claims.subject_ = *subject;
    claims.client_id_ = party->empty() ? *client : *party;
    return JwtRefusal::kNone;
  }

  JwtRefusal ReadDates(Claims& claims) {
    struct Date {
      const char* name;
      std::optional<base::WallTime> time;
    };
    Date dates[] = {{"exp", {}}, {"nbf", {}}, {"iat", {}}};
    for (Date& date : dates) {
      const Json* member = claims.payload_.Find(date.name);
      if (member == nullptr) continue;
      date.time = ReadDate(*member);
      if (!date.time) return JwtRefusal::kBadDate;
    }
    const auto& [expiry, not_before, issued] = dates;
    if (!expiry.time) return JwtRefusal::kNoExpiry;
    claims.valid_until_ = *expiry.time + options_.clock_skew;
    const base::WallTime epoch;
    claims.valid_from_ = std::max(not_before.time.value_or(epoch), issued.time.value_or(epoch)) - options_.clock_skew;
    if (now_ >= claims.valid_until_) return JwtRefusal::kExpired;
    if (not_before.time && now_ < *not_before.time - options_.clock_skew) return JwtRefusal::kNotYetValid;
    if (issued.time && now_ < *issued.time - options_.clock_skew) return JwtRefusal::kIssuedInFuture;
    return JwtRefusal::kNone;
  }

  // A claim of the wrong type is refused, not passed over: a rule that denies a group must not miss its member.
  JwtRefusal ReadRights(Claims& claims) {
    const Json& payload = claims.payload_;
    const bool good =
        ReadStrings(payload, "scope", ' ', claims.scopes_) && ReadStrings(payload, "scp", ' ', claims.scopes_) &&
        ReadStrings(payload, "groups", '\0', claims.groups_) && ReadStrings(payload, "roles", '\0', claims.roles_);
    return good ? JwtRefusal::kNone : JwtRefusal::kBadClaim;
  }

  const JwtVerifier::Options& options_;
  const base::WallTime now_;
};

std::string_view JwtRefusalText(JwtRefusal refusal) {
  switch (refusal) {
    case JwtRefusal::kNone:
      return "";
    case JwtRefusal::kTooLong:
      return "the token is too long";
    case JwtRefusal::kNotThreeParts:
      return "the token has not three parts";
    case JwtRefusal::kBadBase64:
      return "the token is not canonical base64url";
    case JwtRefusal::kBadHeader:
      return "the token's header is malformed";
    case JwtRefusal::kBadType:
      return "the token is of another type";
    case JwtRefusal::kCriticalHeader:
      return "the token's header needs an extension";
    case JwtRefusal::kBadAlgorithm:
      return "the token's algorithm is not the key's";
    case JwtRefusal::kUnknownKey:
      return "the token's key is unknown";
    case JwtRefusal::kNoKeyName:
      return "the token names no key";
    case JwtRefusal::kBadSignature:
      return "the token's signature is wrong";
    case JwtRefusal::kBadPayload:
      return "the token's payload is malformed";
    case JwtRefusal::kBadClaim:
      return "a claim has the wrong type";
    case JwtRefusal::kBadDate:
      return "a date is not a whole number of seconds";
    case JwtRefusal::kNoExpiry:
      return "the token has no expiry";
    case JwtRefusal::kExpired:
      return "the token has expired";
    case JwtRefusal::kNotYetValid:
      return "the token is not valid yet";
    case JwtRefusal::kIssuedInFuture:
      return "the token was issued in the future";
    case JwtRefusal::kWrongIssuer:
      return "the token is of another issuer";
    case JwtRefusal::kWrongAudience:
      return "the token is for another audience";
  }
  return "";
}

absl::StatusOr<JwtVerifier> JwtVerifier::Create(Options options) {
  if (options.issuer.empty()) return absl::InvalidArgumentError("a JWT verifier needs an issuer");
  if (options.audiences.empty()) return absl::InvalidArgumentError("a JWT verifier needs an audience");
  if (std::ranges::find(options.audiences, "") != options.audiences.end()) {
    return absl::InvalidArgumentError("an audience is empty");
  }
  if (options.jwks == nullptr) return absl::InvalidArgumentError("a JWT verifier needs keys");
  if (options.clock_skew < base::Duration(0) || options.clock_skew > kClockSkewMax) {
    return absl::InvalidArgumentError("the clock skew is not between 0 and 10 minutes");
  }
  return JwtVerifier(std::move(options));
}

JwtVerifier::Result JwtVerifier::Verify(std::string_view token, base::WallTime now) const {
  if (token.size() > kTokenBytesMax) return {JwtRefusal::kTooLong, nullptr};
  const std::optional<Parts> parts = SplitToken(token);
  if (!parts) return {JwtRefusal::kNotThreeParts, nullptr};
  const std::optional<std::string> header_text = crypto::DecodeBase64Url(parts->header);
  const std::optional<std::string> payload = crypto::DecodeBase64Url(parts->payload);
  const std::optional<std::string> signature = crypto::DecodeBase64Url(parts->signature);
  if (!header_text || !payload || !signature) return {JwtRefusal::kBadBase64, nullptr};
  base::Arena arena(1024);
  const std::optional<Json> header = ParseObject(*header_text, arena);
  if (!header) return {JwtRefusal::kBadHeader, nullptr};
  if (const JwtRefusal refusal = CheckHeader(*header); refusal != JwtRefusal::kNone) return {refusal, nullptr};
  if (IsNone(*header)) return {JwtRefusal::kBadAlgorithm, nullptr};
  const ChosenKey chosen = ChooseKey(*header, *options_.jwks);
  if (chosen.refusal != JwtRefusal::kNone) return {chosen.refusal, nullptr};
  // The payload is not parsed before its signature is known to be good.
  if (!chosen.key->key.Verify(parts->signing_input, *signature)) return {JwtRefusal::kBadSignature, nullptr};
  return ClaimsReader(options_, now).Read(*payload);
}

std::string JwtVerifier::UnverifiedIssuer(std::string_view token) {
  if (token.size() > kTokenBytesMax) return "";
  const std::optional<Parts> parts = SplitToken(token);
  if (!parts) return "";
  const std::optional<std::string> text = crypto::DecodeBase64Url(parts->payload);
  if (!text) return "";
  base::Arena arena(1024);
  const std::optional<Json> payload = ParseObject(*text, arena);
  return payload ? std::string(StringMember(*payload, "iss").value_or("")) : "";
}

}  // namespace portico::auth
