#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Side by side with ip(8), tc(8) and bpftool(8): what they show of our programs, and what they can do to them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth
obj=${NICGATE%/*}
[ -r "$obj/xdp/gate.bpf.o" ] || skip_all "needs $obj/xdp/gate.bpf.o as somebody else's program"

# --- what they show
ng attach ng0 2>/dev/null >&2
id=$(ng -j status ng0 | sed 's/.*"program":"ng_xdp","id":\([0-9]*\).*/\1/')
tc_id=$(ng -j status ng0 | sed 's/.*"program":"ng_tc","id":\([0-9]*\).*/\1/')
run ip -d link show ng0
like out "prog/xdp id $id name ng_xdp" "ip -d link shows the program and its name"
like out 'mtu 1500 xdp ' "as native XDP"
run bpftool net show dev ng0
like out "ng0.* driver id $id" "bpftool net shows it"
run tc filter show dev ng0 egress
if ng status ng0 | grep -q tcx; then
	is "$(cat "$tmp/out")" "" "tc filter cannot see TCX links"
else
	like out "handle 0x6e67 ng_tc.* id $tc_id" "tc filter shows the cls_bpf filter by our handle"
	like out 'pref 65535 bpf' "as the last of the chain"
fi

# --- what they can do: command of ip link set dev ng0, its result
for command in "xdp off" "xdp obj $obj/xdp/gate.bpf.o sec xdp" "xdpgeneric obj $obj/xdp/gate.bpf.o sec xdp"; do
	# shellcheck disable=SC2086 # the words
	run ip -force link set dev ng0 $command
	is "$((rc != 0))" 1 "ip -force link set dev ng0 ${command%% *} ..: the kernel refuses"
	like err 'XDP\|native and generic' "and says why"
done
run ng attach ng0
like out '^ng0 *xdp *unchanged' "our program is still in force"

ng acl add ng0 drop 192.0.2.0/24 >/dev/null 2>&1
ng attach ng0 --default drop >/dev/null 2>&1
run bpftool link detach pinned "$(find /sys/fs/bpf -path '*/xdp/link')"
is "$rc" 0 "bpftool link detach takes a link off"
run ng status ng0
like out '^ng0 *xdp *native *taken off .* drop *1 ' "status tells, entries and settings are kept"
run ng acl add ng0 drop 203.0.113.0/24
is "$rc" 3 "acl refuses: not attached any more"
like err 'nicgate attach ng0 --hook xdp' "with the way out"
SSH_CONNECTION="192.0.2.7 5000 $ip0 22" run ng attach ng0 --hook xdp
is "$rc" 1 "put back with its default drop it would cut off the user's SSH session"
like err 'nicgate attach ng0 --hook xdp --default pass$' "with the way round"
run ng attach ng0 --default drop
is "$rc" 0 "attach puts it back"
like err 'somebody took our program off' "and tells"
run ng status ng0
like out '^ng0 *xdp *native *attached .* drop *1 ' "with entries and settings"
if ! ng status ng0 | grep -q tcx; then
	bg ng capture -i ng0 -Q out -w "$tmp/x.pcapng" 2>"$tmp/cap.err"
	wait_for 10 file_has "$tmp/cap.err" '^listening'
	swapped() { ! bpftool prog show id "$tc_id" >"$tmp/out" 2>&1; }
	wait_for 5 swapped
	is "$?" 0 "a program whose place another took is gone, nothing holds it"
	stop "$bg" INT
	rm /sys/fs/bpf/nicgate/n*/i100/tc-out/acl*/ng_acl_row
	run ng attach ng0 --hook tc-out
	is "$rc" 1 "a filter's gate that misses a map is not taken for an unfinished one"
	ng detach ng0 --hook tc-out >"$tmp/out"
	ng attach ng0 --hook tc-out >"$tmp/out" 2>&1
	tc qdisc del dev ng0 clsact
	run ng status ng0
	like out '^ng0 *tc-out *clsact *taken off' "tc qdisc del takes the filter off, status tells"
	run ng attach ng0
	like out '^ng0 *tc-out *attached *clsact' "attach puts it back"
fi
ng detach --all >/dev/null

# --- a program attached by ip link: generic or native, named and left alone
for word in xdpgeneric xdpdrv; do
	ip link set dev ng0 $word obj "$obj/xdp/gate.bpf.o" sec xdp
	id=$(ip -d link show ng0 | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p')
	run ng attach ng0
	is "$rc" 1 "$word by ip link: attach is refused"
	like err "program id $id, \"ng_xdp\", .* mode; owner: no process" "names it"
	like err 'ip link set dev ng0 xdp.* off' "with the way out"
	is "$(find /sys/fs/bpf -name 'nicgate*')" "" "nothing of ours stays"
	run ng attach lo ng0 --mode generic
	is "$rc" 1 "also when it is the second device"
	run ng status lo
	like out 'no XDP' "the first is not attached then"
	run ng status ng0
	like out "^ng0 *xdp *[a-z]* *foreign *ng_xdp *$id " "status shows it as foreign"
	run ng detach ng0
	is "$rc" 3 "detach: not ours"
	like err "program id $id" "names it"
	run ng detach --all
	is "$rc" 0 "detach --all"
	run ip -d link show ng0
	like out "id $id " "leaves it"
	run ng attach ng0 --hook tc-in
	is "$rc" 0 "tc-in goes beside it"
	ng detach ng0 >/dev/null
	ip link set dev ng0 $word off
done

# --- a filter attached by tc
tc qdisc add dev ng0 clsact
tc filter add dev ng0 egress pref 65535 protocol ip bpf da obj "$obj/tc/gate.bpf.o" sec tc
tc filter add dev ng0 ingress pref 7 bpf da obj "$obj/tc/gate.bpf.o" sec tc
run ng attach ng0 --hook tc-in --hook tc-out
is "$rc" 0 "tc hooks go beside filters of tc"
run ng -j status ng0
like out '"hook":"tc-out","mode":"clsact","state":"foreign"' "status shows theirs on the way out"
like out '"hook":"tc-in","mode":"clsact","state":"foreign","program":"ng_tc"' "and on the way in"
like out '"hook":"tc-in","mode":"[a-z]*","state":"attached"' "and ours"
run ng detach ng0
is "$rc" 0 "detach"
run tc filter show dev ng0 ingress
like out 'pref 7 bpf' "leaves theirs on the way in"
unlike out '0x6e67' "and none of ours"
run tc filter show dev ng0 egress
like out 'pref 65535 bpf' "leaves theirs on the way out"
unlike out '0x6e67' "and none of ours"
done_testing
