#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A gate attached under a running capture is a whole one and outlives it; what was taken off is not a capture's to put
# back, and ends it.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth

# attached: our gate is there, with what decides
attached() { ng status ng0 | grep -q '^ng0 *tc-out *[a-z]* *attached .* drop *1 '; }
whole_gate() {
	ng attach ng0 --hook tc-out --default drop && ng acl add ng0 pass out dst 198.51.100.9
}

captures -Q out -w "$tmp/cap.pcapng" udp
run whole_gate
is "$rc" 0 "attach beside a running capture: the gate takes ACL entries"
kill -INT "$cap"
ended
is $? 0 "the capture ends"
attached
is $? 0 "the gate stays"
ng detach ng0 >"$tmp/out"

# attach of several devices that fails at the second leaves the capture's gate a capture's
captures -Q out -w "$tmp/cap.pcapng" udp
run ng attach ng0 lo --hook xdp --hook tc-out --mode native --default drop
is "$rc" 5 "attach of two beside a running capture fails at the second"
run ng status ng0
like out '^ng0 *tc-out *[a-z]* *temporary ' "the gate is the capture's"
ngsend -i ng0 -c 3 >"$tmp/out"
kill -INT "$cap"
ended
is $? 0 "the capture ends"
is "$(pcap_count "$tmp/cap.pcapng")" 3 "with its packets"
is "$(find /sys/fs/bpf -name 'nicgate*')" "" "and its gate goes with it"

# the capture learns within a second that its gate is gone: what is on the hook then is another's
captures -Q out -w "$tmp/cap.pcapng" udp
ng -q detach --all >"$tmp/out"
run whole_gate
is "$rc" 0 "detach and attach beside a running capture"
kill -INT "$cap"
ended
attached
is $? 0 "the new gate stays when the capture ends"

link=$(find /sys/fs/bpf -path '*/tc-out/link')
if [ "$link" ]; then bpftool link detach pinned "$link"; else tc qdisc del dev ng0 clsact; fi
run timeout 10 "$NICGATE" capture -i ng0 -Q out -c 1 -w "$tmp/cap.pcapng"
is "$rc" 3 "the program was taken off: a capture does not put it back"
like err 'nicgate attach ng0 --hook tc-out' "and names who does"
run ng attach ng0 lo --hook xdp --hook tc-out --mode native
is "$rc" 5 "attach of several that fails at the second"
run ng status ng0
like out '^ng0 *tc-out .* drop *1 ' "does not take what was there along"
run ng attach ng0 --hook tc-out
is "$rc" 0 "attach puts it back"
attached
is $? 0 "with its default and its entries"

ng detach ng0 >"$tmp/out"

# taken off under a capture, a temporary gate and an attached one
take_off() {
	link=$(sed -n 's/^link_id:[[:space:]]*//p' /proc/"$cap"/fdinfo/* 2>/dev/null | head -n 1)
	if [ "$link" ]; then bpftool link detach id "$link"; else tc qdisc del dev ng0 clsact; fi
}
for gate in temporary attached; do
	[ $gate = temporary ] || ng attach ng0 --hook tc-out >"$tmp/out" 2>&1
	captures -Q out -w "$tmp/cap.pcapng" udp
	take_off
	ended
	is $? 1 "$gate: a capture ends when its program is taken off"
	like "$tmp/cap.err" 'ng0: nicgate was detached from it' "$gate: with a message"
	unlike "$tmp/cap.err" 'warning' "$gate: and no other"
done
run ng status ng0
like out '^ng0 *tc-out .* taken off' "attached: the gate is still known"

done_testing
