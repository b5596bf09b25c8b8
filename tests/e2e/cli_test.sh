#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The command line itself: options, verbs, help, batches, namespaces, exit status, failed writes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
ip netns add peer

# rows: exit status | words | pattern on stdout | pattern on stderr; an empty pattern: nothing is there
row=0
# shellcheck disable=SC2034 # used by eval
while IFS='|' read -r want_rc words out err; do
	case $want_rc in '' | '#'*) continue ;; esac
	row=$((row + 1))
	eval "run ng $words"
	is "$rc" "$want_rc" "[$words]: exit status"
	for stream in out err; do
		eval "pattern=\$$stream"
		if [ -n "$pattern" ]; then
			like $stream "$pattern" "[$words]: std$stream"
		else
			is "$(cat "$tmp/$stream")" '' "[$words]: nothing on std$stream"
		fi
	done
done <<'EOF'
0|-h|^usage: nicgate|
0|--help|^  -n, --netns NAME.PATH.PID|
0|help|^  capture |
0|help help|^usage: nicgate|
0|help attach|^usage: nicgate attach DEV|
0|attach --help|^usage: nicgate attach DEV|
0|acl add ng0 --help|^usage: nicgate acl add DEV|
0|capture -h|^usage: nicgate capture|
0|-V|^libbpf: [0-9]|
0|--version|^kernel: [0-9]|
0|-j -V|^{"schema":1,"nicgate":"[0-9.]*","libbpf":"|
0|-p -V|^  "libxdp": "|
0|-jqv --color=never --bpffs /x -V|^{"schema"|
2|frobnicate||unknown verb 'frobnicate'
2|atach||did you mean 'attach'?
2|att||verbs: status, attach,
2|help atach||did you mean 'attach'?
2|-x||unknown option '-x'
2|-jx status|^{"schema":1,"error":{.*unknown option '-x'|
2|--jso||did you mean '--json'?
2|--net peer status||unknown option '--net'
2|--json=1||takes no value
2|-n||option '-n' needs a value: NAME
2|--bpffs||option '--bpffs' needs a value: DIR
2|status --watch||there are no options here
2|filter explain -j udp||^  try:  nicgate -j filter ..    (global options come first)$
2|stats -n peer||^  try:  nicgate -n peer stats ..    (global options come first)$
2|stats --by both||valid here: verdict, reason$
2|--color=blue||auto, always or never, not 'blue'
2|-b x status||with -b the verbs come from 'x'
2|-j atach|^{"schema":1,"error":{"exit":2,.*"why":\["did you mean 'attach'?"|
3|-n pee status||did you mean 'peer'?
3|-n 99999999 status||no such network namespace
3|-n /nonexistent/ns status||no such network namespace
3|-n /dev/null status||not a network namespace
3|-b /nonexistent/file||cannot open the batch file
3|attach ng7||ng7: no such interface: No such device \[ENODEV\]
3|-n peer attach lq||did you mean 'lo'?
EOF
is "$row" 38 "every row was run"

run ng attach "$(printf '%05000d' 0)"
is "$rc" 3 "a name longer than any interface's: exit status"

# Errors go to stderr and results to stdout: an unknown verb enters no namespace first.
run ng -n nowhere atach
like err "unknown verb 'atach'" "words are checked before anything is entered"

# nicgatedump is capture under a name of its own.
ln -s "$NICGATE" "$tmp/nicgatedump"
run "$tmp/nicgatedump" --help
like out '^usage: nicgate capture' "nicgatedump is nicgate capture"

# Batches
batch() { printf '%s\n' "$@" >"$tmp/batch"; }
batch '# a comment' '' '  help "attach" # and more' "help 'acl'"
run ng -b "$tmp/batch"
is "$rc" 0 "a batch runs its lines"
like out '^usage: nicgate attach' "a batch: the first line"
like out '^usage: nicgate acl' "a batch: the second"
run ng -b - <"$tmp/batch"
is "$rc $(grep -c '^usage: ' "$tmp/out")" '0 2' "a batch from stdin"
batch 'help attach' '' "  atach ng0" 'help acl'
run ng -b "$tmp/batch"
is "$rc" 2 "a batch: the status is that of the line that failed"
like err "error: $tmp/batch:3:3: unknown verb 'atach'" "a batch: the error names file, line and column"
like err '^  *  atach ng0$' "a batch: and shows the line"
unlike out '^usage: nicgate acl' "a batch stops there"
batch "help 'attach"
run ng -b "$tmp/batch"
is "$rc" 2 "a batch: an unclosed quote is an error"
like err ":1:6: this quote is not closed" "a batch: and says where"
batch 'attach ng7'
run ng -j -b "$tmp/batch"
is "$rc" 3 "a batch: the status of the verb"
like out '"object":"ng7",.*"file":".*/batch","line":1,' "a batch: its place in JSON"
run ng -b "$tmp"
is "$rc" 1 "a directory is no batch"

# A namespace by name, path and process; only the network namespace is entered.
for ns in peer /run/netns/peer; do
	run ng -n $ns attach lq
	like err 'interfaces in this network namespace: lo\(, gre0.*\)\{0,1\}$' "-n $ns: entered"
done
ip link add ng9 type veth peer name ng8 2>/dev/null || skip "needs veth devices"
run ng -n $$ attach lq
like err 'ng9' "-n PID: entered"
run ng -n peer -vv attach lq
like err 'trace: setns peer: ok' "-vv shows the operations"
run ng -n peer attach lq
unlike err 'trace' "without -v nothing is traced"

# Writes that fail
rc=0
"$NICGATE" -V >/dev/full 2>"$tmp/err" || rc=$?
is "$rc" 1 "a full stdout: exit status"
like err 'No space left on device \[ENOSPC\]' "a full stdout: said"
rc=0
"$NICGATE" -j -V >/dev/full 2>"$tmp/err" || rc=$?
is "$rc" 1 "a full stdout, JSON: exit status"
like err 'No space left on device \[ENOSPC\]' "a full stdout, JSON: said on stderr"
rc=0
"$NICGATE" help >&- 2>"$tmp/err" || rc=$?
is "$rc" 1 "a closed stdout: exit status"
like err 'Bad file descriptor \[EBADF\]' "a closed stdout: said"

# libpcap is opened when a filter is compiled: where there is none, the rest works.
mkdir "$tmp/lib"
touch "$tmp/lib/libpcap.so.0.8" "$tmp/lib/libpcap.so.1"
run env LD_LIBRARY_PATH="$tmp/lib" "$NICGATE" filter dump udp port 53
is "$rc" 5 "no libpcap: a filter, exit status"
like err 'libpcap: cannot be loaded' "no libpcap: named"
like err 'apt install libpcap' "no libpcap: how to get it"
run env LD_LIBRARY_PATH="$tmp/lib" "$NICGATE" -j --version
is "$rc" 0 "no libpcap: --version, exit status"
like out '"libpcap":null' "no libpcap: --version says so"
run env LD_LIBRARY_PATH="$tmp/lib" "$NICGATE" status
is "$rc" 0 "no libpcap: status"

# Privilege: named, not "must be root".
if command -v setpriv >/dev/null; then
	run setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all --bounding-set -all "$NICGATE" -n peer status
	is "$rc" 4 "no privilege to enter a namespace: exit status"
	like err 'CAP_SYS_ADMIN' "no privilege to enter a namespace: named"
else
	skip "needs setpriv (package util-linux)"
fi

# Colour only where it was asked for, or on a terminal.
run ng --color=always atach
like err "$(printf '\033')" "--color=always colours"
run ng --color atach
like err "$(printf '\033')" "--color alone too"
run ng atach
unlike err "$(printf '\033')" "not into a file"
done_testing
