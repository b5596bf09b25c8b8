# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of captures share, on top of lib.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# dump FILE [EXPRESSION]: all bytes of all packets, without times
dump() { tcpdump -t -nn -xx -r "$@" 2>/dev/null; }

# captures OPTIONS.. : starts a capture of ng0, its messages in $tmp/cap.err, and waits until it listens
captures() {
	: >"$tmp/cap.err"
	bg "$NICGATE" capture -i ng0 "$@" 2>"$tmp/cap.err"
	cap=$bg
	wait_for 10 file_has "$tmp/cap.err" '^listening on' || sed 's/^/# /' "$tmp/cap.err"
}
# ended: waits for the capture; its exit status
ended() {
	wait_for 10 gone "$cap" || kill -9 "$cap"
	wait "$cap"
}
holds() { [ "$(pcap_count "$1")" -ge "$2" ]; } # holds FILE N: at least so many packets
rx_at_least() { [ "$(rx_packets ng0)" -ge "$1" ]; }

# part OPTIONS.. : adds frames to $tmp/sent.pcap
parts=0
part() {
	parts=$((parts + 1))
	ngsend -w "$tmp/part.$parts" -n "$@" >/dev/null
	if [ $parts = 1 ]; then cat "$tmp/part.1"; else tail -c +25 "$tmp/part.$parts"; fi >>"$tmp/sent.pcap"
}

# mixed_frames: 36 frames in $tmp/sent.pcap, their bytes in $tmp/sent: short to jumbo, TCP, UDP, ICMP, both families, one tag, two
mixed_frames() {
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
}

stamps() { tcpdump -tt -nn -q -r "$1" 2>/dev/null | cut -d' ' -f1; }
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
	stamps "$tmp/tcpdump.pcap" >"$tmp/t1"
	stamps "$tmp/cap.pcapng" | paste "$tmp/t1" - | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > m) m = d } END { exit m > 1 }'
	is $? 0 "$1: at the times of tcpdump's clock"
	like "$tmp/cap.err" '^36 packets captured' "$1: says how many"
	like "$tmp/cap.err" '^0 packets dropped by kernel' "$1: and that none was lost"
}
tcpdump_has() { [ "$(pcap_count "$tmp/tcpdump.pcap")" -ge "$1" ]; }

# matching NAME: an expression keeps exactly what it matches on the wire, tags included
matching() {
	set -- "$1" 'vlan 5 and udp port 80'
	[ "${NG_QUICK:-}" ] || set -- "$@" 'udp port 53' 'less 64' 'vlan 7 and vlan 5' 'ip6'
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
