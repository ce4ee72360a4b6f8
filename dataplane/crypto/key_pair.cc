#include "dataplane/crypto/key_pair.h"

#include <openssl/asn1.h>
#include <openssl/bytestring.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <optional>
#include <utility>

#include "api/base/text.h"
#include "api/check/key_pair.h"
#include "api/check/pem.h"
#include "dataplane/crypto/boring_error.h"
#include "dataplane/crypto/digest.h"

namespace portico::crypto {
namespace {

using base::Concat;
using Chain = std::vector<bssl::UniquePtr<X509>>;

absl::Status Invalid(const std::string& text) {
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

absl::StatusOr<Chain> ParseChain(const std::vector<std::string>& certificates) {
  Chain chain;
  for (const std::string& der : certificates) {
    const uint8_t* next = reinterpret_cast<const uint8_t*>(der.data());
    const uint8_t* const end = next + der.size();
    bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
    if (certificate == nullptr || next != end) {
      TakeBoringError("");
      return Invalid(Concat("certificate: number ", chain.size() + 1, " is not an X.509 certificate"));
    }
    chain.push_back(std::move(certificate));
  }
  return chain;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParseKey(const check::PemBlock& block) {
  CBS bytes;
  CBS_init(&bytes, reinterpret_cast<const uint8_t*>(block.der.data()), block.der.size());
  bssl::UniquePtr<EVP_PKEY> key;
  if (block.label == "PRIVATE KEY") {
    key.reset(EVP_parse_private_key(&bytes));
  } else {
    const uint8_t* next = CBS_data(&bytes);
    const int type = block.label == "RSA PRIVATE KEY" ? EVP_PKEY_RSA : EVP_PKEY_EC;
    key.reset(d2i_PrivateKey(type, nullptr, &next, static_cast<long>(CBS_len(&bytes))));
    if (key != nullptr) CBS_skip(&bytes, static_cast<size_t>(next - CBS_data(&bytes)));
  }
  TakeBoringError("");
  if (key == nullptr || CBS_len(&bytes) != 0) return Invalid("private key: the block holds no key that is understood");
  return key;
}

absl::Status CheckKind(const EVP_PKEY* key) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_bits(key);
      if (bits >= check::kRsaBitsMin && bits <= check::kRsaBitsMax) return absl::OkStatus();
      return Invalid(Concat("private key: RSA of ", bits, " bits; ", check::kRsaBitsMin, " to ", check::kRsaBitsMax));
    }
    case EVP_PKEY_EC: {
      const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
      if (curve == NID_X9_62_prime256v1 || curve == NID_secp384r1) return absl::OkStatus();
      return Invalid("private key: an elliptic curve other than P-256 and P-384");
    }
    default:
      return Invalid("private key: neither RSA nor ECDSA; browsers take nothing else from a server");
  }
}

// 0-based, nullopt: none of them.
std::optional<size_t> OwnerOf(const EVP_PKEY* key, const Chain& chain) {
  for (size_t i = 0; i < chain.size(); ++i) {
    bssl::UniquePtr<EVP_PKEY> public_key(X509_get_pubkey(chain[i].get()));
    if (public_key != nullptr && EVP_PKEY_cmp(public_key.get(), key) == 1) return i;
  }
  TakeBoringError("");
  return std::nullopt;
}

absl::Status CheckOrder(const Chain& chain) {
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    bssl::UniquePtr<EVP_PKEY> issuer(X509_get_pubkey(chain[i + 1].get()));
    if (X509_check_issued(chain[i + 1].get(), chain[i].get()) != X509_V_OK || issuer == nullptr ||
        X509_verify(chain[i].get(), issuer.get()) != 1) {
      TakeBoringError("");
      return Invalid(Concat("certificate: number ", i + 1, " is not signed by number ", i + 2));
    }
  }
  return absl::OkStatus();
}

base::WallTime ToWallTime(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(&days, &seconds, epoch.get(), time);
  return base::WallTime(std::chrono::hours(24) * days + std::chrono::seconds(seconds));
}

std::vector<std::string> DnsNames(const X509* certificate) {
  std::vector<std::string> names;
  bssl::UniquePtr<GENERAL_NAMES> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (alternatives == nullptr) return names;
  for (const GENERAL_NAME* name : alternatives.get()) {
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* text = name->d.dNSName;
    const std::string_view dns_name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                    static_cast<size_t>(ASN1_STRING_length(text)));
    // A NUL in a name once fooled readers into seeing a shorter one (CVE-2009-2408).
    if (dns_name.find('\0') == dns_name.npos) names.push_back(base::LowerAscii(dns_name));
  }
  return names;
}

std::string Hexadecimal(const Sha256Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest)
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

std::string MarshalKey(const EVP_PKEY* key) {
  bssl::ScopedCBB builder;
  uint8_t* der = nullptr;
  size_t size = 0;
  CBB_init(builder.get(), 1024);
  EVP_marshal_private_key(builder.get(), key);
  CBB_finish(builder.get(), &der, &size);
  bssl::UniquePtr<uint8_t> owner(der);
  return {reinterpret_cast<const char*>(der), size};
}

}  // namespace

absl::StatusOr<KeyPair> KeyPair::Parse(std::string_view certificate_pem, std::string_view private_key_pem) {
  absl::StatusOr<std::vector<std::string>> certificates =
      check::ParseCertificatesPem(certificate_pem, check::kChainCertificatesMax);
  if (!certificates.ok()) return certificates.status();
  absl::StatusOr<Chain> chain = ParseChain(*certificates);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<check::PemBlock> block = check::ParsePrivateKeyPem(private_key_pem);
  if (!block.ok()) return block.status();
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = ParseKey(*block);
  if (!key.ok()) return key.status();
  if (absl::Status kind = CheckKind(key->get()); !kind.ok()) return kind;
  const std::optional<size_t> owner = OwnerOf(key->get(), *chain);
  if (!owner) return Invalid("the private key does not belong to the certificate");
  if (*owner != 0) {
    return Invalid(Concat("the private key belongs to certificate number ", *owner + 1,
                          "; the server's own certificate must be first"));
  }
  if (absl::Status order = CheckOrder(*chain); !order.ok()) return order;

  KeyPair pair;
  const X509* own = chain->front().get();
  pair.fingerprint_ = Hexadecimal(Sha256(certificates->front()));
  pair.certificates_ = *std::move(certificates);
  pair.private_key_ = MarshalKey(key->get());
  pair.dns_names_ = DnsNames(own);
  pair.not_before_ = ToWallTime(X509_get0_notBefore(own));
  pair.not_after_ = ToWallTime(X509_get0_notAfter(own));
  return pair;
}

}  // namespace portico::crypto
