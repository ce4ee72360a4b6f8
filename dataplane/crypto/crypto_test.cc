#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/base/text.h"
#include "dataplane/crypto/base64url.h"
#include "dataplane/crypto/boring_key_pair.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/crypto/keyed_hash.h"
#include "dataplane/crypto/test_signer.h"
#include "dataplane/crypto/verification_key.h"
#include "test/support/key_material.h"
#include "test/support/key_pair_cases.h"

namespace portico::crypto {
namespace {

std::string Hexadecimal(const Sha256Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest)
    text += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  return text;
}

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(Hexadecimal(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hexadecimal(HmacSha256("Jefe", "what do ya want for nothing?")),  // RFC 4231 section 4.3
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(KeyedHash, KnownAnswers) {
  // The reference's own vectors: the key 00 01 … 0f, and texts 00 01 ….
  const KeyedHash hash({0x0706050403020100, 0x0f0e0d0c0b0a0908});
  EXPECT_EQ(hash.Of(""), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(hash.Of(std::string_view("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16", 15)), 0xa129ca6149be45e5u);
  EXPECT_NE(KeyedHash::Generate().Of("a"), KeyedHash::Generate().Of("a"));
}

TEST(Digest, Compares) {
  EXPECT_TRUE(ConstantTimeEquals("", ""));
  EXPECT_TRUE(ConstantTimeEquals("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEquals("abc", "ab"));
}

TEST(Base64Url, AcceptsOneTextForEachValue) {
  struct Row {
    std::string_view text;
    const char* value;  // nullptr: refused
  };
  const Row rows[] = {{"", ""},           {"Zg", "f"},         {"Zm8", "fo"},      {"Zm9v", "foo"},
                      {"Zm9vYg", "foob"}, {"_-8", "\xff\xef"}, {"Z", nullptr},     {"Zg==", nullptr},
                      {"Zh", nullptr},    {"Zm9", nullptr},    {"Zm 9v", nullptr}, {"Zm9v\n", nullptr},
                      {"+/8", nullptr},   {"Zm9v.", nullptr},  {"Zm9vY", nullptr}, {"\xc3\xa9g", nullptr}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const std::optional<std::string> value = DecodeBase64Url(row.text);
    ASSERT_EQ(value.has_value(), row.value != nullptr);
    if (!value) continue;
    EXPECT_EQ(*value, row.value);
    EXPECT_EQ(EncodeBase64Url(*value), row.text);
  }
}

TEST(Base64Url, RoundTrips) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

std::string Hex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(VerificationKey, Ed25519KnownAnswer) {  // RFC 8032 section 7.1, test 2
  const auto key =
      VerificationKey::FromEd25519(Hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
  ASSERT_TRUE(key.ok());
  std::string signature = Hex(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
      "b00d291612bb0c00");
  EXPECT_TRUE(key->Verify("\x72", signature));
  EXPECT_FALSE(key->Verify("\x73", signature));
  signature.pop_back();
  EXPECT_FALSE(key->Verify("\x72", signature));
}

TEST(VerificationKey, HmacChecksWholeSignature) {
  const std::string secret(32, 'k');
  const auto key = VerificationKey::FromHmac(secret);
  ASSERT_TRUE(key.ok());
  const Sha256Digest digest = HmacSha256(secret, "message");
  const std::string signature(reinterpret_cast<const char*>(digest.data()), digest.size());
  EXPECT_TRUE(key->Verify("message", signature));
  EXPECT_FALSE(key->Verify("message", signature.substr(0, 31)));
  EXPECT_FALSE(key->Verify("message", ""));
  EXPECT_FALSE(key->Verify("other", signature));
}

TEST(VerificationKey, RefusesWeakAndMalformed) {
  const std::string big(256, '\xff');
  struct Row {
    std::string_view name;
    absl::StatusOr<VerificationKey> key;
    std::string_view error;
  };
  const Row rows[] = {
      {"short HMAC", VerificationKey::FromHmac(std::string(31, 'k')), "31 bytes"},
      {"long HMAC", VerificationKey::FromHmac(std::string(1025, 'k')), "more than 1024"},
      {"RSA 1024", VerificationKey::FromRsa(std::string(128, '\xff'), "\x01\x00\x01"), ""},
      {"RSA 16384", VerificationKey::FromRsa(std::string(2048, '\xff'), "\x03"), "more than 8192"},
      {"RSA leading zero", VerificationKey::FromRsa(std::string(1, '\0') + big, "\x03"), "zero byte"},
      {"RSA exponent 1", VerificationKey::FromRsa(big, "\x01"), "exponent"},
      {"RSA even exponent", VerificationKey::FromRsa(big, "\x04"), "exponent"},
      {"RSA huge exponent", VerificationKey::FromRsa(big, "\x01\x02\x03\x04\x05"), "1 to 4 bytes"},
      {"RSA no exponent", VerificationKey::FromRsa(big, ""), "1 to 4 bytes"},
      {"RSA no modulus", VerificationKey::FromRsa("", "\x03"), "0 bits"},
      {"P-256 short", VerificationKey::FromP256(std::string(31, 1), std::string(32, 1)), "32 bytes"},
      {"P-256 off the curve", VerificationKey::FromP256(std::string(32, 1), std::string(32, 1)), "not on the curve"},
      {"P-256 at infinity", VerificationKey::FromP256(std::string(32, 0), std::string(32, 0)), "not on the curve"},
      {"P-256 over the field", VerificationKey::FromP256(std::string(32, -1), std::string(32, -1)), "not on"},
      {"Ed25519 short", VerificationKey::FromEd25519(std::string(31, 1)), "32 bytes"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ASSERT_FALSE(row.key.ok());
    EXPECT_EQ(row.key.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(base::ToStd(row.key.status().message()).find(row.error), std::string::npos) << row.key.status();
  }
}

TEST(KeyPair, BoringSslJudgesAsTheTable) {
  test::ExpectKeyPairCases(BoringKeyPairChecker());
}

TEST(KeyPair, TellsNamesAndDates) {
  const auto pair = KeyPair::Parse(test::k_leaf_certificate, test::k_leaf_key);
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->dns_names(), (std::vector<std::string>{"shop.example", "*.shop.example"}));
  EXPECT_EQ(pair->not_after() - pair->not_before(), std::chrono::hours(24) * 30);
  EXPECT_EQ(pair->fingerprint().size(), 64);
  EXPECT_EQ(pair->certificates().size(), 1);
}

}  // namespace
}  // namespace portico::crypto
