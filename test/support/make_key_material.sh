#!/bin/sh
# Makes keys and certificates for tests and prints them as a C++ header. They are made when the test is built, so no
# private key is in the repository and no fixed date runs out.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
new_key() { # name, then the arguments of genpkey
  name=$1; shift
  openssl genpkey "$@" -out "$name.key" 2>/dev/null
}
sign() { # name, issuer ("" for itself), days, extensions
  openssl req -new -key "$1.key" -subj "/O=Portico test/CN=$1" -out "$1.csr" 2>/dev/null
  printf '%s\n' "$4" > "$1.ext"
  if [ -n "$2" ]; then
    openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days "$3" -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  else
    openssl x509 -req -in "$1.csr" -signkey "$1.key" -days "$3" -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  fi
}
authority='basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign'
p256='-algorithm EC -pkeyopt ec_paramgen_curve:P-256'
new_key root $p256
sign root "" 3650 "$authority"
new_key intermediate $p256
sign intermediate root 3650 "$authority"
new_key leaf $p256
sign leaf intermediate 30 'subjectAltName=DNS:Shop.example,DNS:*.shop.example,IP:127.0.0.1'
new_key other $p256
sign other intermediate 30 'subjectAltName=DNS:other.example'
new_key rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
sign rsa2048 root 30 'subjectAltName=DNS:rsa.example'
new_key rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
sign rsa1024 root 30 'subjectAltName=DNS:weak.example'
new_key p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
sign p384 root 30 'subjectAltName=DNS:p384.example'
new_key p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
sign p521 root 30 'subjectAltName=DNS:p521.example'
new_key ed25519 -algorithm ED25519
sign ed25519 root 30 'subjectAltName=DNS:ed.example'
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out leaf_encrypted.key
openssl rsa -in rsa2048.key -traditional -out rsa2048_traditional.key 2>/dev/null
openssl rsa -in rsa2048.key -traditional -aes128 -passout pass:secret -out rsa2048_encrypted.key 2>/dev/null
openssl ec -in leaf.key -out leaf_sec1.key 2>/dev/null

echo '// Made by test/support/make_key_material.sh.'
echo '#ifndef PORTICO_TEST_SUPPORT_KEY_MATERIAL_H_'
echo '#define PORTICO_TEST_SUPPORT_KEY_MATERIAL_H_'
echo 'namespace portico::test {'
constant() { printf 'inline constexpr char %s[] = R"pem(' "$1"; cat "$2"; echo ')pem";'; }
for name in root intermediate leaf other rsa2048 rsa1024 p384 p521 ed25519; do
  constant "k_${name}_certificate" "$name.crt"
done
for file in *.key; do constant "k_${file%.key}_key" "$file"; done
echo '}  // namespace portico::test'
echo '#endif  // PORTICO_TEST_SUPPORT_KEY_MATERIAL_H_'
