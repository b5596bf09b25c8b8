#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels.sh - the BPF, end-to-end and kernel tests inside other kernels; `make kernels`.
#
# usage: kernels.sh KERNEL...	 (6.1 | 6.12 | 6.18 | latest | .., see run-in-kernel.sh)
# The tests are built already; they run in the guest from this tree, with NG_QUICK=1. Their output is kept in
# $NG_BUILD/kernels/KERNEL/TEST.tap, how long each took in "seconds" there. The last line is "N passed, N failed, N skipped" over all kernels; a kernel that
# cannot be had is one skip. A test that crashes, hangs, never ran, or does not do what it planned is a failure.
# environment: NG_BUILD (default build), NG_KERNELS_TESTS (default: all), NG_KERNELS_JOBS (guests at a time, and per kernel, default 2),
#              NG_KERNELS_LIMIT (seconds per guest, default 1200), those of run-in-kernel.sh.
set -eu
cd "$(dirname "$0")/.."
build=${NG_BUILD:-build}
limit=${NG_KERNELS_LIMIT:-1200}
jobs=${NG_KERNELS_JOBS:-2}
test_limit=150 # seconds for one file, in the guest

# guest OUT TEST...: what runs inside; leaves there what scripts/test.sh --judge reads. Several guests share OUT, and
# each takes the next test that none has taken.
guest() {
	out=$1
	shift
	NICGATE=$PWD/$build/nicgate NG_TOOLS=$PWD/$build/tests/tools NG_BUILD=$PWD/$build NG_QUICK=1
	export NICGATE NG_TOOLS NG_BUILD NG_QUICK
	uname -r >"$out/release"
	for t; do
		file=$out/$(echo "$t" | tr / _)
		mkdir "$file.taken" 2>/dev/null || continue
		rc=0
		read -r from _ </proc/uptime
		timeout -k 5 $test_limit "$t" >"$file.tap" 2>&1 </dev/null || rc=$?
		read -r to _ </proc/uptime
		echo "$rc" >"$file.rc"
		echo "$((${to%.*} - ${from%.*})) $t" >>"$out/seconds"
	done
}

# report KERNEL: prints one kernel's results and adds them to the sums
report() {
	out=$build/kernels/$1
	if grep -q '^77 ' "$out/status.1"; then
		echo "$1: skipped: $(tail -n 1 "$out/log.1")"
		skipped=$((skipped + 1))
		return
	fi
	# shellcheck disable=SC2086 # the list of tests
	NG_TEST_LIMIT=$test_limit NG_TEST_OUT=$out scripts/test.sh --judge $tests >"$out/report" || :
	sed -e '$d' -e "s/^/$1: /" "$out/report"
	read -r p _ f _ s _ <"$out/summary"
	longest=0
	for n in $guests; do
		read -r rc seconds <"$out/status.$n"
		[ "$seconds" -lt "$longest" ] || longest=$seconds
		[ "$rc" -eq 0 ] && continue
		echo "$1: FAILED  run-in-kernel.sh: exit $rc"
		sed "s/^/$1:         /" "$out/log.$n"
		f=$((f + 1))
	done
	echo "$1: $p passed, $f failed, $s skipped in $longest s ($(cat "$out/release" 2>/dev/null || echo "never came up"))"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# run KERNEL N: guest N of that kernel; leaves its status, log and results in $build/kernels/KERNEL
run() {
	out=$build/kernels/$1
	rc=0
	from=$(date +%s)
	# shellcheck disable=SC2086 # the list of tests
	scripts/run-in-kernel.sh -x -t "$limit" -w "$out" -K "$out/console.$2" "$1" \
		sh scripts/kernels.sh --guest "$out" $tests >"$out/log.$2" 2>&1 || rc=$?
	echo "$rc $(($(date +%s) - from))" >"$out/status.$2"
}

case ${1:-} in
'') echo "usage: kernels.sh KERNEL..." >&2; exit 2 ;;
--guest) shift; guest "$@"; exit 0 ;;
--run) tests=$NG_KERNELS_TESTS; run "$2" "$3"; exit 0 ;;
esac

tests=${NG_KERNELS_TESTS:-}
if [ -z "$tests" ]; then
	for t in "$build"/tests/bpf/*_test tests/e2e/*_test.sh tests/kernels/*_test.sh; do
		[ ! -x "$t" ] || tests="$tests $t"
	done
fi
export NG_KERNELS_TESTS="$tests" NG_BUILD="$build"
passed=0 failed=0 skipped=0
guests=$(seq "$jobs")
for k; do
	rm -rf "${build:?}/kernels/$k"
	mkdir -p "$build/kernels/$k"
	for n in $guests; do
		echo "$k $n"
	done
done | xargs -P "$jobs" -n 2 scripts/kernels.sh --run
for k; do
	report "$k"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
