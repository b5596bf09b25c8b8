#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# lint.sh - static checks: layout of C, shell, heads of files, directions of includes, headers, manual pages, paths.
#
# usage: lint.sh [CHECK]...    (default: all; see the end for their names)
# Prints what is wrong, one line each where it can; the last line says how many checks found something.
set -u
cd "$(dirname "$0")/.." || exit
PATH=$PATH:/usr/sbin:/sbin

c_files=$(git ls-files '*.c' '*.h')
headers=$(git ls-files '*.h')
shell_files=$(git ls-files '*.sh' .ci/run)
nl='
'

# found TEXT WHY: a check's findings; nothing when TEXT is empty
found() {
	[ -n "$1" ] || return 0
	printf '%s\n' "$1" | sed "s|^|$2: |"
	return 1
}

# includes FILES-PATTERN HEADERS-PATTERN: "file:line:#include .." where a file like the first includes one like the second
includes() { git grep -nE "^#[[:space:]]*include \"($2)" -- "$1" 2>/dev/null; }

check_layout() {
	# shellcheck disable=SC2086 # the files
	clang-format --dry-run -Werror $c_files 2>&1 | grep -E '(error|warning):' | cut -d: -f1,2 | sort -u >"$tmp/layout"
	found "$(cat "$tmp/layout")" "clang-format -i"
}

check_shell() {
	# shellcheck disable=SC2086 # the files
	# SC2317: functions given to wait_for, run or trap by name look unreachable
	shellcheck -x -P SCRIPTDIR -e SC2317 $shell_files
}

# SPDX first (behind #!, a shellcheck directive or a macro's comment), then a sentence on what the file owns.
check_heads() {
	bad=''
	for f in $c_files $shell_files Makefile; do
		head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || bad="$bad$f: no SPDX line$nl"
		case $f in
		*.c | *.h) sed -n '2,3p' "$f" | grep -qE '^(/\*| \*)' || bad="$bad$f: no sentence that says what it owns$nl" ;;
		esac
	done
	found "${bad%"$nl"}" "head"
}

# The arrows of docs/architecture.md.
check_directions() {
	{
		includes 'maps/*' 'ctl/|xdp/|tc/'
		includes 'maps/*.bpf.h' 'maps/[a-z_]*\.h' | grep -vE 'maps/(acl_)?abi\.h|\.bpf\.h'
		includes 'maps/abi.h' '.*' | grep -v maps/acl_abi\\.h
		includes 'maps/acl_abi.h' '.*'
		includes 'xdp/*' 'ctl/|tc/'
		includes 'tc/*' 'ctl/|xdp/gate'
		includes 'ctl/base/*' 'maps/|xdp/|tc/|ctl/(filter|policy|dataplane|capture|net|cmd)/'
		includes 'ctl/filter/*' 'maps/(pins|tap|acl|counters)|xdp/|tc/|ctl/(policy|dataplane|capture|net|cmd)/'
		includes 'ctl/net/*' 'xdp/|tc/|ctl/(filter|policy|dataplane|capture|cmd)/'
		includes 'ctl/policy/*' 'xdp/|tc/|ctl/(filter|dataplane|capture|cmd)/'
		includes 'ctl/dataplane/*' 'xdp/|tc/|ctl/(policy|capture|cmd)/'
		includes 'ctl/capture/*' 'xdp/|tc/|ctl/cmd/'
		includes 'ctl/cmd/*' 'ctl/main'
		# a verb may use what cmd/ shares (cmd.h, help.h ..), never another verb
		for v in attach detach status capture acl stats filter demo; do
			includes 'ctl/cmd/*' "ctl/cmd/$v(_[a-z]+)?\\.[ch]" | grep -v "^ctl/cmd/$v"
		done
		git grep -nE '#[[:space:]]*include "[^"]*\.c"' -- '*.c' '*.h' ':!tests'
	} >"$tmp/directions"
	found "$(sort -u "$tmp/directions")" "include against the arrows"
}

# End-to-end tests know the binary and the tests' tools, nothing inside.
check_black_box() {
	found "$(git grep -nE '(^|[^a-z_./-])(ctl|maps|xdp|tc)/[a-z_]+\.(c|h|bpf)' -- 'tests/e2e/*_test.sh')" "end-to-end test looks inside"
}

# Every header compiles alone; those for BPF programs with clang.
check_headers() {
	flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-function -Wno-unused-const-variable -I. $(pkg-config --cflags libnl-3.0)"
	arch=/usr/include/$(gcc -print-multiarch)
	bad=''
	for h in $headers; do
		compiler="gcc $flags"
		case $h in
		tests/tap.h) compiler="$compiler -Wno-unused" ;;
		*.bpf.h) compiler="clang -target bpf -std=gnu11 -O2 -Wall -I. -idirafter $arch -Wno-unused" ;;
		esac
		echo "#include \"$h\"" >"$tmp/header.c"
		$compiler -c -o /dev/null "$tmp/header.c" 2>"$tmp/header.log" || bad="$bad$h: $(grep -m 1 error "$tmp/header.log")$nl"
	done
	found "${bad%"$nl"}" "header does not compile alone"
}

check_manual() {
	pages=$(git ls-files 'docs/*.[1-8]')
	# shellcheck disable=SC2086 # the files
	[ -z "$pages" ] || mandoc -Tlint -Wstyle $pages 2>"$tmp/manual" || { cat "$tmp/manual"; return 1; }
}

# Nothing from the machine it was written on; no text a tool left.
check_paths() {
	found "$(git grep -nIE '(^|[^A-Za-z0-9_.$}/-])/(work|home|root)/' -- . ':!scripts/lint.sh' ':!LICENSE')" "path of one machine" &&
		found "$(git grep -nIE '^(<<<<<<<|>>>>>>>|=======$)' -- .)" "conflict mark" &&
		found "$(git grep -nIE '\b(TODO|FIXME|XXX)\b' -- . ':!scripts/lint.sh' ':!LICENSE')" "unfinished" &&
		found "$(git grep -nIE '[[:space:]]+$' -- . ':!LICENSE' ':!*.pcap*')" "blank at the end"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ $# -gt 0 ] || set -- layout shell heads directions black_box headers manual paths
failures=0
for check; do
	if ! "check_$check"; then
		echo "lint: $check: failed"
		failures=$((failures + 1))
	fi
done
echo "lint: $# checks, $failures failed"
[ "$failures" -eq 0 ]
