#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a capture's file holds: at every hook the frames that were sent, byte for byte, and what tcpdump captures too.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000

# 3 kinds of 4 sizes, one tag, two tags, TCP, ICMP, both families
parts=0
part() {
	parts=$((parts + 1))
	ngsend -w "$tmp/part.$parts" -n "$@" >/dev/null
	if [ $parts = 1 ]; then cat "$tmp/part.1"; else tail -c +25 "$tmp/part.$parts"; fi >>"$tmp/sent.pcap"
}
part -c 3
part -c 3 -s 60
part -c 3 -s 1514
part -c 3 -s 5000
part -c 3 -s 9014
part -c 3 -P 80 -p tcp
part -c 3 -p icmp
part -c 3 -S 2001:db8:bad::9 -D 2001:db8:6e67::1
part -c 3 -V 5
part -c 3 -V 5 -P 80
part -c 3 -V 7:88a8 -V 5
part -c 3 -V 5 -s 1518
dump "$tmp/sent.pcap" >"$tmp/sent"
is "$(grep -c '0x0000:' "$tmp/sent")" 36 "the sender made 36 frames"

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
	for expr in 'udp port 53' 'vlan 5 and udp port 80' 'less 64' 'vlan 7 and vlan 5' 'ip6'; do
		tcpdump -r "$tmp/sent.pcap" -w "$tmp/want.pcap" "$expr" 2>/dev/null
		captures -Q in -w "$tmp/cap.pcapng" "$expr"
		rx_before=$(rx_packets ng0)
		peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
		wait_for 5 rx_at_least $((rx_before + 36))
		kill -INT "$cap"
		ended
		is "$(dump "$tmp/cap.pcapng" | cksum)" "$(dump "$tmp/want.pcap" | cksum)" "$1: '$expr' keeps what it should"
	done
}
rx_at_least() { [ "$(rx_packets ng0)" -ge "$1" ]; }

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

# -s, --sample, streams and formats
captures -Q in -c 36 -s 60 -w "$tmp/short.pcap"
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
ended
is "$(pcap_count "$tmp/short.pcap" 'greater 5000')" 6 "-s: the length on the wire is kept"
is "$(dump "$tmp/short.pcap" | grep -c '0x0020:')" "$(grep -c '0x0020:' "$tmp/sent")" "-s: what is before the cut is there"
is "$(dump "$tmp/short.pcap" | grep -c '0x0040:')" 0 "-s: and none behind it"
like "$tmp/cap.err" 'classic pcap does not keep verdicts' ".pcap: says what it does not keep"

captures -Q in --sample 1/4 -w "$tmp/sample.pcapng" udp port 99
rx_before=$(rx_packets ng0)
peer taskset -c 0 ngsend -i ng1 -c 400 -P 99 >"$tmp/ngsend.out"
wait_for 5 rx_at_least $((rx_before + 400))
kill -INT "$cap"
ended
is "$(pcap_count "$tmp/sample.pcapng")" 100 "--sample 1/4 keeps a fourth"
like "$tmp/cap.err" '^300 left out by --sample' "and says how many it left out"

"$NICGATE" capture -i ng0 -Q in -c 36 -w - 2>"$tmp/cap.err" | tcpdump -t -nn -xx -r - >"$tmp/got" 2>/dev/null &
stream=$!
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
wait $stream
cmp -s "$tmp/sent" "$tmp/got"
is $? 0 "-w - streams into tcpdump -r -"

"$NICGATE" capture -i ng0 -Q in -c 3 udp port 53 >"$tmp/printed" 2>"$tmp/cap.err" &
stream=$!
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
wait $stream
is "$(grep -c '192.0.2.9.40000 > 198.51.100.1.53' "$tmp/printed")" 3 "without -w packets are printed"

done_testing
