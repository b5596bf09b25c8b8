#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# check.sh - everything from a bare Debian 12 to passed tests: installs packages, builds, tests. As root.
#
# The last line is "N passed, N failed, N skipped"; exit 1 when anything failed.
# Arguments go to make, e.g. check.sh SAN=1 or check.sh TESTS=acl.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "check.sh: $1"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

out=build/check
mkdir -p $out
rm -f $out/summary
scripts/deps.sh || fail "cannot install the packages"
make --no-print-directory -j"$(nproc)" tests "$@" 2>&1 || fail "the build failed"
rc=0
NG_TEST_OUT=$PWD/$out make --no-print-directory check "$@" 2>&1 || rc=$?
[ -s $out/summary ] || fail "the tests did not run"
[ "$rc" -eq 0 ] || cat $out/summary # make has said that it failed; the sums stay the last line
exit "$rc"
