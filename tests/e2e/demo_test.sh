#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The demo network: what it sends is what it says, what captures hold, what the ACL counts; and nothing stays behind.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin

# kinds of one round, as `demo send` announces them: name, frames, filter
kinds="dns 20 ip and udp port 53
icmp 10 icmp
http 20 tcp port 80
https 20 ip and tcp port 443
vlan 10 vlan 100
fragments 10 ip[6:2] & 0x3fff != 0
dns6 5 ip6 and udp port 53
https6 5 ip6 and tcp port 443"

# shellcheck disable=SC2317 # called below
interfaces() { ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/'; }
interfaces=$(interfaces)

run ng demo send
is "$rc" 3 "send without a demo is refused"
like err 'nicgate demo up' "and says what to type"
run ng demo down
is "$rc" 0 "down without a demo is no error"
like out 'unchanged' "and says that there was none"

run setpriv --bounding-set -all --inh-caps -all "$NICGATE" demo up
is "$rc" 4 "up without capabilities is refused"
like err 'CAP_SYS_ADMIN' "and names the one that is missing"
is "$(ls -A /run/netns)" "" "and leaves nothing"

run ng demo up
is "$rc" 0 "up"
like out 'created' "says that it made the network"
run ng demo up
is "$rc" 0 "up again"
like out 'unchanged' "changes nothing"
run nsenter --net=/run/netns/nicgate-demo ip addr show dev ng1
like out '198.51.100.2/24' "the peer's IPv4 address"
like out '2001:db8:6e67::2/64' "and IPv6 address"

ng attach ng0 >"$tmp/attach" 2>&1
bg ng capture -i ng0 -Q in -w "$tmp/all.pcap" 2>"$tmp/all.log"
all=$bg
bg ng capture -i ng0 -Q in -w "$tmp/dns.pcap" 'udp port 53' 2>"$tmp/dns.log"
dns=$bg
bg tcpdump -n -i ng0 -Q in -s 2048 --immediate-mode -U -w "$tmp/tcpdump.pcap" 2>"$tmp/tcpdump.log"
tcpdump=$bg
wait_for 10 file_has "$tmp/all.log" 'listening on'
wait_for 10 file_has "$tmp/dns.log" 'listening on'
wait_for 10 file_has "$tmp/tcpdump.log" 'listening on'

before=$(rx_packets ng0)
run ng demo send
is "$rc" 0 "send"
while read -r name frames _ filter; do
	case $name in KIND | frames | bytes) ;; *) echo "$name $frames $filter" ;; esac
done <"$tmp/out" >"$tmp/said"
is "$(cat "$tmp/said")" "$kinds" "the table says how many of each, and their filter"
like out 'frames sent: *100$' "and how many in all"
is "$(($(rx_packets ng0) - before))" 100 "so many came in, and nothing else"
wait_for 5 pcap_has "$tmp/tcpdump.pcap" 100
stop "$tcpdump"
stop "$dns" INT
stop "$all" INT
is "$rc" 0 "a capture ends by SIGINT"

is "$(pcap_count "$tmp/all.pcap")" 100 "a capture holds them all"
is "$(pcap_count "$tmp/dns.pcap")" 25 "a capture of 'udp port 53' those of dns and dns6"
tcpdump -n -t -xx -r "$tmp/all.pcap" >"$tmp/all.txt" 2>/dev/null
tcpdump -n -t -xx -r "$tmp/tcpdump.pcap" >"$tmp/tcpdump.txt" 2>/dev/null
cmp "$tmp/all.txt" "$tmp/tcpdump.txt" >"$tmp/cmp" 2>&1
is "$?" 0 "byte for byte what tcpdump captured"
tcpdump -n -t -xx -r "$tmp/tcpdump.pcap" 'udp port 53' >"$tmp/want.txt" 2>/dev/null
tcpdump -n -t -xx -r "$tmp/dns.pcap" >"$tmp/dns.txt" 2>/dev/null
cmp "$tmp/dns.txt" "$tmp/want.txt" >"$tmp/cmp" 2>&1
is "$?" 0 "and for 'udp port 53' what tcpdump selects of it"
echo "$kinds" | while read -r name frames filter; do
	[ "$(pcap_count "$tmp/all.pcap" "$filter")" = "$frames" ] || echo "$name"
done >"$tmp/wrong"
is "$(cat "$tmp/wrong")" "" "each kind's filter selects as many as were announced"
tcpdump -n -vvv -r "$tmp/all.pcap" >"$tmp/verbose.txt" 2>/dev/null
unlike "$tmp/verbose.txt" 'bad \|incorrect\|wrong' "tcpdump finds no wrong checksum"

run ng acl add ng0 drop 192.0.2.0/24
is "$rc" 0 "a drop rule for the sources of dns and icmp"
bg tcpdump -n -i ng0 -Q in -s 2048 --immediate-mode -U -w "$tmp/passed.pcap" 2>"$tmp/passed.log"
wait_for 10 file_has "$tmp/passed.log" 'listening on'
ng demo send --rate 2000 3 >"$tmp/sent" 2>&1
is "$?" 0 "three rounds at a rate"
wait_for 5 pcap_has "$tmp/passed.pcap" 210
stop "$bg"
is "$(pcap_count "$tmp/passed.pcap")" 210 "tcpdump sees what passes"
is "$(pcap_count "$tmp/passed.pcap" src net 192.0.2.0/24)" 0 "and nothing from there"
run ng acl list ng0 -s
like out '192\.0\.2\.0/24.*[^0-9]90[^0-9]' "the rule counts what it dropped"

run ng detach --all
is "$rc" 0 "detach --all"
ng attach ng0 >"$tmp/attach" 2>&1
run ng demo down
is "$rc" 0 "down, with a program attached"
like out 'removed' "says that it removed the network"
is "$(find /sys/fs/bpf -path '*/nicgate/*' 2>&1)" "" "no pin is left"
is "$(interfaces)" "$interfaces" "no interface is left"
is "$(ls -A /run/netns)" "" "no namespace is left"

ip link add ng0 type veth peer name other
run ng demo up
is "$rc" 1 "up is refused where ng0 is somebody else's"
like err 'not the demo' "and says so"
run ng demo down
is "$rc" 0 "down leaves it alone"
like out 'unchanged' "and says that there was nothing"
is "$(ip -o link show dev ng0 | wc -l)" 1 "it is still there"

for words in 'demo' 'demo upp' 'demo up now' 'demo send 0' 'demo send x' 'demo send 1 2' 'demo send --rate 0' 'demo down x'; do
	# shellcheck disable=SC2086 # words
	run ng $words
	[ "$rc" = 2 ] || echo "$words: exit $rc"
done >"$tmp/wrong"
is "$(cat "$tmp/wrong")" "" "wrong words are usage errors"
done_testing
