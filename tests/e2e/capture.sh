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
