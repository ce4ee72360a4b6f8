#include "controlplane/crypto/key_pair.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#ifdef OPENSSL_IS_BORINGSSL
#error "these are not OpenSSL's headers"
#endif

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/check/pem.h"

namespace portico::openssl {
namespace {

using base::Concat;

template <auto function>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    function(object);
  }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

absl::Status Invalid(const std::string& text) {
  ERR_clear_error();
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

absl::StatusOr<PrivateKey> ReadKey(const check::PemBlock& block) {
  const auto* next = reinterpret_cast<const unsigned char*>(block.der.data());
  const auto* const end = next + block.der.size();
  const long size = static_cast<long>(block.der.size());
  PrivateKey key(block.label == "RSA PRIVATE KEY"  ? d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &next, size)
                 : block.label == "EC PRIVATE KEY" ? d2i_PrivateKey(EVP_PKEY_EC, nullptr, &next, size)
                                                   : d2i_AutoPrivateKey(nullptr, &next, size));
  if (key == nullptr || next != end) return Invalid("private key: the block holds no key that is understood");
  if (EVP_PKEY_is_a(key.get(), "RSA")) {
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits >= check::kRsaBitsMin && bits <= check::kRsaBitsMax) return key;
    return Invalid(Concat("private key: RSA of ", bits, " bits; ", check::kRsaBitsMin, " to ", check::kRsaBitsMax));
  }
  if (!EVP_PKEY_is_a(key.get(), "EC")) {
    return Invalid("private key: neither RSA nor ECDSA; browsers take nothing else from a server");
  }
  char curve[32] = "";
  EVP_PKEY_get_group_name(key.get(), curve, sizeof curve, nullptr);
  if (std::string_view(curve) == "prime256v1" || std::string_view(curve) == "secp384r1") return key;
  return Invalid("private key: an elliptic curve other than P-256 and P-384");
}

absl::StatusOr<std::vector<Certificate>> ReadChain(std::string_view pem) {
  absl::StatusOr<std::vector<std::string>> texts = check::ParseCertificatesPem(pem, check::kChainCertificatesMax);
  if (!texts.ok()) return texts.status();
  std::vector<Certificate> chain;
  for (const std::string& der : *texts) {
    const auto* next = reinterpret_cast<const unsigned char*>(der.data());
    Certificate certificate(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
    if (certificate == nullptr || next != reinterpret_cast<const unsigned char*>(der.data()) + der.size()) {
      return Invalid(Concat("certificate: number ", chain.size() + 1, " is not an X.509 certificate"));
    }
    chain.push_back(std::move(certificate));
  }
  return chain;
}

absl::Status CheckChain(const std::vector<Certificate>& chain, EVP_PKEY* key) {
  size_t owner = 0;
  while (owner < chain.size() && EVP_PKEY_eq(X509_get0_pubkey(chain[owner].get()), key) != 1)
    ++owner;
  if (owner == chain.size()) return Invalid("the private key does not belong to the certificate");
  if (owner != 0) {
    return Invalid(Concat("the private key belongs to certificate number ", owner + 1,
                          "; the server's own certificate must be first"));
  }
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    X509* issuer = chain[i + 1].get();
    if (X509_check_issued(issuer, chain[i].get()) != X509_V_OK ||
        X509_verify(chain[i].get(), X509_get0_pubkey(issuer)) != 1) {
      return Invalid(Concat("certificate: number ", i + 1, " is not signed by number ", i + 2));
    }
  }
  ERR_clear_error();
  return absl::OkStatus();
}

}  // namespace

absl::Status KeyPairChecker::Check(std::string_view certificate_pem, std::string_view private_key_pem) const {
  absl::StatusOr<std::vector<Certificate>> chain = ReadChain(certificate_pem);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<check::PemBlock> block = check::ParsePrivateKeyPem(private_key_pem);
  if (!block.ok()) return block.status();
  absl::StatusOr<PrivateKey> key = ReadKey(*block);
  if (!key.ok()) return key.status();
  return CheckChain(*chain, key->get());
}

}  // namespace portico::openssl
