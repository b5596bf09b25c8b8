#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate acl on real packets: what it passes, drops and counts, changes under traffic, and what it refuses.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth
echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
echo 0 >/proc/sys/net/ipv4/conf/ng0/rp_filter
# shellcheck disable=SC2016 # the inner shell's
peer sh -c 'for i in all ng1; do echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done'

# UDP datagrams that reached a stack (nobody listens on port 53), by both families
arrived_here() {
	awk '/^Udp:/ && $3 ~ /^[0-9]/ { n += $3 } FILENAME ~ /6$/ && $1 == "Udp6NoPorts" { n += $2 } END { print n }' \
		/proc/net/snmp /proc/net/snmp6
}
arrived_peer() {
	# shellcheck disable=SC2016 # awk's
	peer awk '/^Udp:/ && $3 ~ /^[0-9]/ { n += $3 } FILENAME ~ /6$/ && $1 == "Udp6NoPorts" { n += $2 } END { print n }' \
		/proc/net/snmp /proc/net/snmp6
}
# hits DIR SIDE PREFIX [PROTO PORT]: packets of that entry
hits() {
	ng acl list ng0 -s | awk -v k="$1 $2 $3 ${4:-any} ${5:-any}" '$1 " " $2 " " $3 " " $4 " " $5 == k { print $7 }'
}
# counted N HOOK: that many packets have gone through a hook
counted() { [ "$(ng stats ng0 --by verdict | awk -v h="$2" '$2 == h { n += $4 } END { print n + 0 }')" -ge "$1" ]; }
zero() {
	ng acl zero ng0 >/dev/null
	ng stats zero ng0 >/dev/null
}

run ng acl list ng0
is "$rc" 3 "not attached: exit 3"
like err 'try: *nicgate attach ng0' "with the command that helps"
run ng attach ng0 --hook xdp --hook tc-out
is "$rc" 0 "attach"

# direction, words, what matches, what does not; 7 of the first and 5 of the second are sent
rows() {
	cat <<-'EOF'
	in src 192.0.2.0/24|-S 192.0.2.9|-S 192.0.3.9
	in src 192.0.2.9/32|-S 192.0.2.9|-S 192.0.2.8
	in dst 198.51.100.1/32|-D 198.51.100.1|-D 198.51.100.77
	in src 2001:db8:bad::/48|-S 2001:db8:bad::9|-S 2001:db8:bae::9
	in dst 2001:db8:6e67::1/128|-S 2001:db8:bad::9 -D 2001:db8:6e67::1|-S 2001:db8:bad::9 -D 2001:db8:6e67::77
	in src 192.0.2.0/24 proto udp port 50-53|-S 192.0.2.9|-S 192.0.2.9 -P 54
	in src 2001:db8:bad::/48 proto udp port 53|-S 2001:db8:bad::9|-S 2001:db8:bad::9 -P 52
	in src 192.0.2.0/24 proto udp|-S 192.0.2.9|-S 192.0.2.9 -p tcp
	out src 198.51.100.1/32|-S 198.51.100.1 -D 198.51.100.2|-S 198.51.100.88 -D 198.51.100.2
	out dst 2001:db8:6e67::2/128|-S 2001:db8:6e67::1 -D 2001:db8:6e67::2|-S 2001:db8:6e67::1 -D 2001:db8:6e67::77
	EOF
}

# look N HOOK: counters and entries into $tmp/now; true when N packets have gone through the hook
look() {
	printf 'stats ng0 --by verdict\nacl list ng0 -s\n' | ng -b - >"$tmp/now"
	awk -v n="$1" -v h="$2" '$1 == "ng0" && $2 == h { sum += $4 } END { exit sum < n }' "$tmp/now"
}
# A row with a verdict: counters are exact and what should arrive does. One entry is there at a time.
try_row() {
	verdict=$1 words=$2 yes=$3 no=$4
	case $words in
	in*) send='peer ngsend -i ng1' count=arrived_here hook=xdp ;;
	*) send="ngsend -d -i ng0 -e $mac1 -E $mac0" count=arrived_peer hook=tc-out ;;
	esac
	printf 'acl flush ng0\nstats zero ng0\nacl add ng0 %s\n' "$verdict $words" | ng -b - >/dev/null
	before=$($count)
	# shellcheck disable=SC2086 # the words
	{ $send -c 7 $yes && $send -c 5 $no; } >/dev/null
	wait_for 5 look 12 $hook
	# shellcheck disable=SC2046 # two words
	set -- $(awk -v h=$hook '$2 == h && $3 == "drop" { d = $4 } $1 ~ /^(in|out)$/ { n = $7 } END { print n, d }' "$tmp/now")
	is "$1" 7 "$verdict $words: counts what matches, and only that"
	[ "$verdict" = drop ] || return 0
	is "$2" 7 "drops it"
	is "$(($($count) - before))" "$(arriving "$no")" "and nothing of it arrives"
}
# How many of 5 such frames a stack answers for: UDP to its own address.
arriving() { case $1 in *77* | *tcp*) echo 0 ;; *) echo 5 ;; esac; }

rows >"$tmp/rows"
[ -z "${NG_QUICK:-}" ] || sed -i -n '1p;5p;7p;9p' "$tmp/rows"
while IFS='|' read -r words yes no; do
	try_row drop "$words" "$yes" "$no" </dev/null
done <"$tmp/rows"
try_row count 'in src 192.0.2.0/24' '-S 192.0.2.9' '-S 192.0.3.9'
try_row pass 'in src 192.0.2.0/24' '-S 192.0.2.9' '-S 192.0.3.9'
ng acl flush ng0 >/dev/null

# Clauses together: the longest prefix first, then what covers it; count goes on; source before destination.
# What is not IP does not count: the kernel asks by ARP when it likes.
printf 'acl add ng0 %s\n' 'drop 192.0.0.0/16' 'count 192.0.2.0/24' 'pass 192.0.2.0/24 proto udp port 53' \
	'drop dst 198.51.100.1' >"$tmp/batch"
run ng -b "$tmp/batch"
is "$rc" 0 "clauses on nested prefixes"
zero
peer ngsend -i ng1 -c 3 -S 192.0.2.9 >/dev/null
peer ngsend -i ng1 -c 4 -S 192.0.2.9 -P 54 >/dev/null
peer ngsend -i ng1 -c 5 -S 203.0.113.9 >/dev/null
wait_for 5 counted 12 xdp
is "$(hits in src 192.0.2.0/24 udp 53)" 3 "port 53 of the inner prefix passes"
is "$(hits in src 192.0.2.0/24)" 4 "the rest is counted"
is "$(hits in src 192.0.0.0/16)" 4 "and dropped by the outer prefix"
is "$(hits in dst 198.51.100.1/32)" 5 "the destination is asked where no source decides"
is "$(ng stats ng0 | awk '$2 == "xdp" && $4 != "non-ip" { printf "%s %s %s;", $3, $4, $5 }')" \
	"pass default 0;pass acl-src 3;drop acl-src 4;drop acl-dst 5;" "stats tell the same"
run ng acl test ng0 192.0.2.7 proto udp port 53
is "$rc" 0 "test finds the clause"
like out '192.0.2.0/24 *udp *53 *pass' "that decides"
run ng acl test ng0 192.0.2.7
like out '192.0.0.0/16 *any *any *drop' "count does not decide"
run ng -j acl test ng0 203.0.113.1
is "$rc $(cat "$tmp/out")" '1 {"schema":1,"device":"ng0","decided":false,"verdict":null,"default":"pass"}' \
	"none decides: exit 1"
run ng acl list ng0 --match 192.0.2.0/25
is "$(awk 'NR > 1 { print $3 }' "$tmp/out" | sort -u | xargs)" "192.0.0.0/16 192.0.2.0/24" "list --match: what overlaps"
run ng -j acl get ng0 dst 198.51.100.1
is "$(sed 's/"idle_seconds":[0-9]*/"idle_seconds":0/' "$tmp/out")" '{"schema":1,"device":"ng0","entries":[{"direction":"in","side":"dst","prefix":"198.51.100.1/32","proto":"any","port":"any","verdict":"drop","packets":5,"bytes":210,"idle_seconds":0,"timeout":null,"expires_seconds":null,"comment":null}]}' \
	"get: one entry, in JSON"
run ng acl zero ng0
is "$(hits in dst 198.51.100.1/32)" 0 "zero"
run ng acl add ng0 pass 192.0.2.0/24 proto udp port 53
like out ': unchanged$' "the same again: unchanged"
run ng acl add ng0 drop 192.0.2.0/24 proto udp port 53
like out ': changed$' "another verdict: changed"
run ng acl del ng0 192.0.2.0/24 proto tcp
is "$rc" 3 "no such entry: exit 3"
like err 'there is: drop in src 192.0.2.0/24 proto udp port 53' "with those that are similar"
run ng acl del ng0 192.0.2.0/24 proto udp port 53
is "$rc" 0 "del"
run ng -j acl flush ng0
is "$(cat "$tmp/out")" '{"schema":1,"device":"ng0","deleted":3}' "flush says how many"

# Under traffic: each packet gets the old verdict or the new one; none is lost between, none counted twice.
ng acl add ng0 pass 192.0.2.0/24 >/dev/null
zero
bg nsenter --net=/run/netns/peer ngsend -i ng1 -c 6000 -r 3000 -S 192.0.2.9 >"$tmp/sent"
i=0 rounds=${NG_QUICK:+2} rounds=${rounds:-8}
while [ $i -lt "$rounds" ]; do
	printf 'acl add ng0 %s\n' 'drop 192.0.2.0/24' 'count 192.0.0.0/8' 'pass 192.0.2.0/24' 'drop 192.0.2.9/32' >"$tmp/batch"
	printf 'acl del ng0 %s\n' 192.0.2.9/32 192.0.0.0/8 >>"$tmp/batch"
	ng -q -b "$tmp/batch" >/dev/null 2>&1
	i=$((i + 1))
done
wait_for 20 gone "$bg"
wait_for 5 counted 6000 xdp
is "$(ng stats ng0 | awk '$2 == "xdp" && $4 == "acl-src" { n += $5 } $2 == "xdp" && $4 == "default" { d += $5 } END { print n, d + 0 }')" \
	"6000 0" "6000 packets during changes: every one is decided by a clause"
ng acl flush ng0 >/dev/null
zero
bg nsenter --net=/run/netns/peer ngsend -i ng1 -c 3000 -r 2000 -S 192.0.2.9 >"$tmp/sent"
wait_for 5 counted 100 xdp
ng acl add ng0 drop 192.0.2.0/24 >/dev/null
passed=$(ng stats ng0 | awk '$4 == "default" && $2 == "xdp" { print $5 }')
wait_for 20 gone "$bg"
wait_for 5 counted 3000 xdp
is "$(ng stats ng0 | awk '$4 == "default" && $2 == "xdp" { print $5 }')" "$passed" "once add has returned, not one more passes"
is "$(hits in src 192.0.2.0/24)" "$((3000 - passed))" "and the entry has counted the rest"
ng acl flush ng0 >/dev/null

# Files of prefixes.
printf '# feed\r\n192.0.2.0/24\r\n\n 2001:db8:bad::/48 ; v6\n192.0.2.0/24\n10.1.2.3/8\n' >"$tmp/feed"
run ng acl add ng0 drop "@$tmp/feed"
is "$rc" 0 "a file of prefixes"
like out '3 added, 0 changed, 0 unchanged' "each once"
like err 'warning: .*1 of 4 prefixes had host bits set' "host bits are masked, aloud"
run ng acl add ng0 pass - <"$tmp/feed"
like out '0 added, 3 changed, 0 unchanged' "from standard input"
ng acl list ng0 >"$tmp/list"
# More prefixes than any table begins with: it grows, and what is in force stays.
awk 'BEGIN { for (i = 0; i < 70000; i++) printf "10.%d.%d.%d/32\n", i / 65536, i / 256 % 256, i % 256 }' >"$tmp/many"
zero
peer ngsend -i ng1 -c 3 -S 192.0.2.9 >/dev/null
wait_for 5 counted 3 xdp
run ng acl add ng0 drop "@$tmp/many"
like out '70000 added, 0 changed, 0 unchanged' "70,000 prefixes"
is "$(hits in src 192.0.2.0/24)" 3 "with counters that go on"
peer ngsend -i ng1 -c 4 -S 10.1.17.111 >/dev/null
wait_for 5 counted 7 xdp
is "$(hits in src 10.1.17.111/32)" 4 "the last of them decides"
run ng acl del ng0 10.1.17.111
is "$rc" 0 "one is deleted"
is "$(ng acl list ng0 | grep -c '10\..*drop')" 69999 "the others are listed"
run ng acl flush ng0
like out ': 70002 deleted' "all are flushed"
is "$(ng acl list ng0 | grep -c /)" 0 "and gone"
ng acl add ng0 pass "@$tmp/feed" >/dev/null 2>&1
ng acl list ng0 >"$tmp/list"
printf '192.0.2.128/25\n10.0.0.256\n\n  2001:db8::g # bad\n1.2.3.4/33 ; 5.6.7.8\n' >"$tmp/bad"
run ng acl add ng0 drop "@$tmp/bad"
is "$rc" 2 "a file with bad lines: exit 2"
is "$(sed -n "s|^nicgate: error: $tmp/bad:\([0-9:]*\): .*|\1|p" "$tmp/err" | xargs)" "2:8 4:13 5:9" "all lines and columns"
like err '3 bad lines' "and their number"
ng acl flush ng0 >/dev/null
printf 'create b hash:net family inet\nadd b 192.0.2.0/24\nadd b 198.51.100.1-198.51.100.2\n' >"$tmp/set"
run ng acl add ng0 drop "@$tmp/set"
like out '3 added' "what ipset save prints"
like err 'read as ipset' "and which format that was"
ng -j acl list ng0 >"$tmp/json"
ng acl flush ng0 >/dev/null
run ng acl add ng0 drop "@$tmp/json"
like out '3 added' "what acl list prints in JSON"
run ng acl add ng0 pass "@$tmp/json"
is "$rc" 2 "but not with another verdict"
like err 'json:1:[0-9]*: 192.0.2.0/24 is not .pass in' "which is said, and where"
ng acl list ng0 >"$tmp/list"
run ng acl add ng0 drop "@$tmp/none"
is "$rc" 2 "a file that is not there: exit 2"

# Words that are wrong: exit 2 and the column.
while IFS='|' read -r column words; do
	# shellcheck disable=SC2086
	run ng acl $words
	read -r line <"$tmp/err"
	at=${line#nicgate: error: command line:1:}
	is "$rc ${at%%:*}" "2 $column" "refused: acl $words"
done <<EOF
25|add ng0 drop 10.0.0.256
20|add ng0 drop 10/8
18|add ng0 drop 010.0.0.0/8
27|add ng0 drop 10.0.0.0/33
29|add ng0 drop 2001:db8::/129
18|add ng0 drop ::ffff:192.0.2.1
18|add ng0 drop eth0
13|add ng0 frob 10.0.0.0/8
18|add ng0 drop
29|add ng0 drop 10.0.0.0/8 port 80
35|add ng0 drop 10.0.0.0/8 proto tpc
44|add ng0 drop 10.0.0.0/8 proto tcp port 65536
47|add ng0 drop 10.0.0.0/8 proto tcp port 80-79
13|del ng0 drop 10.0.0.0/8
22|test ng0 10.0.0.0/8
15|flush ng0 both
EOF
run ng acl lits ng0
is "$rc" 2 "unknown word: exit 2"
like err "did you mean 'list'" "with the likely one"
run ng acl list ng7
is "$rc" 3 "no such interface: exit 3"
run setpriv --reuid 65534 --clear-groups "$NICGATE" acl add ng0 drop 10.0.0.0/8
is "$rc" 4 "without privileges: exit 4"
ng acl list ng0 >"$tmp/list2"
is "$(cat "$tmp/list2")" "$(cat "$tmp/list")" "and none of these changed anything"
ng acl flush ng0 >/dev/null

# Guards.
ip route add default via $ip1
while IFS='|' read -r want why ssh words; do
	# shellcheck disable=SC2086
	SSH_CONNECTION=$ssh run ng acl add ng0 drop $words
	is "$rc" "$want" "drop $words: $why"
done <<EOF
1|everything||0.0.0.0/0
1|everything||out dst ::/0
0|everything of one protocol||0.0.0.0/0 proto udp
1|the session's address|192.0.2.7 5000 198.51.100.1 22|192.0.2.0/24
1|the session's port|192.0.2.7 5000 198.51.100.1 22|192.0.2.0/24 proto tcp port 22
0|not the session's port|192.0.2.7 5000 198.51.100.1 22|192.0.2.0/24 proto tcp port 23
0|not the session's protocol|192.0.2.7 5000 198.51.100.1 22|192.0.2.0/24 proto udp
1|the way back|192.0.2.7 5000 198.51.100.1 22|out dst 192.0.2.0/24
1|our own address|192.0.2.7 5000 198.51.100.1 22|in dst 198.51.100.1
1|an IPv6 session|2001:db8::7 5000 2001:db8:6e67::1 22|2001:db8::/64
1|the gateway||198.51.100.2
0|not the gateway||198.51.100.3
EOF
run ng acl add ng0 drop 0.0.0.0/0
like err 'try: .*--force' "a refusal says how to insist"
run ng acl add ng0 drop 198.51.100.2 --force
is "$rc" 0 "--force insists"
run ng acl add ng0 pass 0.0.0.0/0
is "$rc" 0 "pass needs no force"
ng acl flush ng0 >/dev/null

# Under default drop the interface keeps its neighbours.
ng attach ng0 --hook xdp --hook tc-out --default drop >/dev/null
zero
before=$(arrived_here)
# Solicitations without a packet to send come from a link-local address.
ip addr add fe80::1/64 dev ng0 nodad
peer ip addr add fe80::2/64 dev ng1 nodad
resolved() { peer ip neigh show "$1" dev ng1 | grep -q "lladdr $mac0 .*REACHABLE"; }
for addr in $ip0 $ip6_0; do
	peer ip neigh del "$addr" dev ng1
	peer ip neigh replace "$addr" dev ng1 use
	is "$(wait_for 5 resolved "$addr" && echo yes)" yes "default drop: $addr is found by its neighbour"
done
peer ngsend -i ng1 -c 5 -S $ip1 >/dev/null
wait_for 5 sh -c "$NICGATE stats ng0 | grep -q 'xdp *drop *default *[5-9]'"
is "$(($(arrived_here) - before))" 0 "and other packets are dropped"
ng stats ng0 >"$tmp/out"
like out 'xdp *pass *guard-arp *[1-9]' "ARP passed by a guard"
like out 'xdp *pass *guard-nd *[1-9]' "ND passed by a guard"

# Two at a time: the lock keeps changes apart.
writer() {
	n=0
	while [ "$n" -lt 40 ]; do
		echo "acl add ng0 drop $1.$n.0/24"
		n=$((n + 1))
	done >"$tmp/writer.$1"
	exec "$NICGATE" -q -b "$tmp/writer.$1" >/dev/null
}
bg writer 10.1
first=$bg
bg writer 10.2
wait "$first" "$bg"
is "$(ng acl list ng0 | grep -c '10.[12].*drop')" 80 "two writers at once: all entries are there"
run ng detach ng0
is "$rc" 0 "detach"
run ng acl list ng0
is "$rc" 3 "and the ACL is gone"
done_testing
