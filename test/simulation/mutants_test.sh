#!/bin/sh
# usage: mutants_test.sh MUTANT...
# The simulation finds each of the planted mistakes, and says in which seed.
set -u
missed=0
for mutant in "$@"; do
    if output=$("$mutant" --seeds=300 --failures_max=1 2>&1); then
        echo "$mutant: all seeds pass" >&2
        missed=1
    elif ! echo "$output" | grep -Eq '^seed [0-9]+ (failed|crashed|hangs)$'; then
        echo "$mutant: fails without naming a seed: $output" >&2
        missed=1
    else
        echo "$mutant: $(echo "$output" | grep -E '^(seed|  [^a])' | head -3)"
    fi
done
exit $missed
