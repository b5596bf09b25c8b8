#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The test runner: what it makes of tests that pass, fail, skip, crash, hang and lie.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
runner=$here/../../scripts/test.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset NG_TEST_OUT

command -v prove >/dev/null || { echo "1..0 # SKIP needs prove (package perl)"; exit; }

# fake NAME: a test file with the body on stdin
fake() {
	{ echo '#!/bin/sh'; cat; } >"$tmp/$1"
	chmod +x "$tmp/$1"
}
fake pass <<'EOF'
echo 'ok 1 - one'; echo 'ok 2 - two'; echo 1..2
EOF
fake fail <<'EOF'
echo 'ok 1 - one'; echo 'not ok 2 - two'; echo '#   got 3, want 4'; echo 1..2; exit 1
EOF
fake quiet_fail <<'EOF'
echo 'not ok 1 - one'; echo 1..1
EOF
fake skip <<'EOF'
echo 'ok 1 - one'; echo 'ok 2 # SKIP no frobnicator'; echo 1..2
EOF
fake skip_all <<'EOF'
echo '1..0 # SKIP needs a moon'
EOF
fake skip_all_fail <<'EOF'
echo '1..0 # SKIP needs a moon'; exit 3
EOF
fake crash <<'EOF'
echo 'ok 1 - one'; kill -SEGV $$
EOF
fake crash_late <<'EOF'
echo 'ok 1 - one'; echo 1..1; kill -ABRT $$
EOF
fake hang <<'EOF'
echo 'ok 1 - one'; sleep 60
EOF
fake no_plan <<'EOF'
echo 'ok 1 - one'
EOF
fake short <<'EOF'
echo 1..3; echo 'ok 1 - one'
EOF
fake exit_status <<'EOF'
echo 'ok 1 - one'; echo 1..1; exit 1
EOF
fake silent <<'EOF'
EOF
fake numbers <<'EOF'
echo 'ok 1 - one'; echo 'ok 1 - again'; echo 1..2
EOF
fake holds_stdout <<'EOF'
sleep 60 & echo $! >"$0.pid"; echo 'ok 1 - one'; echo 1..1
EOF

# judge FILES EXIT LAST-LINE [PATTERN]...: runs the runner, looks at its exit status, last line and other lines
judge() {
	files='' name=$1 want_rc=$2 want=$3
	shift 3
	for f in $name; do files="$files $tmp/$f"; done
	rc=0
	# shellcheck disable=SC2086 # the files
	NG_TEST_LIMIT=1 "$runner" $files >"$tmp/out" 2>&1 || rc=$?
	is "$rc $(tail -n 1 "$tmp/out")" "$want_rc $want" "$name: status and last line"
	for pattern; do
		is "$(grep -c -e "$pattern" "$tmp/out")" 1 "$name: says '$pattern'"
	done
}
judge pass 0 '2 passed, 0 failed, 0 skipped'
judge fail 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/fail: not ok 2 - two' 'got 3, want 4'
judge quiet_fail 1 '0 passed, 1 failed, 0 skipped' '^FAILED .*/quiet_fail: not ok 1'
judge skip 0 '1 passed, 0 failed, 1 skipped' '^skipped .*/skip: no frobnicator'
judge skip_all 0 '0 passed, 0 failed, 1 skipped' '^skipped .*/skip_all: needs a moon'
judge skip_all_fail 1 '0 passed, 1 failed, 0 skipped' '^FAILED .*: exit 3'
judge crash 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/crash: crash: signal 11'
judge crash_late 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/crash_late: crash: signal 6'
judge hang 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/hang: hang: not done after 1 s'
judge no_plan 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/no_plan: no plan'
judge short 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/short: planned 3, 1 results'
judge exit_status 1 '1 passed, 1 failed, 0 skipped' '^FAILED .*/exit_status: exit 1'
judge silent 1 '0 passed, 1 failed, 0 skipped' '^FAILED .*/silent: no plan'
judge numbers 1 '2 passed, 1 failed, 0 skipped' '^FAILED  prove'
judge missing 1 '0 passed, 1 failed, 0 skipped' '^FAILED .*/missing'
judge holds_stdout 0 '1 passed, 0 failed, 0 skipped'
kill "$(cat "$tmp/holds_stdout.pid")"
judge 'pass fail skip crash' 1 '5 passed, 2 failed, 1 skipped'
is "$(grep -o 'FAILED .*/[a-z]*:' "$tmp/out" | sed 's/.*\///' | tr -d '\n')" 'fail:crash:' "failures are named in the order given"

rc=0
"$runner" >"$tmp/out" 2>&1 || rc=$?
is "$rc" 2 "no test at all is an error"
done_testing
