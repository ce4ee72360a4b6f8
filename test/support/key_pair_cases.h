#ifndef PORTICO_TEST_SUPPORT_KEY_PAIR_CASES_H_
#define PORTICO_TEST_SUPPORT_KEY_PAIR_CASES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/check/key_pair.h"
#include "test/support/key_material.h"

namespace portico::test {

// The table that every check::KeyPairChecker must agree on, to the word.
struct KeyPairCase {
  std::string_view name;
  std::string certificate;
  std::string key;
  std::string_view error;  // "": accepted; else a part of the message
};

// As a key that went through YAML's `>` or an environment variable.
inline std::string OnOneLine(std::string pem) {
  std::replace(pem.begin(), pem.end() - 1, '\n', ' ');
  return pem;
}

inline std::vector<KeyPairCase> KeyPairCases() {
  const std::string leaf = k_leaf_certificate;
  const std::string intermediate = k_intermediate_certificate;
  const std::string root = k_root_certificate;
  const std::string key = k_leaf_key;
  std::string cut_certificate = leaf;
  cut_certificate.erase(cut_certificate.find("\n-----END") - 8, 8);
  return {
      {"P-256", leaf, key, ""},
      {"P-256 as SEC 1", leaf, k_leaf_sec1_key, ""},
      {"P-384", k_p384_certificate, k_p384_key, ""},
      {"RSA 2048", k_rsa2048_certificate, k_rsa2048_key, ""},
      {"RSA 2048 as PKCS #1", k_rsa2048_certificate, k_rsa2048_traditional_key, ""},
      {"chain, leaf first", leaf + intermediate + root, key, ""},
      {"text between the blocks", "subject: leaf\n" + leaf + "subject: intermediate\n" + intermediate, key, ""},
      {"key of another certificate", leaf, k_other_key, "does not belong to the certificate"},
      {"key of another kind", leaf, k_rsa2048_key, "does not belong to the certificate"},
      {"chain, leaf last", intermediate + leaf, key, "belongs to certificate number 2"},
      {"chain, root before intermediate", leaf + root + intermediate, key, "number 1 is not signed by number 2"},
      {"chain with a stranger", leaf + std::string(k_other_certificate), key, "number 1 is not signed by number 2"},
      {"RSA 1024", k_rsa1024_certificate, k_rsa1024_key, "RSA of 1024 bits"},
      {"P-521", k_p521_certificate, k_p521_key, "other than P-256 and P-384"},
      {"Ed25519", k_ed25519_certificate, k_ed25519_key, "neither RSA nor ECDSA"},
      {"encrypted key, PKCS #8", leaf, k_leaf_encrypted_key, "it is encrypted"},
      {"encrypted key, PKCS #1", k_rsa2048_certificate, k_rsa2048_encrypted_key, "it is encrypted"},
      {"no certificate", "", key, "certificate: no PEM block"},
      {"no key", leaf, "", "private key: no PEM block"},
      {"certificate is text", "hello", key, "certificate: no PEM block"},
      {"key is text", leaf, "hello", "private key: no PEM block"},
      {"certificate cut", cut_certificate, key, "certificate: number 1 is not an X.509 certificate"},
      {"certificate without END", leaf.substr(0, 100), key, "has no END"},
      {"certificate is not base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", key,
       "not base64"},
      {"certificate is not DER", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key, "not an X.509"},
      {"key is not DER", leaf, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key that is"},
      {"END of another block", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END KEY-----\n", key, "closes BEGIN"},
      {"key in the place of the certificate", key, key, "a PRIVATE KEY block is among them"},
      {"certificate in the place of the key", leaf, leaf, "is no private key"},
      {"two keys", leaf, key + key, "there are several"},
      {"key on one line", leaf, OnOneLine(key),
       "private key: line 1 is no BEGIN of a PEM block; does the block have its"},
      {"key on one line for a certificate", OnOneLine(key), key, "certificate: line 1 is no BEGIN of a PEM block"},
      {"key whose END is gone", leaf, key.substr(0, 150), "has no END"},
      {"too long", std::string(check::kPemBytesMax + 1, '\n'), key, "more than 1048576 bytes"},
  };
}

inline void ExpectKeyPairCases(const check::KeyPairChecker& checker) {
  for (const KeyPairCase& row : KeyPairCases()) {
    SCOPED_TRACE(row.name);
    const absl::Status status = checker.Check(row.certificate, row.key);
    const std::string message(base::ToStd(status.message()));
    EXPECT_EQ(status.ok(), row.error.empty()) << message;
    EXPECT_NE(message.find(row.error), message.npos) << message;
    EXPECT_EQ(message.find(std::string(k_leaf_key).substr(60, 16)), message.npos) << "a part of the key is told";
  }
}

}  // namespace portico::test

#endif  // PORTICO_TEST_SUPPORT_KEY_PAIR_CASES_H_
