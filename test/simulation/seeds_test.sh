#!/bin/sh
# usage: seeds_test.sh SIMULATION SEEDS
# All that must always be true is, in every seed. Bazel runs the seeds in shards, each of which has its own.
set -eu
shards=${TEST_TOTAL_SHARDS:-1}
[ -z "${TEST_SHARD_STATUS_FILE:-}" ] || touch "$TEST_SHARD_STATUS_FILE"
seeds=$(($2 / shards))
# Most of a run is touching fresh memory: what is freed is watched for as long as a seed lasts, no longer.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=16
export ASAN_OPTIONS
exec "$1" --seeds=$seeds --first_seed=$((1 + seeds * ${TEST_SHARD_INDEX:-0}))
