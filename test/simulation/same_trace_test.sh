#!/bin/sh
# usage: same_trace_test.sh SIMULATION
# A seed leaves the same trace in two processes, whatever their memory looks like and whatever ran before it: one goes
# through the seeds in one go, the other starts anew for each.
set -eu
seeds=12
for run in one two; do
    mkdir -p "$TEST_TMPDIR/$run"
done
"$1" --seeds=$seeds --hashes | grep '^seed' > "$TEST_TMPDIR/one/hashes"
seed=1
while [ $seed -le $seeds ]; do
    env MALLOC_ARENA_MAX=$seed SOME_MORE_ENVIRONMENT="$(seq 1 $((seed * 50)))" \
        "$1" --seeds=1 --first_seed=$seed --hashes | grep '^seed' >> "$TEST_TMPDIR/two/hashes"
    seed=$((seed + 1))
done
if [ "$(wc -l < "$TEST_TMPDIR/one/hashes")" != $seeds ]; then
    echo "not every seed said its trace" >&2
    exit 1
fi
diff "$TEST_TMPDIR/one/hashes" "$TEST_TMPDIR/two/hashes"
