#include "dataplane/filters/auth/jwt.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/base64url.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/crypto/test_signer.h"
#include "dataplane/crypto/verification_key.h"
#include "dataplane/filters/auth/jwks.h"
#include "dataplane/filters/auth/jwt_cache.h"

namespace portico::auth {
namespace {

using base::Concat;
using crypto::EncodeBase64Url;
using crypto::SignatureAlgorithm;
using crypto::TestSigner;
using std::chrono::seconds;

const base::WallTime kNow{seconds(1'700'000'000)};

base::WallTime At(int64_t second) {
  return base::WallTime(seconds(second));
}

std::string Set(const std::vector<std::string>& jwks) {
  return Concat("{\"keys\":[", base::Join(jwks, ","), "]}");
}

JwtVerifier Verifier(const std::vector<std::string>& jwks) {
  absl::StatusOr<Jwks> set = Jwks::Parse(Set(jwks));
  EXPECT_TRUE(set.ok()) << set.status();
  return *JwtVerifier::Create({.issuer = "https://id.example",
                               .audiences = {"shop", "other"},
                               .jwks = std::make_shared<const Jwks>(*std::move(set)),
                               .clock_skew = seconds(30)});
}

// A payload that is good at kNow, with more members at its end.
std::string Payload(std::string_view more = "") {
  return Concat("{\"iss\":\"https://id.example\",\"sub\":\"alice\",\"aud\":\"shop\",\"exp\":1700000100", more, "}");
}

constexpr char kHeader[] = "{\"alg\":\"HS256\",\"kid\":\"h\",\"typ\":\"JWT\"}";

class JwtTest : public testing::Test {
 protected:
  JwtRefusal Verify(std::string_view token, base::WallTime now = kNow) { return verifier_.Verify(token, now).refusal; }

  const TestSigner hmac_{SignatureAlgorithm::kHs256};
  const TestSigner rsa_{SignatureAlgorithm::kRs256};
  const TestSigner ecdsa_{SignatureAlgorithm::kEs256};
  const TestSigner eddsa_{SignatureAlgorithm::kEdDsa};
  const JwtVerifier verifier_ = Verifier({hmac_.Jwk("h"), rsa_.Jwk("r"), ecdsa_.Jwk("e"), eddsa_.Jwk("d")});
};

TEST_F(JwtTest, AcceptsEachAlgorithmAndOnlyWithItsKey) {
  const std::pair<std::string, const TestSigner*> signers[] = {
      {"h", &hmac_}, {"r", &rsa_}, {"e", &ecdsa_}, {"d", &eddsa_}};
  for (const auto& [kid, signer] : signers) {
    for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
      SCOPED_TRACE(Concat(kid, " as ", algorithm));
      const std::string header = Concat("{\"alg\":\"", algorithm, "\",\"kid\":\"", kid, "\"}");
      const bool own = crypto::SignatureAlgorithmName(signer->algorithm()) == algorithm;
      EXPECT_EQ(Verify(signer->Token(header, Payload())), own ? JwtRefusal::kNone : JwtRefusal::kBadAlgorithm);
    }
  }
}

TEST_F(JwtTest, RefusesConfusedAlgorithm) {
  // The attack: the public key, which everybody has, as the HMAC secret.
  const std::string input =
      Concat(EncodeBase64Url("{\"alg\":\"HS256\",\"kid\":\"r\"}"), ".", EncodeBase64Url(Payload()));
  const crypto::Sha256Digest digest = crypto::HmacSha256(rsa_.Jwk("r"), input);
  const std::string signature = EncodeBase64Url({reinterpret_cast<const char*>(digest.data()), digest.size()});
  EXPECT_EQ(Verify(Concat(input, ".", signature)), JwtRefusal::kBadAlgorithm);
}

TEST_F(JwtTest, JudgesHeaders) {
  struct Row {
    std::string_view name;
    std::string header;
    JwtRefusal refusal;
  };
  const Row rows[] = {
      {"good", kHeader, JwtRefusal::kNone},
      {"no typ", R"({"alg":"HS256","kid":"h"})", JwtRefusal::kNone},
      {"access token", R"({"alg":"HS256","kid":"h","typ":"at+JWT"})", JwtRefusal::kNone},
      {"another member", R"({"alg":"HS256","kid":"h","x5t":"abc"})", JwtRefusal::kNone},
      {"alg none", R"({"alg":"none","kid":"h"})", JwtRefusal::kBadAlgorithm},
      {"alg NONE", R"({"alg":"NONE"})", JwtRefusal::kBadAlgorithm},
      {"no alg", R"({"kid":"h"})", JwtRefusal::kBadAlgorithm},
      {"alg in lower case", R"({"alg":"hs256","kid":"h"})", JwtRefusal::kBadAlgorithm},
      {"alg HS512", R"({"alg":"HS512","kid":"h"})", JwtRefusal::kBadAlgorithm},
      {"alg not a string", R"({"alg":["HS256"],"kid":"h"})", JwtRefusal::kBadHeader},
      {"unknown kid", R"({"alg":"HS256","kid":"x"})", JwtRefusal::kUnknownKey},
      {"empty kid", R"({"alg":"HS256","kid":""})", JwtRefusal::kUnknownKey},
      {"no kid", R"({"alg":"HS256"})", JwtRefusal::kNoKeyName},
      {"kid not a string", R"({"alg":"HS256","kid":1})", JwtRefusal::kBadHeader},
      {"crit", R"({"alg":"HS256","kid":"h","crit":["exp"]})", JwtRefusal::kCriticalHeader},
      {"empty crit", R"({"alg":"HS256","kid":"h","crit":[]})", JwtRefusal::kCriticalHeader},
      {"b64", R"({"alg":"HS256","kid":"h","b64":false})", JwtRefusal::kCriticalHeader},
      {"b64 true", R"({"alg":"HS256","kid":"h","b64":true})", JwtRefusal::kCriticalHeader},
      {"another typ", R"({"alg":"HS256","kid":"h","typ":"logout+jwt"})", JwtRefusal::kBadType},
      {"empty typ", R"({"alg":"HS256","kid":"h","typ":""})", JwtRefusal::kBadType},
      {"typ not a string", R"({"alg":"HS256","kid":"h","typ":1})", JwtRefusal::kBadHeader},
      {"nested", R"({"alg":"HS256","kid":"h","cty":"JWT"})", JwtRefusal::kBadType},
      {"a name twice", R"({"alg":"none","alg":"HS256","kid":"h"})", JwtRefusal::kBadHeader},
      {"a name twice, escaped", R"({"alg":"HS256","\u0061lg":"none","kid":"h"})", JwtRefusal::kBadHeader},
      {"array", R"(["HS256"])", JwtRefusal::kBadHeader},
      {"text after it", R"({"alg":"HS256","kid":"h"} x)", JwtRefusal::kBadHeader},
      {"invalid UTF-8", "{\"alg\":\"HS256\",\"kid\":\"h\",\"x\":\"\xff\"}", JwtRefusal::kBadHeader},
      {"empty", "", JwtRefusal::kBadHeader},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Verify(hmac_.Token(row.header, Payload())), row.refusal);
  }
}

TEST_F(JwtTest, JudgesPayloads) {
  const std::string parties = R"("iss":"https://id.example","aud":"shop")";
  const auto expiry = [&](std::string_view date) { return Concat("{", parties, ",\"exp\":", date, "}"); };
  const auto audience = [](std::string_view text) {
    return Concat("{\"iss\":\"https://id.example\",\"exp\":1700000100", text, "}");
  };
  struct Row {
    std::string_view name;
    std::string payload;
    JwtRefusal refusal;
  };
  const Row rows[] = {
      {"good", Payload(), JwtRefusal::kNone},
      {"no exp", Concat("{", parties, "}"), JwtRefusal::kNoExpiry},
      {"exp fractional", expiry("1700000100.5"), JwtRefusal::kBadDate},
      {"exp fractional zero", expiry("1700000100.0"), JwtRefusal::kBadDate},
      {"exp with exponent", expiry("17e8"), JwtRefusal::kBadDate},
      {"exp negative", expiry("-1"), JwtRefusal::kBadDate},
      {"exp minus zero", expiry("-0"), JwtRefusal::kBadDate},
      {"exp a string", expiry("\"1700000100\""), JwtRefusal::kBadDate},
      {"exp null", expiry("null"), JwtRefusal::kBadDate},
      {"exp in the year 9999", expiry("253402300799"), JwtRefusal::kNone},
      {"exp in the year 10000", expiry("253402300800"), JwtRefusal::kBadDate},
      {"exp over 64 bits", expiry("99999999999999999999999"), JwtRefusal::kBadDate},
      {"exp huge", expiry("1e400"), JwtRefusal::kBadDate},
      {"nbf fractional", Payload(",\"nbf\":1.5"), JwtRefusal::kBadDate},
      {"iat a string", Payload(",\"iat\":\"1\""), JwtRefusal::kBadDate},
      {"aud array", audience(R"(,"aud":["x","other"])"), JwtRefusal::kNone},
      {"aud absent", audience(""), JwtRefusal::kWrongAudience},
      {"aud of others", audience(R"(,"aud":["x","y"])"), JwtRefusal::kWrongAudience},
      {"aud only begins so", audience(R"(,"aud":"shopping")"), JwtRefusal::kWrongAudience},
      {"aud empty array", audience(R"(,"aud":[])"), JwtRefusal::kWrongAudience},
      {"aud a number", audience(R"(,"aud":1)"), JwtRefusal::kBadClaim},
      {"aud holds a number", audience(R"(,"aud":["shop",1])"), JwtRefusal::kBadClaim},
      {"iss of others", R"({"iss":"https://id.example/","aud":"shop","exp":1700000100})", JwtRefusal::kWrongIssuer},
      {"iss absent", R"({"aud":"shop","exp":1700000100})", JwtRefusal::kWrongIssuer},
      {"iss not a string", R"({"iss":["https://id.example"],"aud":"shop","exp":1700000100})", JwtRefusal::kBadClaim},
      {"sub not a string", R"({"iss":"https://id.example","sub":1,"aud":"shop","exp":1700000100})",
       JwtRefusal::kBadClaim},
      {"groups of the wrong type", Payload(",\"groups\":{\"a\":1}"), JwtRefusal::kBadClaim},
      {"groups hold a number", Payload(",\"groups\":[\"a\",1]"), JwtRefusal::kBadClaim},
      {"a name twice", Payload(",\"sub\":\"bob\""), JwtRefusal::kBadPayload},
      {"a name twice, deep", Payload(",\"x\":{\"a\":1,\"a\":2}"), JwtRefusal::kBadPayload},
      {"invalid UTF-8", Payload(",\"x\":\"\xc3\x28\""), JwtRefusal::kBadPayload},
      {"lone surrogate", Payload(",\"x\":\"\\ud800\""), JwtRefusal::kBadPayload},
      {"too deep", Payload(Concat(",\"x\":", std::string(20, '['), std::string(20, ']'))), JwtRefusal::kBadPayload},
      {"array", "[]", JwtRefusal::kBadPayload},
      {"string", "\"shop\"", JwtRefusal::kBadPayload},
      {"empty", "", JwtRefusal::kBadPayload},
      {"not JSON", "hello", JwtRefusal::kBadPayload},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Verify(hmac_.Token(kHeader, row.payload)), row.refusal);
  }
}

TEST_F(JwtTest, JudgesDatesWithSkew) {
  const std::string token = hmac_.Token(kHeader, Payload());  // exp 1700000100, skew 30
  const std::string later = hmac_.Token(kHeader, Payload(",\"nbf\":1700000050"));
  const std::string issued = hmac_.Token(kHeader, Payload(",\"iat\":1700000050"));
  struct Row {
    std::string_view name;
    const std::string& token;
    int64_t now;
    JwtRefusal refusal;
  };
  const Row rows[] = {
      {"before exp", token, 1700000099, JwtRefusal::kNone},
      {"at exp, within the skew", token, 1700000100, JwtRefusal::kNone},
      {"last second", token, 1700000129, JwtRefusal::kNone},
      {"expired", token, 1700000130, JwtRefusal::kExpired},
      {"long expired", token, 1800000000, JwtRefusal::kExpired},
      {"before nbf", later, 1700000019, JwtRefusal::kNotYetValid},
      {"nbf within the skew", later, 1700000020, JwtRefusal::kNone},
      {"iat in the future", issued, 1700000019, JwtRefusal::kIssuedInFuture},
      {"iat within the skew", issued, 1700000020, JwtRefusal::kNone},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Verify(row.token, At(row.now)), row.refusal);
  }
}

TEST_F(JwtTest, JudgesTheTokensForm) {
  const std::string good = hmac_.Token(kHeader, Payload());
  const std::string unsigned_part = good.substr(0, good.rfind('.') + 1);
  std::string last_bit = good;  // 32 bytes end in two unused bits
  last_bit.back() = last_bit.back() == 'A' ? 'B' : static_cast<char>(last_bit.back() + 1);
  struct Row {
    std::string_view name;
    std::string token;
    JwtRefusal refusal;
  };
  const Row rows[] = {
      {"empty", "", JwtRefusal::kNotThreeParts},
      {"two parts", unsigned_part.substr(0, unsigned_part.size() - 1), JwtRefusal::kNotThreeParts},
      {"four parts", good + ".", JwtRefusal::kNotThreeParts},
      {"JWE", "a.b.c.d.e", JwtRefusal::kNotThreeParts},
      {"no signature", unsigned_part, JwtRefusal::kBadSignature},
      {"padded", good + "=", JwtRefusal::kBadBase64},
      {"space at its end", good + " ", JwtRefusal::kBadBase64},
      {"unused bits set", last_bit, JwtRefusal::kBadBase64},
      {"dots only", "..", JwtRefusal::kBadHeader},
      {"too long", std::string(JwtVerifier::kTokenBytesMax + 1, 'a'), JwtRefusal::kTooLong},
      {"as long as can be", std::string(JwtVerifier::kTokenBytesMax, 'a'), JwtRefusal::kNotThreeParts},
      {"signature of another", unsigned_part + EncodeBase64Url(std::string(32, 'x')), JwtRefusal::kBadSignature},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Verify(row.token), row.refusal);
  }
}

TEST_F(JwtTest, RefusesEveryTruncationAndEveryChange) {
  const std::pair<std::string, const TestSigner*> signers[] = {{R"({"alg":"HS256","kid":"h"})", &hmac_},
                                                               {R"({"alg":"ES256","kid":"e"})", &ecdsa_}};
  for (const auto& [header, signer] : signers) {
    const std::string good = signer->Token(header, Payload());
    ASSERT_EQ(Verify(good), JwtRefusal::kNone);
    for (size_t i = 0; i < good.size(); ++i) {
      EXPECT_NE(Verify(good.substr(0, i)), JwtRefusal::kNone) << "cut at " << i;
      std::string changed = good;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      EXPECT_NE(Verify(changed), JwtRefusal::kNone) << "changed at " << i;
    }
  }
}

TEST_F(JwtTest, RefusesEcdsaSignaturesOfOtherForms) {
  const std::string input = Concat(EncodeBase64Url(R"({"alg":"ES256","kid":"e"})"), ".", EncodeBase64Url(Payload()));
  const std::string der("\x30\x06\x02\x01\x01\x02\x01\x01", 8);
  for (const std::string& signature :
       {std::string(64, '\0'), std::string(63, 'x'), std::string(65, 'x'), der, std::string(64, '\xff')}) {
    EXPECT_EQ(Verify(Concat(input, ".", EncodeBase64Url(signature))), JwtRefusal::kBadSignature);
  }
}

TEST_F(JwtTest, OneKeyNeedsNoName) {
  for (const std::string& jwk : {hmac_.Jwk("h"), hmac_.Jwk("")}) {
    const JwtVerifier verifier = Verifier({jwk});
    EXPECT_EQ(verifier.Verify(hmac_.Token(R"({"alg":"HS256"})", Payload()), kNow).refusal, JwtRefusal::kNone);
  }
  const JwtVerifier verifier = Verifier({hmac_.Jwk("")});
  EXPECT_EQ(verifier.Verify(hmac_.Token(kHeader, Payload()), kNow).refusal, JwtRefusal::kUnknownKey);
}

TEST_F(JwtTest, TellsTheClaims) {
  const JwtVerifier::Result result = verifier_.Verify(
      hmac_.Token(kHeader, Payload(R"(,"azp":"app","client_id":"c","scope":"read  write","scp":["admin"],)"
                                   R"("groups":["staff","eu"],"roles":"buyer","nbf":1699999000,"x":{"y":[1]})")),
      kNow);
  ASSERT_NE(result.claims, nullptr);
  const Claims& claims = *result.claims;
  EXPECT_EQ(claims.issuer(), "https://id.example");
  EXPECT_EQ(claims.subject(), "alice");
  EXPECT_EQ(claims.client_id(), "app");
  EXPECT_EQ(claims.scopes(), (std::vector<std::string_view>{"read", "write", "admin"}));
  EXPECT_EQ(claims.groups(), (std::vector<std::string_view>{"staff", "eu"}));
  EXPECT_EQ(claims.roles(), std::vector<std::string_view>{"buyer"});
  EXPECT_EQ(claims.valid_from(), At(1699998970));
  EXPECT_EQ(claims.valid_until(), At(1700000130));
  EXPECT_EQ(claims.payload().Find("x")->Find("y")->items().size(), 1);
}

TEST_F(JwtTest, TellsAnUnverifiedIssuer) {
  EXPECT_EQ(JwtVerifier::UnverifiedIssuer(hmac_.Token(kHeader, Payload())), "https://id.example");
  for (const std::string& token : {std::string(""), std::string("a.b.c"), std::string("..")}) {
    EXPECT_EQ(JwtVerifier::UnverifiedIssuer(token), "");
  }
}

TEST_F(JwtTest, VerifierRefusesBadOptions) {
  const auto jwks = std::make_shared<const Jwks>(*Jwks::Parse(Set({hmac_.Jwk("h")})));
  const JwtVerifier::Options good{.issuer = "i", .audiences = {"a"}, .jwks = jwks, .clock_skew = seconds(0)};
  EXPECT_TRUE(JwtVerifier::Create(good).ok());
  for (const auto spoil : std::initializer_list<void (*)(JwtVerifier::Options&)>{
           [](auto& options) { options.issuer = ""; }, [](auto& options) { options.audiences = {}; },
           [](auto& options) { options.audiences = {"a", ""}; }, [](auto& options) { options.jwks = nullptr; },
           [](auto& options) { options.clock_skew = seconds(-1); },
           [](auto& options) { options.clock_skew = seconds(601); }}) {
    JwtVerifier::Options options = good;
    spoil(options);
    EXPECT_FALSE(JwtVerifier::Create(options).ok());
  }
}

TEST(JwtRefusalTest, HasWordsThatFitAQuotedString) {
  for (int i = 1; i <= static_cast<int>(JwtRefusal::kWrongAudience); ++i) {
    const std::string_view text = JwtRefusalText(static_cast<JwtRefusal>(i));
    EXPECT_FALSE(text.empty()) << i;
    EXPECT_EQ(text.find_first_of("\"\\"), text.npos);
  }
}

// A member more at the beginning of a JWK.
std::string With(const std::string& jwk, std::string_view members) {
  return Concat("{", members, ",", jwk.substr(1));
}

TEST(JwksTest, JudgesSets) {
  const std::string h = TestSigner(SignatureAlgorithm::kHs256).Jwk("h");
  const std::string r = TestSigner(SignatureAlgorithm::kRs256).Jwk("r");
  const std::string e = TestSigner(SignatureAlgorithm::kEs256).Jwk("e");
  const std::string bare = TestSigner(SignatureAlgorithm::kHs256).Jwk("");
  const std::string weak_rsa = TestSigner(SignatureAlgorithm::kRs256, 1024).Jwk("w");
  struct Row {
    std::string_view name;
    std::string json;
    int keys;  // 0: refused
    int warnings;
    std::string_view error;
  };
  const Row rows[] = {
      {"one", Set({h}), 1, 0, ""},
      {"three, one of them bare", Set({h, r, bare}), 3, 0, ""},
      {"alg fits", Set({With(r, R"("alg":"RS256","use":"sig","key_ops":["verify"])")}), 1, 0, ""},
      {"alg of another kty", Set({With(r, R"("alg":"HS256")")}), 0, 0, "\"alg\" HS256 does not fit"},
      {"alg unknown", Set({h, With(r, R"("alg":"PS256")")}), 1, 1, ""},
      {"use enc", Set({h, With(r, R"("use":"enc")")}), 1, 1, ""},
      {"key_ops encrypt", Set({h, With(r, R"("key_ops":["encrypt"])")}), 1, 1, ""},
      {"key_ops not an array", Set({h, With(r, R"("key_ops":"verify")")}), 0, 0, "not an array"},
      {"kty unknown", Set({h, R"({"kty":"AKP"})"}), 1, 1, ""},
      {"crv unknown", Set({h, R"({"kty":"EC","crv":"P-521"})", R"({"kty":"OKP","crv":"X25519"})"}), 1, 2, ""},
      {"nothing usable", Set({R"({"kty":"AKP"})"}), 0, 0, "no key that can check"},
      {"kty absent", Set({h, R"({"kid":"x"})"}), 0, 0, "keys[1]: has no \"kty\""},
      {"crv absent", Set({R"({"kty":"EC"})"}), 0, 0, "has no \"crv\""},
      {"kid twice", Set({h, With(e, "\"x5t\":\"\""), h}), 0, 0, "keys[2]: \"kid\" \"h\" again"},
      {"two without kid", Set({bare, bare}), 0, 0, "second key without"},
      {"kid empty", Set({With(bare, R"("kid":"")")}), 0, 0, "\"kid\" is empty"},
      {"kid too long", Set({With(bare, Concat("\"kid\":\"", std::string(257, 'k'), "\""))}), 0, 0, "256 bytes"},
      {"kid not a string", Set({With(bare, R"("kid":1)")}), 0, 0, "not a string"},
      {"private key", Set({With(e, R"("d":"AAAA")")}), 0, 0, "private key"},
      {"weak RSA", Set({weak_rsa}), 0, 0, "RSA key of 1024 bits"},
      {"weak HMAC", Set({R"({"kty":"oct","k":"c2hvcnQ"})"}), 0, 0, "HMAC key of 5 bytes"},
      {"padded component", Set({R"({"kty":"oct","k":"c2hvcnQ="})"}), 0, 0, "not canonical base64url"},
      {"component absent", Set({R"({"kty":"RSA","n":"AAAA"})"}), 0, 0, "member \"e\""},
      {"component not a string", Set({R"({"kty":"oct","k":1})"}), 0, 0, "member \"k\""},
      {"name twice", Set({With(h, R"("kty":"oct")")}), 0, 0, ""},
      {"key not an object", R"({"keys":[1]})", 0, 0, "keys[0]: is not an object"},
      {"keys not an array", R"({"keys":{}})", 0, 0, "no array"},
      {"no keys", "{}", 0, 0, "no array"},
      {"empty keys", R"({"keys":[]})", 0, 0, "no key that can check"},
      {"not an object", "[]", 0, 0, "no array"},
      {"not JSON", "hello", 0, 0, "JWKS: "},
      {"too many", Set(std::vector<std::string>(101, "{}")), 0, 0, "more than 100 keys"},
      {"too long", std::string(Jwks::kBytesMax + 1, ' '), 0, 0, "JWKS: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const absl::StatusOr<Jwks> jwks = Jwks::Parse(row.json);
    ASSERT_EQ(jwks.ok(), row.keys > 0) << jwks.status();
    if (jwks.ok()) {
      EXPECT_EQ(jwks->keys().size(), row.keys);
      EXPECT_EQ(jwks->warnings().size(), row.warnings);
    } else {
      EXPECT_NE(base::ToStd(jwks.status().message()).find(row.error), std::string::npos) << jwks.status();
    }
  }
}

TEST(JwksTest, RefusesEveryTruncation) {
  const std::string set = Set({TestSigner(SignatureAlgorithm::kEs256).Jwk("e")});
  for (size_t i = 0; i < set.size(); ++i)
    EXPECT_FALSE(Jwks::Parse(set.substr(0, i)).ok()) << i;
}

class JwtCacheTest : public JwtTest {
 protected:
  std::shared_ptr<const Claims> Good(std::string_view more = "") {
    return verifier_.Verify(hmac_.Token(kHeader, Payload(more)), kNow).claims;
  }
};

TEST_F(JwtCacheTest, ForgetsWhatIsNotGoodAnyMore) {
  struct Row {
    std::string_view name;
    int64_t now;
    bool found;
  };
  const Row rows[] = {{"now", 1700000000, true},
                      {"last second", 1700000129, true},
                      {"expired", 1700000130, false},
                      {"clock far back", 1699999000, false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    JwtCache cache;
    const JwtCache::Key key = JwtCache::KeyOf("token");
    EXPECT_EQ(cache.Find(key, kNow), nullptr);
    cache.Insert(key, Good(",\"nbf\":1699999500"));
    EXPECT_EQ(cache.Find(key, At(row.now)) != nullptr, row.found);
    EXPECT_EQ(cache.size(), row.found ? 1 : 0);
    EXPECT_EQ(cache.bytes() > 0, row.found);
  }
}

TEST_F(JwtCacheTest, TheLeastRecentlyUsedLeavesFirst) {
  JwtCache cache(2);
  for (const char* name : {"a", "b"})
    cache.Insert(JwtCache::KeyOf(name), Good());
  EXPECT_NE(cache.Find(JwtCache::KeyOf("a"), kNow), nullptr);
  cache.Insert(JwtCache::KeyOf("c"), Good());
  EXPECT_NE(cache.Find(JwtCache::KeyOf("a"), kNow), nullptr);
  EXPECT_EQ(cache.Find(JwtCache::KeyOf("b"), kNow), nullptr);
  EXPECT_NE(cache.Find(JwtCache::KeyOf("c"), kNow), nullptr);
  cache.Insert(JwtCache::KeyOf("c"), Good());
  EXPECT_EQ(cache.size(), 2);
}

TEST_F(JwtCacheTest, IsBoundedByBytes) {
  const std::shared_ptr<const Claims> claims = Good();
  JwtCache cache(100, claims->bytes() * 3);
  for (int i = 0; i < 10; ++i)
    cache.Insert(JwtCache::KeyOf(Concat(i)), claims);
  EXPECT_EQ(cache.size(), 3);
  JwtCache none(100, claims->bytes() - 1);
  none.Insert(JwtCache::KeyOf("a"), claims);
  EXPECT_EQ(none.size(), 0);
}

}  // namespace
}  // namespace portico::auth
