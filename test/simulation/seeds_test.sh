#!/bin/sh
# usage: seeds_test.sh SIMULATION
# All that must always be true is, in every seed.
exec "$1" --seeds=200
