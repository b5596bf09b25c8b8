#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How captures live beside each other and beside the ACL, and what is left when they end, however they do.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth

# link_ids PID: the BPF links that a process holds
link_ids() { sed -n 's/^link_id:[[:space:]]*//p' /proc/"$1"/fdinfo/* 2>/dev/null; }
no_such_link() { ! bpftool link show id "$1" >"$tmp/out" 2>&1; }
pins() { find /sys/fs/bpf/nicgate -type f 2>/dev/null | wc -l; }
qdiscs() { tc qdisc show dev ng0 | grep -c clsact; }

# a temporary tap goes with its process
captures -w "$tmp/cap.pcapng"
links=$(link_ids "$cap")
kill -9 "$cap"
wait "$cap" 2>/dev/null
if [ -n "$links" ]; then
	for id in $links; do
		wait_for 2 no_such_link "$id"
		is $? 0 "kill -9: the temporary tap is gone at once"
	done
else
	captures -Q in -c 1 -w "$tmp/cap.pcapng"
	like "$tmp/cap.err" listening "kill -9: without TCX the next command finds the tap"
	peer ngsend -i ng1 >"$tmp/out"
	ended
fi
is "$(pins)" 0 "no pin is left"
is "$(qdiscs)" 0 "no qdisc is left"

# the killed one's filter, and the whole qdisc, taken away by hand before the next command
for command in 'filter del dev ng0 egress' 'qdisc del dev ng0 clsact'; do
	captures -Q out -w "$tmp/cap.pcapng"
	kill -9 "$cap"
	wait "$cap" 2>/dev/null
	# shellcheck disable=SC2086 # the words
	[ -n "$links" ] || tc $command
	run ng detach --all
	is "$rc" 0 "tc $command: the next command"
	is "$(cat "$tmp/err")" "" "warns of nothing"
	is "$(pins)/$(qdiscs)" 0/0 "and leaves neither pin nor qdisc"
done

# two at once, each with its own expression, count and end
bg "$NICGATE" capture -i ng0 -Q in -w "$tmp/dns.pcapng" udp port 53 2>"$tmp/dns.err"
dns=$bg
captures -Q in -c 20 -w "$tmp/http.pcapng" udp port 80
wait_for 5 file_has "$tmp/dns.err" '^listening'
for port in 53 80 53 80 99; do peer ngsend -i ng1 -c 10 -P $port >"$tmp/out"; done
ended
is $? 0 "one of two captures ends"
peer ngsend -i ng1 -c 10 >"$tmp/out"
kill -INT "$dns"
wait "$dns"
is $? 0 "and the other"
is "$(pcap_count "$tmp/http.pcapng" udp port 80)/$(pcap_count "$tmp/http.pcapng")" 20/20 "the one has its packets"
is "$(pcap_count "$tmp/dns.pcapng" udp port 53)/$(pcap_count "$tmp/dns.pcapng")" 30/30 "the other those sent after the first had ended, too"
is "$(pins)" 0 "nothing is left"

# beside the ACL: dropped packets are seen, with verdict, clause and counts
run ng attach ng0 --mode native
is "$rc" 0 "attached"
attached_pins=$(pins)
ng acl add ng0 drop 192.0.2.0/24 >"$tmp/out" 2>&1
bg tcpdump -i ng0 -Q in -w "$tmp/tcpdump.pcap" --immediate-mode -U udp 2>"$tmp/tcpdump.err"
td=$bg
wait_for 5 file_has "$tmp/tcpdump.err" 'listening on'
captures -Q in -U -c 15 -w "$tmp/acl.pcapng" udp
peer ngsend -i ng1 -c 10 -S 192.0.2.9 >"$tmp/out"
wait_for 5 holds "$tmp/acl.pcapng" 10
ng acl del ng0 192.0.2.0/24 >"$tmp/out" 2>&1
peer ngsend -i ng1 -c 5 -S 192.0.2.9 >"$tmp/out"
ended
is $? 0 "a capture of dropped packets"
kill -INT "$td"
wait "$td"
is "$(pcap_count "$tmp/acl.pcapng")" 15 "holds the dropped and the passed"
is "$(pcap_count "$tmp/tcpdump.pcap")" 5 "tcpdump sees the passed ones only"
if command -v tshark >"$tmp/out"; then
	is "$(tshark -r "$tmp/acl.pcapng" -Y 'frame.verdict.ebpf_xdp==1' 2>"$tmp/err" | wc -l)" 10 "XDP_DROP is the verdict of ten"
	is "$(tshark -r "$tmp/acl.pcapng" -Y 'frame.verdict.ebpf_xdp==2' 2>"$tmp/err" | wc -l)" 5 "XDP_PASS of five"
	is "$(tshark -r "$tmp/acl.pcapng" -Y 'frame.comment == "acl drop in src 192.0.2.0/24"' 2>"$tmp/err" | wc -l)" 10 "a comment names what decided"
else
	skip "verdicts in the file: needs tshark"
fi

# kill -9 of a tap in an attached gate: inert, and removed by the next command that takes the lock; others go on
bg "$NICGATE" capture -i ng0 -Q in -w "$tmp/other.pcapng" udp port 53 2>"$tmp/other.err"
other=$bg
wait_for 5 file_has "$tmp/other.err" '^listening'
captures -Q in -w "$tmp/killed.pcapng"
kill -9 "$cap"
wait "$cap" 2>/dev/null
peer ngsend -i ng1 -c 5 >"$tmp/out"
run ng -v acl zero ng0
is "$rc" 0 "after kill -9 a command works"
like err 'tap 1 released, its owner is gone' "and removes the dead capture's tap"
peer ngsend -i ng1 -c 5 >"$tmp/out"
kill -INT "$other"
wait "$other"
is "$(pcap_count "$tmp/other.pcapng")" 10 "the other capture did not lose a packet"
run ng stats ng0
is "$rc" 0 "the gate is still there"
is "$(pins)" "$attached_pins" "with its pins and no other"

# the ends that are not ours
captures -Q in -w "$tmp/cap.pcapng" udp
peer ngsend -i ng1 -c 3 >"$tmp/out"
kill -USR1 "$cap"
wait_for 5 file_has "$tmp/cap.err" 'packets captured, 3 packets received by filter, 0 packets dropped'
is $? 0 "USR1 prints the counts"
ng -q detach ng0 >"$tmp/out"
ended
is $? 1 "a detached gate ends the capture"
like "$tmp/cap.err" 'ng0: nicgate was detached from it' "with a message"
is "$(pcap_count "$tmp/cap.pcapng")" 3 "and a whole file"

captures -w "$tmp/cap.pcapng" udp
peer ngsend -i ng1 -c 3 >"$tmp/out"
ip link del ng0
ended
is $? 1 "a removed interface ends the capture"
like "$tmp/cap.err" 'ng0: the interface went away' "with a message"
like "$tmp/cap.err" '^3 packets captured' "and the counts"
is "$(pcap_count "$tmp/cap.pcapng")" 3 "and a whole file"
is "$(pins)" 0 "nothing is left"

done_testing
