#!/bin/bash
# While a store is being opened probes are answered, and a signal ends the process. What takes long here is the key's
# file: a pipe that nobody writes to.
set -euo pipefail
folder="$(mktemp -d "${TEST_TMPDIR:-/tmp}/start_test_XXXXXX")"
trap 'rm -rf "$folder"' EXIT
mkfifo -m 600 "$folder/secrets.key"

coproc control_plane {
  exec "$1" "--store=sqlite:$folder/portico.db" "--secrets_key_file=$folder/secrets.key" --api_address=127.0.0.1:0 \
    --discovery_address=127.0.0.1:0 --admin_address=127.0.0.1:0 2>"$folder/errors"
}
process=$control_plane_PID
trap 'kill -KILL "$process" 2>/dev/null || true; rm -rf "$folder"' EXIT
fail() { echo "$1"; cat "$folder/errors"; exit 1; }

read -r -t 30 line <&"${control_plane[0]}" || fail "no address of probes"
[[ "$line" =~ ^admin_address=127\.0\.0\.1:([0-9]+)$ ]] || fail "not the address of probes: $line"
port=${BASH_REMATCH[1]}

answer() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
  timeout 30 cat <&3
  exec 3>&-
}
answered="$(answer /live)"
[[ "$answered" == HTTP/1.?\ 200* ]] || fail "/live: $answered"
answered="$(answer /ready)"
[[ "$answered" == HTTP/1.?\ 503*"not ready: the store is being opened"* ]] || fail "/ready: $answered"
answered="$(answer /metrics)"
[[ "$answered" == HTTP/1.?\ 200* ]] || fail "/metrics: $answered"

kill -TERM "$process"
code=0
timeout 30 tail --pid="$process" -f /dev/null || fail "a signal does not end it"
wait "$process" 2>/dev/null || code=$?
[[ $code == 143 ]] || fail "exit code $code"
