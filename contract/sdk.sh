#!/usr/bin/env bash
# The official SDK drives the simulator: what it sends is accepted, what it gets
# it understands.  Prints "N passed, N failed" last; "skipped: why" without npm.
#
# usage: contract/sdk.sh [--in DIR]    (DIR: a work directory of scripts/check)

# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
	echo "skipped: the SDK, because npm is not there"
	echo "0 passed, 0 failed, 1 skipped"
	exit
fi
if [ "${1:-}" = --in ]; then
	join_work "$2"
else
	setup_packages
	setup_work
	build_simulator
fi
npm_modules
start_sim
GC_NODE_MODULES=$modules GC_SIM_URL=$sim_url run node "$src/contract/sdk.mjs"
