#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# attach, detach, status: modes and hooks, what is already so, refusals, and that nothing is left behind.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth

# Other processes of the machine have programs too: those that were attached here are remembered by their ids.
remember() { ids="$ids $("$NICGATE" -j status | grep -o '"id":[0-9]*' | sed 's/.*://')"; }
programs_gone() {
	for id in $ids; do
		! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
	done
}
nothing_left() {
	wait_for 3 programs_gone
	is "$?" 0 "$1: no program is left"
	is "$(find /sys/fs/bpf -name 'nicgate*')" "" "$1: no pin is left"
	is "$(tc qdisc show dev "${2:-ng0}" clsact)" "" "$1: no qdisc is left"
	ids=''
}
ids=''

# --- default: xdp and tc-out
run ng attach ng0
is "$rc" 0 "attach"
like out '^ng0 *xdp *attached *native' "xdp is native on a veth"
like out '^ng0 *tc-out *attached *\(tcx\|clsact\)' "tc-out is attached too"
like err 'TSO' "native on a veth warns of its price"
run ng attach ng0
is "$rc" 0 "attach again"
like out '^ng0 *xdp *unchanged' "xdp is unchanged"
like out '^ng0 *tc-out *unchanged' "tc-out is unchanged"
run ng -j status ng0
like out '"hook":"xdp","mode":"native","state":"attached","program":"ng_xdp"' "status -j tells xdp"
like out '"hook":"tc-out"' "and tc-out"
run ng attach ng0 --default drop --malformed drop
like out '^ng0 *xdp *changed *native *on *drop *drop' "a setting is changed in place"
run ng attach ng0
like out '^ng0 *xdp *unchanged *native *on *drop *drop' "and stays when not given"

# --- refusals that change nothing: name|status|words of the message|command
while IFS='|' read -r name status words command; do
	# shellcheck disable=SC2086 # the words
	run ng $command
	is "$rc" "$status" "$name: exit $status"
	like err "$words" "$name: says so"
	is "$(cat "$tmp/out")" "" "$name: nothing on stdout"
done <<-EOF
another mode in force|1|attached native, not generic|attach ng0 --mode generic
other frags in force|1|attached with frags on, not off|attach ng0 --frags off
tc-in beside xdp|1|tc-in: not while xdp is attached|attach ng0 --hook tc-in
xdp and tc-in at once|2|decide the same packets twice|attach ng0 --hook xdp --hook tc-in
a device that is not there|3|interfaces in this network namespace: .*ng0|attach ng0 nope
a hook that is none|2|valid here: xdp, tc-in, tc-out|attach ng0 --hook egress
a hook nearly right|2|did you mean 'tc-out'|attach ng0 --hook tc-ou
a mode that is none|2|valid here: auto, native, generic|attach ng0 --mode fast
an option that is none|2|--moed|attach ng0 --moed native
no device|2|no device given|attach
mode without xdp|2|belong to --hook xdp|attach ng0 --hook tc-in --mode native
detach without device|2|no device given|detach
detach all and one|2|exclude each other|detach --all ng0
detach what is not there|3|not attached|detach lo
detach another hook|3|not attached (tc-in)|detach ng0 --hook tc-in
status of two|2|one device or none|status ng0 lo
EOF
run ng -j status ng0
like out '"hook":"xdp","mode":"native","state":"attached"' "after all refusals xdp is as it was"

run ng detach ng0 --hook tc-in
unlike err 'somebody else' "our own xdp is nobody else's"

# --- detach by hook, detach all
remember
run ng detach ng0 --hook xdp
like out '^ng0 *xdp *detached' "detach --hook xdp"
unlike out 'tc-out' "leaves tc-out"
run ng detach --all
like out '^ng0 *tc-out *detached' "detach --all"
nothing_left "detach"
run ng detach --all
is "$rc" 0 "detach --all with nothing there is no error"
run ng status
like out 'no XDP or tc program on any interface' "status says so"

# --- generic; both tc hooks; several devices
run ng attach ng0 --mode generic --hook xdp
like out '^ng0 *xdp *attached *generic' "generic is generic"
unlike err 'TSO' "and has no veth warning"
run ng attach ng0 --hook xdp
like out 'unchanged *generic' "auto is content with it"
run ng attach ng0 --hook xdp --mode native
is "$rc" 1 "native instead is refused"
like err 'nicgate detach ng0 --hook xdp' "with what to type"
run ng detach ng0
run ng attach ng0 --hook tc-in --hook tc-out
is "$rc" 0 "both tc hooks"
run ng attach ng0
is "$rc" 1 "xdp beside tc-in is refused"
run ng detach ng0 --hook tc-in
run ng attach ng0 --hook tc-in
is "$rc" 0 "one of the two goes and comes"
remember
run ng detach ng0
nothing_left "tc"
run ng attach ng0 lo
like err 'lo: native XDP was refused (.*); attached in generic mode' "lo: falls back aloud"
like out '^lo *xdp *attached *generic' "lo: generic"
remember
run ng detach lo ng0
is "$rc" 0 "detach two"
nothing_left "two devices" lo
run ng attach lo --hook xdp --mode native
is "$rc" 5 "lo: native alone is exit 5"
like err 'nicgate attach lo --mode generic' "with what to type"
run ng attach ng0 --dry-run
like out '^ng0 *xdp *verified' "dry run verifies"
run ng status
like out 'no XDP' "and attaches nothing"

# --- one of several fails: none stays
run ng attach ng0 lo --hook xdp --mode native
is "$rc" 5 "two devices, the second cannot"
run ng status
like out 'no XDP' "nothing stays on the first"
nothing_left "all or none"

# --- a default drop under the user's own SSH session: status|what|session|words
ssh4="192.0.2.7 5000 $ip0 22" ssh6="2001:db8::7 5000 $ip6_0 22"
default_rows() {
	while IFS='|' read -r status name session words; do
		# shellcheck disable=SC2086 # the words
		SSH_CONNECTION=$session run ng attach $words
		is "$rc" "$status" "$name: exit $status"
	done
}
default_rows <<-EOF
1|drop on a fresh gate|$ssh4|ng0 --default drop
1|by IPv6|$ssh6|ng0 --default drop
1|what comes in|$ssh4|ng0 --hook xdp --default drop
1|what goes out|$ssh4|ng0 --hook tc-out --default drop
1|the second of two devices|$ssh4|lo ng0 --hook tc-in --default drop
1|drop, not carried out|$ssh4|ng0 --dry-run --default drop
EOF
run ng status
like out 'no XDP' "after these refusals nothing is attached"
SSH_CONNECTION=$ssh4 run ng attach ng0 --hook tc-in --hook tc-out --default drop
like err 'connected by SSH from 192.0.2.7 over this interface, and no clause passes it (in and out)' "says why"
# What it says to type, as one batch.
sed -n '/try:/,$s/^.* nicgate //p' "$tmp/err" | sed 's/  *(.*//' >"$tmp/told"
is "$(cat "$tmp/told")" "attach ng0 --hook tc-in --hook tc-out
acl add ng0 pass in src 192.0.2.7 proto tcp port 22
acl add ng0 pass out dst 192.0.2.7 proto tcp
attach ng0 --hook tc-in --hook tc-out --default drop" "and what to type"
SSH_CONNECTION=$ssh4 run ng -b "$tmp/told"
is "$rc" 0 "which works"
like out '^ng0 *tc-out *changed .* drop ' "and makes the default drop"
ng acl flush ng0 >/dev/null
default_rows <<-EOF
0|drop where it is drop|$ssh4|ng0 --hook tc-in --hook tc-out --default drop
0|pass|$ssh4|ng0 --hook tc-in --hook tc-out --default pass
1|drop on a gate in force|$ssh4|ng0 --hook tc-in --default drop
0|a session over another interface|192.0.2.7 5000 203.0.113.1 22|ng0 --hook tc-in --default drop
0|pass again|$ssh4|ng0 --hook tc-in --default pass
0|a session of which no server is known|192.0.2.7 5000 22|ng0 --hook tc-in --default drop
0|--force|$ssh4|ng0 --hook tc-in --hook tc-out --default drop --force
EOF
ng -b - >/dev/null <<-EOF
attach ng0 --hook tc-in --hook tc-out --default pass
acl add ng0 drop in src 192.0.2.7 proto tcp
acl add ng0 pass in dst $ip0
acl add ng0 pass out src $ip0
EOF
default_rows <<-EOF
1|a source clause drops before one of the destination passes|$ssh4|ng0 --hook tc-in --default drop
0|a clause for our own address passes|$ssh4|ng0 --hook tc-out --default drop
EOF
run ng detach ng0

# --- MTU: frags or not
ip link set ng0 mtu 9000
peer ip link set ng1 mtu 9000
run ng attach ng0 --hook xdp --frags off
like err 'native XDP was refused (.*MTU.*)' "the kernel's words for a large MTU"
like out '^ng0 *xdp *attached *generic *off' "generic without frags"
run ng detach ng0
run ng attach ng0 --hook xdp --frags off --mode native
is "$rc" 5 "native without frags is refused"
run ng attach ng0 --hook xdp
like out '^ng0 *xdp *attached *native *on' "with frags it is native"
remember

# --- a pin that somebody removed: no command that has other business opens the interface
run ng acl add ng0 drop 192.0.2.0/24
rm /sys/fs/bpf/nicgate/n*/i100/xdp/acl*/ng_root6
for words in "acl add ng0 drop 203.0.113.0/24" "attach ng0 --hook xdp" "stats ng0"; do
	# shellcheck disable=SC2086 # the words
	run ng $words
	is "$rc" 1 "a map's pin is missing: $words is refused"
done
run ng acl list ng0
like err 'nicgate detach ng0 --hook xdp' "with what to type"
run ng status
like out '^ng0 *xdp *native *pins missing *ng_xdp' "status says that its program is still there"
run ng detach ng0
is "$rc" 0 "detach takes it away"
nothing_left "missing pin"
run ng attach ng0 --hook xdp
remember

# --- an interface goes with its gates
ip link del ng0
run ng -j status
like out '"state":"no interface"' "status tells of pins without an interface"
run ng detach --all
is "$rc" 0 "the next command collects them"
nothing_left "gone interface" lo

# --- another network namespace, by -n
peer ip link add v0 type veth peer name v1
run ng -n peer attach v0 --mode generic
is "$rc" 0 "-n attaches there"
run ng status
like out 'no XDP' "and not here"
run ng -n peer status v0
like out '^v0 *xdp *generic *attached' "-n status sees it"
run ip netns exec peer "$NICGATE" detach v0
is "$rc" 5 "ip netns exec hides bpffs: refused"
like err 'nicgate -n NETNS' "with the way out"
run peer "$NICGATE" detach --all
is "$rc" 0 "nsenter --net does not hide it"

ip link add w0 type veth peer name w1
run ng attach w0 --hook xdp
ip link set w0 netns peer
run ng -n peer status w0
like out '^w0 *xdp *native *moved' "an interface that moved: its gate is told"
run ng detach --all
is "$rc" 0 "and detached from where it was attached"
run ng -n peer status w0
like out 'no XDP' "there too"

# --- taken off in a namespace that lives, by name or by nothing but a process: not collected from here
# held NAME: pins in $other stay when a command runs here
held() {
	bpftool link detach pinned "$(find "$other" -path '*/xdp/link')"
	run ng -v detach --all
	unlike err 'removing its gates' "$1: taken off, not collected from another namespace"
}
run ng -n peer attach v0 --hook xdp --mode generic
ng -n peer acl add v0 drop 192.0.2.0/24 >"$tmp/out" 2>&1
other=$(find /sys/fs/bpf/nicgate -maxdepth 1 -name 'n[0-9]*')
held "named"
run ng -n peer attach v0 --hook xdp --mode generic
is "$rc" 0 "attach there puts it back"
run ng -n peer acl list v0
like out 'drop .*192.0.2.0/24\|192.0.2.0/24 .*drop' "with its ACL"
bg peer sleep 60
in_peer() { [ "$(readlink "/proc/$bg/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
wait_for 5 in_peer
umount /run/netns/peer
held "a process"
run ng -n "$bg" attach v0 --hook xdp --mode generic
is "$rc" 0 "attach there puts it back"
mount --bind "/proc/$bg/ns/net" /run/netns/peer
stop "$bg"
ng -n peer detach --all >"$tmp/out"

# --- a namespace that ends leaves its pins to the next command
run ng -n peer attach v0 --hook xdp --mode generic
is "$rc" 0 "attached in a namespace"
ids=$(ng -n peer -j status | grep -o '"id":[0-9]*' | sed 's/.*://')
ip netns del peer
collected() { ng detach --all >/dev/null && [ ! -e /sys/fs/bpf/nicgate ] && programs_gone; }
# hidden: a process whose namespace we may not read, which therefore could be that one
hidden() {
	for process in /proc/[0-9]*; do
		[ -e "$process/ns/net" ] || ! [ -d "$process/ns" ] || return 0
	done
	return 1
}
if hidden; then
	skip "needs CAP_SYS_PTRACE: the namespace of process ${process#/proc/} cannot be read"
	run ng detach --all
	is "$(find /sys/fs/bpf/nicgate -name link | wc -l)" 1 "not collected while the namespace may live"
	rm -r /sys/fs/bpf/nicgate/n*
else
	wait_for 5 collected
	is "$?" 0 "collected when the namespace has gone"
fi

# --- several at once
ip link add v0 type veth peer name v1
for i in 1 2 3; do ng attach v0 --hook tc-in >"$tmp/$i" 2>&1 & done
wait
is "$(cat "$tmp"/[1-3] | grep -c '^v0 *tc-in *attached')" 1 "three attach at once: one does it"
is "$(cat "$tmp"/[1-3] | grep -c '^v0 *tc-in *unchanged')" 2 "the others find it done"
run ng detach --all
is "$rc" 0 "and it is detached once"

# --- privileges
caps=-bpf,-net_admin,-perfmon,-sys_admin
run setpriv --bounding-set $caps --inh-caps $caps "$NICGATE" attach lo
is "$rc" 4 "without capabilities: exit 4"
like err 'CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON' "names them"
run setpriv --bounding-set -net_admin --inh-caps -net_admin "$NICGATE" status
like err 'missing: CAP_NET_ADMIN$' "names the one that is missing"

# --- the lock
mkdir -p /sys/fs/bpf/nicgate
bg flock -F /sys/fs/bpf/nicgate sleep 30
locked() { ! flock -n /sys/fs/bpf/nicgate true; }
wait_for 3 locked
run ng attach lo --hook tc-in
is "$rc" 1 "a lock that is held: exit 1"
like err "held by .* (pid $bg)" "names its holder"
run ng status
is "$rc" 0 "status needs no lock"
done_testing
