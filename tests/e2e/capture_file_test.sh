#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a capture's file holds: at every hook the frames that were sent, byte for byte, and what tcpdump captures too.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000

mixed_frames
is "$(grep -c 0x0000: "$tmp/sent")" 36 "36 frames to send"

# compare NAME: what nicgate and tcpdump captured against what was sent
compare() {
	bg tcpdump -i ng0 -Q in -s 9100 -B 8192 -w "$tmp/tcpdump.pcap" --immediate-mode -U 2>"$tmp/tcpdump.err"
	td=$bg
	wait_for 10 file_has "$tmp/tcpdump.err" 'listening on'
	captures -Q in -c 36 -w "$tmp/cap.pcapng"
	peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
	ended
	is $? 0 "$1: the capture ends after -c packets"
	wait_for 5 tcpdump_has 36
	kill -INT "$td"
	wait "$td"
	dump "$tmp/cap.pcapng" >"$tmp/got"
	cmp -s "$tmp/sent" "$tmp/got"
	is $? 0 "$1: the file holds what was sent"
	dump "$tmp/tcpdump.pcap" | cmp -s - "$tmp/got"
	is $? 0 "$1: and what tcpdump captured"
	like "$tmp/cap.err" '^36 packets captured' "$1: says how many"
	like "$tmp/cap.err" '^0 packets dropped by kernel' "$1: and that none was lost"
}
tcpdump_has() { [ "$(pcap_count "$tmp/tcpdump.pcap")" -ge "$1" ]; }

# matching NAME: an expression keeps exactly what it matches on the wire, tags included
matching() {
	set -- "$1" 'udp port 53' 'vlan 5 and udp port 80'
	[ "${NG_QUICK:-}" ] || set -- "$@" 'less 64' 'vlan 7 and vlan 5' 'ip6'
	name=$1
	shift
	for expr; do
		tcpdump -r "$tmp/sent.pcap" -w "$tmp/want.pcap" "$expr" 2>/dev/null
		captures -Q in -w "$tmp/cap.pcapng" "$expr"
		rx_before=$(rx_packets ng0)
		peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
		wait_for 5 rx_at_least $((rx_before + 36))
		kill -INT "$cap"
		ended
		is "$(dump "$tmp/cap.pcapng" | cksum)" "$(dump "$tmp/want.pcap" | cksum)" "$name: '$expr' keeps what it should"
	done
}

compare "not attached"
like "$tmp/cap.err" '^listening on ng0 (tc in, temporary), link-type EN10MB (Ethernet), snapshot length 262144 bytes$' "not attached: says where it listens"
matching "not attached"

run ng attach ng0 --mode native
is "$rc" 0 "attached, native"
compare native
like "$tmp/cap.err" '^listening on ng0 (xdp in, attached)' "native: taps the gate"
matching native
captures -Q inout -c 37 -w "$tmp/both.pcapng"
like "$tmp/cap.err" '(xdp in + tc out, attached)' "native, both directions: taps both gates"
ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 >"$tmp/ngsend.out"
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
ended
is "$(pcap_count "$tmp/both.pcapng")" 37 "native, both directions: all packets"
ng -q detach ng0 >"$tmp/out"

run ng attach ng0 --mode generic
is "$rc" 0 "attached, generic"
compare generic
ng -q detach ng0 >"$tmp/out"

run ng attach ng0 --hook tc-in --hook tc-out
is "$rc" 0 "attached, tc"
compare tc
like "$tmp/cap.err" '^listening on ng0 (tc in, attached)' "tc: taps the gate"

done_testing
