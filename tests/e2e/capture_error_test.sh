#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a capture refuses, before it touches anything; and what it does when the disk is full or the reader goes away.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth

# refused STATUS PATTERN NAME OPTIONS..
refused() {
	status=$1 pattern=$2 name=$3
	shift 3
	run ng capture "$@"
	is "$rc" "$status" "$name: exit $status"
	like err "$pattern" "$name: says so"
	is "$(ls "$tmp/file" 2>/dev/null)" "" "$name: no file is made"
}
refused 2 'syntax error' "bad expression" -i ng0 -w "$tmp/file" udp prot 53
like err '^ *\^' "bad expression: with a caret"
like err '^nicgate: error: expression:1:' "bad expression: with a position"
refused 3 'nosuch' "unknown device" -i nosuch -w "$tmp/file"
refused 2 'unknown option .-C' "option that is not there" -i ng0 -C 1 -w "$tmp/file"
refused 2 '-i DEV or -r FILE is missing' "no interface" -w "$tmp/file"
refused 2 "not 'lots'" "bad count" -i ng0 -c lots -w "$tmp/file"
refused 2 "not '10'" "bad sample" -i ng0 --sample 10 -w "$tmp/file"
refused 2 "unknown word 'up'" "bad direction" -i ng0 -Q up -w "$tmp/file"
refused 2 'XDP does not see' "--hook xdp on the way out" -i ng0 --hook xdp -Q out -w "$tmp/file"
refused 2 'not both' "interface and savefile" -i ng0 -r "$tmp/x.pcap" -w "$tmp/file"
refused 1 'cannot open for writing' "no such directory" -i ng0 -w "$tmp/none/file"
printf 'udp port 53 # names\nand and\n' >"$tmp/filter"
refused 2 "^nicgate: error: $tmp/filter:2:5: " "bad expression in a file" -i ng0 -F "$tmp/filter" -w "$tmp/file"
is "$(find /sys/fs/bpf/nicgate -type f 2>/dev/null | wc -l)" 0 "nothing is left of all that"
if command -v script >"$tmp/out"; then
	script -qec "$NICGATE capture -i ng0 -w -" /dev/null >"$tmp/out" 2>&1
	is $? 2 "packets are not written to a terminal"
else
	skip "-w - to a terminal: needs script(1)"
fi

# the driver hook has one place
captures --hook xdp -Q in -w "$tmp/xdp.pcapng"
like "$tmp/cap.err" 'warning: .*; --hook tc leaves it on' "--hook xdp on a veth: the warning names the way out"
run ng attach ng0
is "$rc" 1 "attach beside it: exit 1"
like err 'XDP program of a capture is there' "and says that it is a capture's"
stop "$cap" INT

ngsend -w "$tmp/file.pcap" >"$tmp/out"
refused 2 "asks for 'inbound' or 'outbound'" "a savefile's direction" -r "$tmp/file.pcap" -w "$tmp/file" inbound
refused 2 "asks for 'ifindex'" "a savefile's interface" -r "$tmp/file.pcap" -w "$tmp/file" 'udp and ifindex 1'

# tcpdump prints, and its end without a reason is an error
ngsend -w "$tmp/one.pcap" >"$tmp/out"
run ng capture -r "$tmp/one.pcap" -ttttttt
is "$rc" 1 "options that tcpdump refuses: exit 1"
like err 'tcpdump: .* ended with status 1' "and its status"

run ng capture -d udp
is "$rc" 0 "-d prints the filter"
tcpdump -y EN10MB -d udp 2>/dev/null | cmp -s - "$tmp/out"
is $? 0 "as tcpdump -d does"
ng capture -ddd udp >"$tmp/out"
tcpdump -y EN10MB -ddd udp 2>/dev/null | cmp -s - "$tmp/out"
is $? 0 "and -ddd"
printf 'udp # names\nport 53\n' >"$tmp/filter"
is "$(ng capture -d -F "$tmp/filter")" "$(ng capture -d udp port 53)" "-F reads the expression, without its comments"

# a limit on the size of files is a write that fails, not a signal that kills
captures_in_4k() (ulimit -f 8 && exec "$NICGATE" capture -i ng0 -Q in -w "$tmp/4k.pcapng" udp 2>"$tmp/cap.err")
: >"$tmp/cap.err"
bg captures_in_4k
wait_for 5 file_has "$tmp/cap.err" listening
peer ngsend -i ng1 -c 100 -s 100 >"$tmp/out"
wait_for 5 gone "$bg"
like "$tmp/cap.err" 'write failed.*File too large' "the size limit of files ends the capture"
n=$(sed -n 's/^\([0-9]*\) packets captured/\1/p' "$tmp/cap.err")
is "$(pcap_count "$tmp/4k.pcapng")" "$n" "the file holds the $n packets that are reported"

# the disk is full: all whole packets are there, and exactly so many are reported
mkdir "$tmp/small"
mount -t tmpfs -o size=128k none "$tmp/small"
captures -Q in -w "$tmp/small/cap.pcapng" udp
peer ngsend -i ng1 -c 400 -s 1000 -n >"$tmp/out"
ended
is $? 1 "a full disk ends the capture"
like "$tmp/cap.err" "write failed, the capture ended: No space left on device" "with a message"
n=$(sed -n 's/^\([0-9]*\) packets captured/\1/p' "$tmp/cap.err")
is "$(pcap_count "$tmp/small/cap.pcapng")" "$n" "the file holds the $n packets that are reported"
tcpdump -r "$tmp/small/cap.pcapng" >"$tmp/out" 2>"$tmp/err"
is $? 0 "and is whole"
is "$((n > 50 && n < 130))" 1 "as many as fit"
like "$tmp/cap.err" "^400 packets received by filter" "none is forgotten"
like "$tmp/cap.err" "^$((400 - n)) captured but not written" "nor what was not written"
umount "$tmp/small"

# the reader goes away: a clean end
mkfifo "$tmp/fifo"
head -c 200 "$tmp/fifo" >"$tmp/out" &
reader=$!
captures -Q in -U -w "$tmp/fifo" udp
peer ngsend -i ng1 -c 5 >"$tmp/ngsend.out"
wait "$reader"
peer ngsend -i ng1 -c 5 >"$tmp/ngsend.out"
ended
is $? 0 "a reader that goes away is a clean end"

# a reader that does not read: the leases go on, INT ends
exec 9<>"$tmp/fifo"
captures -Q in -U -w "$tmp/fifo" udp
peer ngsend -i ng1 -c 200 -s 1500 >"$tmp/ngsend.out"
kill -INT "$cap"
wait_for 1 gone "$cap"
is $? 1 "INT does not cut off a reader that is slow"
kill -INT "$cap"
ended
is $? 0 "a second INT does"
like "$tmp/cap.err" "^200 packets received by filter" "with its counts"
exec 9>&-
is "$(find /sys/fs/bpf/nicgate -type f 2>/dev/null | wc -l)" 0 "nothing is left"

# frames without an Ethernet header
if ip link add tun0 type gre local 127.0.0.1 remote 127.0.0.1 2>/dev/null || ip tuntap add tun0 mode tun 2>/dev/null; then
	refused 5 'no Ethernet header' "another link type" -i tun0 -w "$tmp/file"
else
	skip "another link type: needs a tun or gre device"
fi

run ng -j capture -i ng0 -Q in -c 1
is "$rc" 2 "-j without a file for the packets is refused"
: >"$tmp/cap.err"
bg sh -c "exec $NICGATE -j capture -i ng0 -Q in -c 2 -w $tmp/json.pcapng udp >$tmp/json 2>$tmp/cap.err"
cap=$bg
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -c 2 >"$tmp/ngsend.out"
ended
is "$(cat "$tmp/json")" '{"schema":1,"captured":2,"received_by_filter":2,"dropped_by_kernel":0,"ring_full":0,"sampled_out":0,"not_written":0}' "-j prints the counts"

done_testing
