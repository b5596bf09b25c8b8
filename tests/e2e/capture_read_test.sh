#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# capture -r: for a file of varied packets the program keeps the packets that tcpdump -r keeps, byte for byte.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"

# part OPTIONS.. : adds frames to $tmp/all.pcap
parts=0
part() {
	parts=$((parts + 1))
	ngsend -w "$tmp/part" "$@" >/dev/null
	if [ $parts = 1 ]; then cat "$tmp/part"; else tail -c +25 "$tmp/part"; fi >>"$tmp/all.pcap"
}
for p in udp tcp icmp; do
	part -c 4 -k 4 -p $p
	part -c 4 -k 4 -p $p -S 2001:db8:bad::9 -D 2001:db8:6e67::1
	part -c 2 -p $p -V 5
	part -c 2 -p $p -V 7:88a8 -V 5
	part -c 2 -p $p -s 1514
	part -c 2 -p $p -s 4000
	part -c 2 -p $p -s 9014
done
part -P 80 -s 3519 # around the longest linear frame of a test run
part -P 80 -s 3520
part -P 80 -s 3521
# frames too short for a test run: none, 1, 13 bytes; 14 bytes; IPv4 shorter than a tc test run takes
for hex in 00 02005e1000010200 02005e10000102005e10000208 02005e10000102005e1000020800 02005e10000102005e100002080045000014; do
	part -x $hex
done
tcpdump -r "$tmp/all.pcap" -w "$tmp/cut.pcap" -s 40 2>"$tmp/err" # its records are cut below
dump "$tmp/all.pcap" >"$tmp/all"
total=$(pcap_count "$tmp/all.pcap")
is "$((total > 50))" 1 "a file of $total packets"

# same FILE OPTIONS EXPRESSION: as tcpdump, whose file is compared packet by packet, times included
same() {
	tcpdump -r "$1" -w "$tmp/want.pcap" "$3" 2>"$tmp/err"
	# shellcheck disable=SC2086 # options are words
	run ng capture -r "$1" -w "$tmp/got.pcap" --format pcap $2 "$3"
	is "$rc" 0 "-r $2 '$3'"
	tcpdump -tt -nn -xx -r "$tmp/want.pcap" >"$tmp/want" 2>"$tmp/err"
	tcpdump -tt -nn -xx -r "$tmp/got.pcap" 2>"$tmp/err" | cmp -s - "$tmp/want"
	is $? 0 "-r $2 '$3': $(grep -c '0x0000:' "$tmp/want") packets, as tcpdump"
}
for hook in xdp tc; do
	for expr in '' 'udp port 53' 'tcp' 'ip6 and icmp6' 'vlan 5' 'vlan 7 and vlan 5 and udp' 'greater 3520' 'less 20' 'ip[8] = 64' 'ether[5000] = 0' 'host 192.0.2.10 or host 2001:db8:bad::a'; do
		same "$tmp/all.pcap" "--hook $hook" "$expr"
	done
done

# records that hold less than the frame
editcap -s 40 "$tmp/all.pcap" "$tmp/cut.pcapng" 2>"$tmp/err" || skip "truncated records: needs editcap"
if [ -s "$tmp/cut.pcapng" ]; then
	same "$tmp/cut.pcapng" "" 'udp port 53'
	same "$tmp/cut.pcapng" "" 'greater 1000'
	same "$tmp/cut.pcapng" "-c 1000" 'ether[50] = 0'
fi

# through pcapng, a pipe and print
run ng -v capture -r "$tmp/all.pcap" -w "$tmp/got.pcapng"
is "$rc" 0 "-r to pcapng"
like err "$((total - 3)) packets by the program, 3 by libpcap" "only what a test run cannot take goes to the interpreter"
dump "$tmp/got.pcapng" | cmp -s - "$tmp/all"
is $? 0 "nothing is lost or changed"
is "$(ng capture -r - <"$tmp/all.pcap" -w - udp port 53 2>"$tmp/err" | ng capture -r - -w - ip6 | tcpdump -r - --count 2>"$tmp/err")" "4 packets" "-r - and -w -, twice"
run ng capture -r "$tmp/all.pcap" -c 3 tcp
is "$rc/$(grep -c 'Flags' "$tmp/out")" 0/3 "-r without -w prints, -c ends it"
run ng capture -r "$tmp/all.pcap" -s 20 -w "$tmp/got.pcap" udp port 53
is "$(dump "$tmp/got.pcap" | grep -c '0x0010:  [0-9a-f]\{4\} [0-9a-f]\{4\}$')" "$(pcap_count "$tmp/got.pcap")" "-s cuts"

# a reader that stalls: the tap's lease, which the program looks at, outlasts it
lease() {
	for map in $(bpftool -j map show name ng_control 2>/dev/null | grep -o '"id":[0-9]*' | cut -d : -f 2); do
		grep -q "^map_id:[[:space:]]*$map\$" /proc/"$reader"/fdinfo/* 2>/dev/null || continue
		bpftool -j map dump id "$map" 2>/dev/null | sed -n 's/.*"lease_jiffies":\([1-9][0-9]*\).*/\1/p'
	done
}
lease_is_set() { [ "$(lease)" ]; }
jiffies=$(sed -n 's/^jiffies: //p' /proc/timer_list 2>/dev/null | head -n 1)
if [ "$jiffies" ]; then
	ngsend -w "$tmp/much.pcap" -c 100 -s 9014 -n >/dev/null
	mkfifo "$tmp/fifo"
	bg ng capture -r "$tmp/much.pcap" -w "$tmp/fifo" --format pcap
	reader=$bg
	exec 9<"$tmp/fifo"
	wait_for 10 lease_is_set
	is "$?" 0 "a lease is given"
	is "$(((($(lease) - jiffies) & 0xffffffff) > 24 * 3600 * 1000))" 1 "a stalled reader has a day at least"
	is "$(tcpdump -r - --count <&9 2>"$tmp/err")" "100 packets" "and misses nothing"
	exec 9<&-
	wait "$reader"
else
	skip "a stalled reader: needs /proc/timer_list"
fi

# what cannot be read
run ng capture -r "$tmp/all.pcap" -w "$tmp/./all.pcap"
is "$rc" 2 "a file is not written over while it is read"
is "$(pcap_count "$tmp/all.pcap")" "$total" "and stays as it was"
run ng capture -r "$tmp/none.pcap" -w "$tmp/file"
is "$rc" 1 "no such file"
like err 'none.pcap' "is named"
printf '\115\074\262\241\002\000\004\000\000\000\000\000\000\000\000\000\000\000\004\000\145\000\000\000' >"$tmp/raw.pcap"
run ng capture -r "$tmp/raw.pcap" -w "$tmp/file"
is "$rc" 5 "a link type without Ethernet headers is not supported"
like err 'link type is RAW' "and named"
is "$(ls "$tmp/file" 2>/dev/null)" "" "no file is made"
head -c 3000 "$tmp/all.pcap" >"$tmp/torn.pcap"
run ng capture -r "$tmp/torn.pcap" -w "$tmp/got.pcap"
is "$rc" 1 "a torn file is an error"
like err 'truncated dump file' "with libpcap's words"
is "$(pcap_count "$tmp/got.pcap")" "$(tcpdump -r "$tmp/torn.pcap" -w - 2>"$tmp/err" | tcpdump -r - --count 2>"$tmp/err" | cut -d' ' -f1)" "after its whole packets"

done_testing
