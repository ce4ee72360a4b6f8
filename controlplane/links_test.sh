#!/bin/bash
# The control plane links OpenSSL and never BoringSSL: the two have the same symbols.
set -euo pipefail
libraries="$(ldd "$1")"
if grep -q android <<<"$libraries"; then
  echo "portico-controlplane links BoringSSL:"; grep android <<<"$libraries"; exit 1
fi
grep -q 'libcrypto.so.3' <<<"$libraries"
