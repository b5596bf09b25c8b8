#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels.sh - the BPF, end-to-end and kernel tests inside other kernels; `make kernels`.
#
# usage: kernels.sh KERNEL...	 (6.1 | 6.12 | 6.18 | latest | .., see run-in-kernel.sh)
# The tests are built already; they run in the guest from this tree, with NG_QUICK=1. Their output is kept in
# $NG_BUILD/kernels/KERNEL/TEST.tap. The last line is "N passed, N failed, N skipped" over all kernels; a kernel that
# cannot be had is one skip. A test that crashes, hangs, never ran, or does not do what it planned is a failure.
# environment: NG_BUILD (default build), NG_KERNELS_TESTS (default: all), NG_KERNELS_JOBS (guests at a time, default 2),
#              NG_KERNELS_LIMIT (seconds per kernel, default 240), those of run-in-kernel.sh.
set -eu
cd "$(dirname "$0")/.."
build=${NG_BUILD:-build}
limit=${NG_KERNELS_LIMIT:-240}
test_limit=60 # seconds for one file, in the guest

guest() {	# guest OUT TEST...: what runs inside; one .tap and one .rc for each test
	out=$1
	shift
	NICGATE=$PWD/$build/nicgate NG_TOOLS=$PWD/$build/tests/tools NG_BUILD=$PWD/$build NG_QUICK=1 NG_KERNEL=$(uname -r)
	export NICGATE NG_TOOLS NG_BUILD NG_QUICK NG_KERNEL
	echo "$NG_KERNEL" >"$out/release"
	for t; do
		name=$(echo "$t" | tr / _)
		rc=0
		read -r from _ </proc/uptime
		timeout -k 5 $test_limit "$t" >"$out/$name.tap" 2>&1 || rc=$?
		read -r to _ </proc/uptime
		echo "$rc $((${to%.*} - ${from%.*}))" >"$out/$name.rc"
	done
}

# judge KERNEL TEST FILE RC SECONDS: prints what deserves a line, and last "passed failed skipped"
judge() {
	awk -v kernel="$1" -v test="$2" -v rc="$4" -v seconds="$5" '
	function bad(why) { print kernel ": " test ": " why; failed++ }
	BEGIN { planned = -1; passed = failed = skipped = seen = 0 }
	/^1\.\.0/ { planned = 0; skipped++; sub(/^1\.\.0 *#? */, ""); print kernel ": " test ": skipped: " $0; next }
	/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; next }
	/^not ok/ { seen++; bad($0); show = 1; next }
	/^ok .*# SKIP/ { seen++; skipped++; sub(/.*# SKIP */, ""); print kernel ": " test ": skipped: " $0; next }
	/^ok / { seen++; passed++; show = 0; next }
	show && /^#/ { print }
	END {
		if (rc == 124 || rc == 137) bad("not done after " seconds " s")
		else if (rc > 128) bad("killed by signal " rc - 128)
		else if (planned < 0) bad("no plan after " seen " results, exit " rc)
		else if (planned != seen) bad(planned " planned, " seen " seen, exit " rc)
		else if (rc && !failed) bad("exit " rc)
		print passed, failed, skipped
	}' "$3"
}

# report KERNEL STATUS: adds one kernel's results to the sums
report() {
	out=$build/kernels/$1
	if [ "$2" -eq 77 ]; then
		echo "$1: skipped: $(tail -n 1 "$out/log")"
		skipped=$((skipped + 1))
		return
	fi
	kp=0 kf=0 ks=0
	for t in $tests; do
		name=$(echo "$t" | tr / _)
		rc=missing seconds=0
		[ ! -f "$out/$name.rc" ] || read -r rc seconds <"$out/$name.rc"
		if [ "$rc" = missing ]; then
			echo "$1: $t: did not run to its end"
			kf=$((kf + 1))
			continue
		fi
		judge "$1" "$t" "$out/$name.tap" "$rc" "$seconds" >"$out/judged"
		sed '$d' "$out/judged"
		read -r p f s <<-EOT
		$(tail -n 1 "$out/judged")
		EOT
		kp=$((kp + p)) kf=$((kf + f)) ks=$((ks + s))
	done
	if [ "$2" -ne 0 ]; then
		echo "$1: run-in-kernel.sh: exit $2"
		sed "s/^/$1:   /" "$out/log"
		kf=$((kf + 1))
	fi
	echo "$1 ($(cat "$out/release" 2>/dev/null || echo "never came up")): $kp passed, $kf failed, $ks skipped, $(cat "$out/seconds") s"
	passed=$((passed + kp)) failed=$((failed + kf)) skipped=$((skipped + ks))
}

# run KERNEL: leaves its status, log and results in $build/kernels/KERNEL
run() {
	out=$build/kernels/$1
	rm -rf "$out"
	mkdir -p "$out"
	rc=0
	from=$(date +%s)
	# shellcheck disable=SC2086 # the list of tests
	scripts/run-in-kernel.sh -x -t "$limit" -w "$out" -K "$out/console" "$1" \
		sh scripts/kernels.sh --guest "$out" $tests >"$out/log" 2>&1 || rc=$?
	echo "$rc" >"$out/status"
	echo $(($(date +%s) - from)) >"$out/seconds"
}

case ${1:-} in
'') echo "usage: kernels.sh KERNEL..." >&2; exit 2 ;;
--guest) shift; guest "$@"; exit 0 ;;
--run) tests=$NG_KERNELS_TESTS; run "$2"; exit 0 ;;
esac

tests=${NG_KERNELS_TESTS:-}
if [ -z "$tests" ]; then
	for t in "$build"/tests/bpf/*_test tests/e2e/*_test.sh tests/kernels/*_test.sh; do
		[ ! -x "$t" ] || tests="$tests $t"
	done
fi
export NG_KERNELS_TESTS="$tests" NG_BUILD="$build"
passed=0 failed=0 skipped=0
printf '%s\n' "$@" | xargs -P "${NG_KERNELS_JOBS:-2}" -n 1 scripts/kernels.sh --run
for k; do
	report "$k" "$(cat "$build/kernels/$k/status")"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
