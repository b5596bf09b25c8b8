#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the options of a capture do: -s, --sample, formats, streams, printing.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000
mixed_frames

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

: >"$tmp/cap.err"
"$NICGATE" capture -i ng0 -Q in -c 36 -w - 2>"$tmp/cap.err" | tcpdump -t -nn -xx -r - >"$tmp/got" 2>/dev/null &
stream=$!
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
wait $stream
cmp -s "$tmp/sent" "$tmp/got"
is $? 0 "-w - streams into tcpdump -r -"

: >"$tmp/cap.err"
"$NICGATE" capture -i ng0 -Q in -c 3 udp port 53 >"$tmp/printed" 2>"$tmp/cap.err" &
stream=$!
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
wait $stream
is "$(grep -c '192.0.2.9.40000 > 198.51.100.1.53' "$tmp/printed")" 3 "without -w packets are printed"

bg env PATH=/nowhere "$NICGATE" capture -i ng0 -Q in -c 3 udp port 53 >"$tmp/printed" 2>"$tmp/cap.err"
cap=$bg
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
ended
is "$(grep -c " In  $mac1 > $mac0, ethertype 0x0800, length" "$tmp/printed")" 3 "by nicgate itself where there is no tcpdump"
run env PATH=/nowhere "$NICGATE" capture -i ng0 -c 1 -X
is "$rc" 1 "where what only tcpdump can print is refused"
like err '-X needs tcpdump' "by name"

# inbound, outbound, ifindex: what a packet's bytes do not tell, at each hook
for hook in tc xdp; do
	captures --hook $hook -c 1 -w "$tmp/out.pcap" 'outbound and udp'
	peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
	ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 >"$tmp/ngsend.out"
	ended
	is "$(pcap_count "$tmp/out.pcap" 'src 198.51.100.1')" 1 "--hook $hook: 'outbound' is what leaves"
	captures --hook $hook -c 3 -w "$tmp/in.pcap" "inbound and udp and ifindex $(ip -o link show ng0 | cut -d: -f1)"
	ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 >"$tmp/ngsend.out"
	peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
	ended
	is "$(pcap_count "$tmp/in.pcap" 'src 192.0.2.9')" 3 "--hook $hook: 'inbound' is what arrives"
done

captures -Q in -c 3 -w "$tmp/chain.pcap" 'ip6 protochain 17'
peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
peer ngsend -i ng1 -c 3 -S 2001:db8:bad::9 -D 2001:db8:6e67::1 >"$tmp/ngsend.out"
ended
is "$(pcap_count "$tmp/chain.pcap" ip6)" 3 "'ip6 protochain' loops in the kernel"

# --hook: a temporary tap at the driver hook, gone with the capture
captures --hook xdp -c 37 -w "$tmp/xdp.pcapng"
like "$tmp/cap.err" '^listening on ng0 (xdp in + tc out, temporary)' "--hook xdp taps the way in at the driver hook"
ip link show ng0 >"$tmp/out"
like out 'xdp' "where ip link shows it"
ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 >"$tmp/ngsend.out"
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
ended
is "$(pcap_count "$tmp/xdp.pcapng")" 37 "--hook xdp: all packets of both directions"
ip link show ng0 >"$tmp/out"
unlike out 'xdp' "--hook xdp: nothing is left there"

# a reader that does not keep up: what was lost is counted, told at the end, and where in the file it is missing
captures -Q in -U --buffer 1 -w "$tmp/lost.pcapng" udp
kill -STOP "$cap"
peer ngsend -i ng1 -c 1000 -s 1500 >"$tmp/ngsend.out"
kill -CONT "$cap"
wait_for 5 holds "$tmp/lost.pcapng" 1
peer ngsend -i ng1 >"$tmp/ngsend.out"
kill -INT "$cap"
ended
n=$(pcap_count "$tmp/lost.pcapng")
lost=$(sed -n 's/^\([0-9]*\) packets dropped by kernel/\1/p' "$tmp/cap.err")
is "$((lost > 100))" 1 "a ring that is not read loses packets"
is "$((n + lost))" 1001 "captured and lost are all that were sent"
like "$tmp/cap.err" '^1001 packets received by filter' "and all that matched"
like "$tmp/cap.err" "^  $lost for want of room in the capture buffer" "with the reason"
if command -v tshark >"$tmp/out"; then
	tshark -r "$tmp/lost.pcapng" -T fields -e frame.drop_count >"$tmp/drops" 2>"$tmp/err"
	is "$(awk '{ n += $1 } END { print n }' "$tmp/drops")" "$lost" "the file says where they are missing"
else
	skip "drop counts in the file: needs tshark"
fi

# -Q: each packet has one direction
captures -Q out -c 1 -w "$tmp/out.pcapng"
peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 -P 77 >"$tmp/ngsend.out"
ended
is "$(pcap_count "$tmp/out.pcapng" udp port 77)" 1 "-Q out: only what goes out"

# promiscuous mode, without a flag that others see, and gone with the capture
promiscuity_is() { [ "$(promiscuity)" = "$1" ]; }
promiscuity() { ip -d link show ng0 | sed -n 's/.*promiscuity \([0-9]*\).*/\1/p'; }
captures -w "$tmp/cap.pcapng"
is "$(promiscuity)" 1 "a capture is promiscuous"
kill -9 "$cap"
wait "$cap" 2>/dev/null
wait_for 5 promiscuity_is 0
is $? 0 "until it ends, however it does"
captures -p -w "$tmp/cap.pcapng"
is "$(promiscuity)" 0 "-p leaves the mode alone"
kill -INT "$cap"
ended

# formats
captures -Q in -c 2 --format pcap -w "$tmp/named"
peer ngsend -i ng1 -c 2 >"$tmp/ngsend.out"
ended
is "$(od -An -tx4 -N4 "$tmp/named" | tr -d ' ')" a1b23c4d "--format pcap: nanoseconds"
is "$(pcap_count "$tmp/named")" 2 "that tcpdump reads"
captures -Q in -c 2 -w "$tmp/named"
peer ngsend -i ng1 -c 2 >"$tmp/ngsend.out"
ended
is "$(od -An -tx4 -N4 "$tmp/named" | tr -d ' ')" 0a0d0d0a "any name but .pcap: pcapng"

done_testing
