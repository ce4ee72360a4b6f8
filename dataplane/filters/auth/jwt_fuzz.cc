// Two readings of one input. As a token: it is never good, since nobody knows the key. As payload behind a good
// signature: what the claims say must hold. As a key set: it is refused or usable.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/base/check.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/base64url.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/filters/auth/jwks.h"
#include "dataplane/filters/auth/jwt.h"

namespace portico::auth {
namespace {

constexpr std::string_view kSecret = "a secret of the fuzzer, 32 bytes or more";
const base::WallTime kNow{std::chrono::seconds(1'700'000'000)};

JwtVerifier MakeVerifier() {
  const std::string set = "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" + crypto::EncodeBase64Url(kSecret) + "\"}]}";
  return *JwtVerifier::Create(
      {.issuer = "i", .audiences = {"a"}, .jwks = std::make_shared<const Jwks>(*Jwks::Parse(set))});
}

std::string Sign(std::string_view payload) {
  const std::string input = crypto::EncodeBase64Url("{\"alg\":\"HS256\"}") + "." + crypto::EncodeBase64Url(payload);
  const crypto::Sha256Digest digest = crypto::HmacSha256(kSecret, input);
  return input + "." + crypto::EncodeBase64Url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace
}  // namespace portico::auth

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::auth;
  static const JwtVerifier verifier = MakeVerifier();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  PORTICO_CHECK(verifier.Verify(input, kNow).claims == nullptr, "a token without a signature was believed");
  JwtVerifier::UnverifiedIssuer(input);
  const JwtVerifier::Result result = verifier.Verify(Sign(input), kNow);
  PORTICO_CHECK((result.claims == nullptr) == (result.refusal != JwtRefusal::kNone));
  if (result.claims != nullptr) {
    PORTICO_CHECK(result.claims->issuer() == "i" && result.claims->payload().is_object());
    PORTICO_CHECK(result.claims->valid_from() <= kNow && kNow < result.claims->valid_until());
  }
  const auto jwks = Jwks::Parse(input);
  PORTICO_CHECK(!jwks.ok() || !jwks->keys().empty());
  return 0;
}
