#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_JWT_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_JWT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/arena.h"
#include "api/base/json.h"
#include "dataplane/base/time.h"
#include "dataplane/filters/auth/jwks.h"

namespace portico::auth {

// Why a token was refused. JwtRefusalText() gives words that are safe in error_description (RFC 6750 section 3) and in
// the log: they hold nothing from the token.
enum class JwtRefusal {
  kNone,
  kTooLong,         // over kTokenBytesMax
  kNotThreeParts,   // not a JWS in compact form (RFC 7515 section 7.1); five parts are a JWE
  kBadBase64,       // padding, other characters, unused bits that are not zero
  kBadHeader,       // not a JSON object, invalid UTF-8, a name twice, a member of the wrong type
  kBadType,         // `typ` other than JWT or at+jwt (RFC 8725 section 3.11), or any `cty`: a nested token
  kCriticalHeader,  // `crit` or `b64`: extensions, of which we know none (RFC 7515 section 4.1.11, RFC 7797)
  kBadAlgorithm,    // `alg` is none, unknown, or not the one of the key (RFC 8725 section 3.1)
  kUnknownKey,      // no key of this `kid`
  kNoKeyName,       // no `kid`, and the set has several keys
  kBadSignature,
  kBadPayload,  // as kBadHeader
  kBadClaim,    // a registered claim has the wrong type
  kBadDate,     // not a whole number of seconds from 0 to the year 9999
  kNoExpiry,    // no `exp`
  kExpired,
  kNotYetValid,     // `nbf` is to come
  kIssuedInFuture,  // `iat` is to come
  kWrongIssuer,
  kWrongAudience,
};
std::string_view JwtRefusalText(JwtRefusal refusal);

// What a good token says. Immutable; its views and `payload` live as long as it does.
class Claims {
 public:
  std::string_view issuer() const { return issuer_; }
  std::string_view subject() const { return subject_; }                    // "": no `sub`
  std::string_view client_id() const { return client_id_; }                // `azp`, else `client_id`; "": neither
  const std::vector<std::string_view>& scopes() const { return scopes_; }  // `scope` (RFC 8693 section 4.2), `scp`
  const std::vector<std::string_view>& groups() const { return groups_; }
  const std::vector<std::string_view>& roles() const { return roles_; }
  // The token is good at valid_from <= now < valid_until; the clock skew is in both.
  base::WallTime valid_from() const { return valid_from_; }
  base::WallTime valid_until() const { return valid_until_; }
  // All claims as they were written, for $identity.claims.
  const base::Json& payload() const { return payload_; }
  // Memory held, for whoever bounds a store of claims.
  size_t bytes() const { return sizeof *this + arena_.bytes(); }

 private:
  friend class ClaimsReader;
  Claims() : arena_(1024) {}

  base::Arena arena_;
  base::Json payload_;
  std::string_view issuer_, subject_, client_id_;
  std::vector<std::string_view> scopes_, groups_, roles_;
  base::WallTime valid_from_, valid_until_;
};

// Checks a JSON Web Token (RFC 7519) that is signed (RFC 7515). Pure: no clock, no cache. Immutable, any thread.
//
//   JwtVerifier::Result result = verifier.Verify(token, now);
//   if (result.claims == nullptr) Refuse(JwtRefusalText(result.refusal));
//
// Stricter than the RFC on purpose: `exp` is required, dates are whole numbers (RFC 7519 section 2 allows fractions,
// which no issuer writes and every reader rounds in its own way), and names must be unique (section 4 allows "the last
// one counts", which lets two readers see two tokens).
class JwtVerifier {
 public:
  static constexpr size_t kTokenBytesMax =
      8 * 1024;                               // a request's fields are bounded at 32 KiB; real tokens have 1 to 3
  static constexpr size_t kValuesMax = 1000;  // JSON values in a header or payload
  static constexpr size_t kDepthMax = 16;     // JSON nesting

  struct Options {
    std::string issuer;                  // equal to `iss`, byte for byte; not ""
    std::vector<std::string> audiences;  // `aud` must hold one of them; not empty, none ""
    std::shared_ptr<const Jwks> jwks;
    base::Duration clock_skew = std::chrono::seconds(30);  // 0 to 10 minutes, as AuthPolicy says
  };
  struct Result {
    JwtRefusal refusal = JwtRefusal::kNone;
    std::shared_ptr<const Claims> claims;  // nullptr: refused
  };

  // kInvalidArgument: an option outside of its bounds.
  static absl::StatusOr<JwtVerifier> Create(Options options);

  Result Verify(std::string_view token, base::WallTime now) const;

  const std::string& issuer() const { return options_.issuer; }

  // The `iss` that a token claims, unverified, "" if it can't be read: only to choose among verifiers, of which the
  // chosen one then checks everything.
  static std::string UnverifiedIssuer(std::string_view token);

 private:
  explicit JwtVerifier(Options options) : options_(std::move(options)) {}

  Options options_;
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_JWT_H_
