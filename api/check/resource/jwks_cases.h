#ifndef PORTICO_API_CHECK_RESOURCE_JWKS_CASES_H_
#define PORTICO_API_CHECK_RESOURCE_JWKS_CASES_H_

#include <string>
#include <utility>
#include <vector>

namespace portico::check {

// Key sets and what CheckJwks() says of them. dataplane/filters/auth must take and refuse the same ones
// (test/conformance/agreement_test.cc), so keys that are taken are real.
struct JwksCase {
  std::string name;
  std::string text;
  std::string words;  // "": taken
};

inline std::string JwksOf(const std::string& keys) {
  return "{\"keys\":[" + keys + "]}";
}

inline const std::string kJwkX = "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"";  // RFC 8037 appendix A.2
inline const std::string kJwkOkp = "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":" + kJwkX;
inline const std::string kJwkEc =  // RFC 7517 appendix A.1
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"";
inline const std::string kJwkRsa =
    "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPF"
    "Fxuhdr1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvzqy"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHa"
    "Q-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"";
inline const std::string kJwkOct = "\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"";

// After a key that is good.
inline std::string JwksAfter(const std::string& key) {
  return JwksOf("{" + kJwkOkp + "}," + key);
}

// The set as a whole.
inline std::vector<JwksCase> JwksSetCases() {
  std::string many;
  for (int i = 0; i < 101; ++i)
    many += (i == 0 ? "{\"kid\":\"" : ",{\"kid\":\"") + std::to_string(i) + "\"," + kJwkOkp + "}";
  return {
      {"Ed25519", JwksOf("{" + kJwkOkp + "}"), ""},
      {"all kinds",
       JwksOf("{\"kid\":\"a\",\"alg\":\"RS256\"," + kJwkRsa + "},{\"kid\":\"b\",\"alg\":\"ES256\"," + kJwkEc +
              "},{\"kid\":\"c\",\"alg\":\"EdDSA\"," + kJwkOkp + "},{\"kid\":\"d\",\"alg\":\"HS256\"," + kJwkOct + "}"),
       ""},
      {"for verifying", JwksOf("{\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"]," + kJwkOkp + "}"), ""},
      {"foreign members", JwksOf("{\"x5t\":1," + kJwkOkp + "}"), ""},
      {"no JSON", "{", "is no JSON: "},
      {"nothing", "", "is no JSON: "},
      {"a name twice", "{\"keys\":[],\"keys\":[{" + kJwkOkp + "}]}", "is no JSON: "},
      {"a list", "[]", "must be an object with an array \"keys\""},
      {"no keys", "{\"kys\":[]}", "must be an object with an array \"keys\""},
      {"keys of another type", "{\"keys\":{}}", "must be an object with an array \"keys\""},
      {"empty", JwksOf(""), "has no key that can check a signature"},
      {"too many", JwksOf(many), "must have at most 100 keys"},
  };
}

// One key of it.
inline std::vector<JwksCase> JwksKeyCases() {
  return {
      {"no object", JwksAfter("1"), "keys[1]: is not an object"},
      {"no kty", JwksAfter("{\"kid\":\"a\"}"), "keys[1]: has no \"kty\""},
      {"kty of another type", JwksAfter("{\"kty\":1}"), "keys[1]: member \"kty\" is not a string"},
      {"alg of another type", JwksAfter("{\"alg\":[]," + kJwkEc + "}"), "keys[1]: member \"alg\" is not a string"},
      {"empty kid", JwksAfter("{\"kid\":\"\"," + kJwkEc + "}"), "keys[1]: \"kid\" is empty"},
      {"long kid", JwksAfter("{\"kid\":\"" + std::string(257, 'a') + "\"," + kJwkEc + "}"),
       "keys[1]: \"kid\" has more than 256 bytes"},
      {"longest kid", JwksAfter("{\"kid\":\"" + std::string(256, 'a') + "\"," + kJwkEc + "}"), ""},
      {"a kid again", JwksOf("{\"kid\":\"a\"," + kJwkEc + "},{\"kid\":\"a\"," + kJwkOkp + "}"),
       "keys[1]: \"kid\" \"a\" is there already"},
      {"two without kid", JwksAfter("{" + kJwkEc + "}"), "keys[1]: is a second key without \"kid\""},
      {"key_ops of another type", JwksAfter("{\"key_ops\":\"verify\",\"kid\":\"a\"," + kJwkEc + "}"),
       "keys[1]: member \"key_ops\" is not an array"},
      {"for encryption", JwksOf("{\"use\":\"enc\"," + kJwkRsa + "}"),
       "has no key that can check a signature; keys[0]: \"use\" is \"enc\""},
      {"for signing alone", JwksOf("{\"key_ops\":[\"sign\"]," + kJwkRsa + "}"),
       "has no key that can check a signature; keys[0]: \"key_ops\" does not hold \"verify\""},
      {"unknown kty", JwksOf("{\"kty\":\"AKP\"}"),
       "has no key that can check a signature; keys[0]: \"kty\" is \"AKP\""},
      {"unknown curve", JwksOf("{\"kty\":\"EC\",\"crv\":\"P-384\"}"),
       "has no key that can check a signature; keys[0]: \"crv\" is \"P-384\""},
      {"unknown alg", JwksOf("{\"alg\":\"PS256\"," + kJwkRsa + "}"),
       "has no key that can check a signature; keys[0]: \"alg\" is \"PS256\""},
      {"unknown ones beside ours",
       JwksOf("{\"alg\":\"RSA-OAEP\",\"use\":\"enc\"," + kJwkRsa + "}," + "{" + kJwkOkp + "}"), ""},
      {"no curve", JwksAfter("{\"kid\":\"a\",\"kty\":\"EC\"}"), "keys[1]: has no \"crv\""},
      {"no curve, not for verifying", JwksAfter("{\"key_ops\":[],\"kty\":\"EC\"}"), ""},
      {"alg of another kty", JwksAfter("{\"kid\":\"a\",\"alg\":\"RS256\"," + kJwkEc + "}"),
       "keys[1]: \"alg\" RS256 does not fit \"kty\" EC"},
      {"private", JwksAfter("{\"kid\":\"a\",\"d\":\"AAAA\"," + kJwkEc + "}"),
       "keys[1]: is a private key (member \"d\"); only its public half belongs here"},
      {"no component", JwksAfter("{\"kid\":\"a\",\"kty\":\"RSA\",\"e\":\"AQAB\"}"),
       "keys[1]: member \"n\" is not a string"},
      {"component with padding", JwksOf("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAA=\"}"),
       "keys[0]: member \"x\" is not canonical base64url"},
      {"component in base64", JwksOf("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"++//\"}"),
       "keys[0]: member \"x\" is not canonical base64url"},
      {"component of five letters", JwksOf("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAA\"}"),
       "keys[0]: member \"x\" is not canonical base64url"},
      {"component with bits left over",
       JwksOf("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}"),
       "keys[0]: member \"x\" is not canonical base64url"},
      {"short point", JwksOf("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"),
       "keys[0]: member \"x\" has 3 bytes, not 32"},
      {"short modulus", JwksOf("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" + std::string(340, 'A') + "\"}"),
       "keys[0]: member \"n\" has 255 bytes, not 256 to 1024"},
      {"long exponent", JwksOf("{\"kty\":\"RSA\",\"e\":\"AQAAAAE\",\"n\":\"" + std::string(344, 'A') + "\"}"),
       "keys[0]: member \"e\" has 5 bytes, not 1 to 4"},
      {"short secret", JwksOf("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), "keys[0]: member \"k\" has 3 bytes, not 32 to 1024"},
      {"empty secret", JwksOf("{\"kty\":\"oct\",\"k\":\"\"}"), "keys[0]: member \"k\" has 0 bytes, not 32 to 1024"},
  };
}

inline std::vector<JwksCase> JwksCases() {
  std::vector<JwksCase> all = JwksSetCases();
  for (JwksCase& row : JwksKeyCases())
    all.push_back(std::move(row));
  return all;
}

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_JWKS_CASES_H_
