#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Programs of processes, of pins, and of libxdp's dispatcher: named with their owners, never touched.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth
obj=${NICGATE%/*}
[ -r "$obj/xdp/gate.bpf.o" ] || skip_all "needs $obj/xdp/gate.bpf.o as somebody else's program"

# refused WHAT PATTERN: attach is refused and the message has the pattern
refused() {
	run ng attach ng0
	is "$rc" 1 "$1: attach is refused"
	like err "$2" "$1: named with its owner"
	is "$(ng -j status ng0 | grep -c '"state":"attached"')" 0 "$1: nothing of ours stays"
}

# --- a link held by a process: a capture at the driver hook
bg ng capture -i ng0 --hook xdp -w "$tmp/x.pcapng" 2>/dev/null
capture=$bg
has_xdp() { ip link show ng0 | grep -q xdp; }
wait_for 5 has_xdp
is "$?" 0 "a capture takes the driver hook"
refused "a process" "\"ng_xdp_taps\", .* mode; owner: nicgate (pid $capture)"
run ng status ng0
like out "^ng0 *xdp .* temporary .*nicgate (pid $capture)" "status shows its owner"
run ng detach --all
is "$rc" 0 "detach --all"
has_xdp
is "$?" 0 "leaves it"
kill "$capture"
no_xdp() { ! has_xdp; }
wait_for 5 no_xdp
is "$?" 0 "it goes with its process"

# --- a program that somebody pinned
bpftool prog load "$obj/xdp/gate.bpf.o" /sys/fs/bpf/theirs type xdp
bpftool net attach xdpgeneric pinned /sys/fs/bpf/theirs dev ng0
refused "a pin" 'generic mode; owner: pinned at /sys/fs/bpf/theirs'
bpftool net detach xdpgeneric dev ng0
rm /sys/fs/bpf/theirs

# --- libxdp's dispatcher, where the kernel lets it build one
xdp-loader load -m native ng0 "$obj/xdp/gate.bpf.o" >/dev/null 2>&1
if xdp-loader status ng0 | grep -q xdp_dispatcher; then
	refused "a dispatcher" 'program id [0-9]*, "xdp_dispatcher", native mode'
	like err 'component id [0-9]*, "ng_xdp" (libxdp dispatcher, priority 50)' "its components are named"
	like err 'xdp-loader unload ng0 --all' "with the way out"
	run ng status ng0
	like out '^ng0 *xdp *native *foreign *xdp_dispatcher' "status shows the dispatcher"
	like out '^ng0 *xdp *component *foreign *ng_xdp .*priority 50' "and its components"
	xdp-loader unload ng0 --all
	ng attach ng0 --hook xdp 2>/dev/null >&2
	run xdp-loader load -m native ng0 "$obj/xdp/gate.bpf.o"
	is "$((rc != 0))" 1 "xdp-loader refuses to replace ours"
	run ng status ng0
	like out '^ng0 *xdp *native *attached' "which is still in force"
	ng detach ng0 >/dev/null
else
	skip "needs BPF_PROG_TYPE_EXT, which this kernel refuses, for libxdp's dispatcher"
	xdp-loader unload ng0 --all 2>/dev/null
fi
run ng attach ng0 --hook xdp
is "$rc" 0 "attach when everybody has gone"
done_testing
