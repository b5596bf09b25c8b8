#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test.sh - runs TAP files under prove(1), one after the other, each with a time limit.
#
# usage: test.sh FILE...
#        test.sh --judge FILE...   runs nothing: sums up what $NG_TEST_OUT holds, for tests that ran elsewhere
# Failures are shown with their diagnostics, skips with their reasons; a crash, a hang, a missing plan or a file that
# does not exist is a failure. The last line is "N passed, N failed, N skipped"; exit 1 when anything failed.
# environment: NG_TEST_LIMIT (seconds for one file, default 120), NG_TEST_OUT (directory that keeps what they printed
#              and "summary", the last line)
set -eu

# One test: its output to a file (a child that outlives it must not hold a pipe open), then on to prove.
if [ "${1:-}" = --one ]; then
	file=$2
	out=$NG_TEST_OUT/$(echo "$file" | tr / _)
	rc=0
	timeout -k 5 "${NG_TEST_LIMIT:-120}" "$file" >"$out.tap" 2>&1 </dev/null || rc=$?
	cat "$out.tap"
	echo "$rc" >"$out.rc"
	exit "$rc"
fi

# judge FILE: what one test said against what it promised; prints what deserves a line, then "passed failed skipped".
judge() {
	out=$NG_TEST_OUT/$(echo "$1" | tr / _)
	rc=none
	[ ! -e "$out.rc" ] || read -r rc <"$out.rc"
	[ -e "$out.tap" ] || : >"$out.tap"
	awk -v test="$1" -v rc="$rc" -v limit="${NG_TEST_LIMIT:-120}" '
	function bad(why) { print "FAILED  " test ": " why; failed++ }
	function skip(why) { print "skipped " test ": " (why ? why : "no reason given"); skipped++ }
	BEGIN { planned = -1; passed = failed = skipped = seen = 0 }
	/^1\.\.0/ { planned = 0; sub(/^1\.\.0 *#? *([Ss][Kk][Ii][Pp][A-Za-z]*)? */, ""); all = $0; next }
	/^1\.\.[0-9]+ *$/ { planned = substr($1, 4) + 0; next }
	/^not ok/ { seen++; bad($0); show = 1; next }
	/^ok .*# *[Ss][Kk][Ii][Pp]/ { seen++; show = 0; sub(/.*# *[Ss][Kk][Ii][Pp][A-Za-z]* */, ""); skip($0); next }
	/^ok/ { seen++; passed++; show = 0; next }
	show && /^#/ { print "        " $0; next }
	{ last = $0 }
	END {
		if (rc == "none") bad("was not run")
		else if (rc == 124 || rc == 137) bad("hang: not done after " limit " s, " seen " results")
		else if (rc > 128) bad("crash: signal " rc - 128 " after " seen " results")
		else if (planned < 0) bad("no plan after " seen " results, exit " rc (last ? ": " last : ""))
		else if (planned != seen) bad("planned " planned ", " seen " results, exit " rc)
		else if (rc != 0 && !failed) bad("exit " rc " though nothing failed")
		else if (planned == 0) skip(all)
		print passed, failed, skipped
	}' "$out.tap"
}

judge_only=''
if [ "${1:-}" = --judge ]; then
	judge_only=1
	shift
fi
self=$(cd "$(dirname "$0")" && pwd)/${0##*/}
tmp=''
[ $# -gt 0 ] || { echo "test.sh: no tests given" >&2; exit 2; }
if [ -z "${NG_TEST_OUT:-}" ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	NG_TEST_OUT=$tmp
fi
export NG_TEST_OUT
mkdir -p "$NG_TEST_OUT"
prove_rc=0
[ -n "$judge_only" ] || rm -f "$NG_TEST_OUT"/*.tap "$NG_TEST_OUT"/*.rc "$NG_TEST_OUT/summary"
[ -n "$judge_only" ] || prove --timer --exec "$self --one" "$@" || prove_rc=$?

passed=0 failed=0 skipped=0
for test; do
	judge "$test" >"$NG_TEST_OUT/judged"
	sed '$d' "$NG_TEST_OUT/judged"
	read -r p f s <<-EOF
	$(tail -n 1 "$NG_TEST_OUT/judged")
	EOF
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
rm -f "$NG_TEST_OUT/judged"
if [ "$prove_rc" -ne 0 ] && [ "$failed" -eq 0 ]; then
	echo "FAILED  prove: exit $prove_rc, see above"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped" | tee "$NG_TEST_OUT/summary"
[ "$failed" -eq 0 ]
