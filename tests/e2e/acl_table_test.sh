#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate acl on whole tables: import, replace, export, expire, timeouts, comments, engines, and who dies meanwhile.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth
run ng attach ng0 --hook xdp --hook tc-out
is "$rc" 0 "attach"

# entries: what is in force, without headings and columns that differ from run to run
entries() { ng acl list ng0 | awk '$1 ~ /^(in|out)$/ { print $1, $2, $3, $4, $5, $6 }'; }
# hits PREFIX: packets that an entry counted
hits() { ng acl list ng0 -s | awk -v p="$1" '$3 == p { print $7 }'; }
has_hits() { [ "$(hits 192.0.2.9/32)" = "$1" ]; }
# gens HOOK: how many generations of tables are pinned
gens() { find /sys/fs/bpf/nicgate -path "*/$1/acl*" -type d | wc -l; }

# Ranges, comments, host bits
run ng acl add ng0 drop 192.0.2.10-192.0.2.13 comment 'it is a range'
is "$rc" 0 "a range"
is "$(entries)" "in src 192.0.2.10/31 any any drop
in src 192.0.2.12/31 any any drop" "becomes prefixes"
run ng acl list ng0
like out 'it is a range' "comments are shown"
run ng acl add ng0 drop 192.0.2.13-192.0.2.10
is "$rc" 2 "backwards: exit 2"

# Import: formats, all or nothing
printf '# feed\r\n203.0.113.0/24 spam\r\n2001:db8:bad::/48 ; v6\r\n' >"$tmp/feed"
run ng acl import ng0 drop "$tmp/feed"
is "$rc" 0 "a feed with comments, CRLF and words behind"
like out '2 added' "adds what is in it"
printf 'create s hash:net family inet\nadd s 198.18.0.0/15 timeout 600 comment "lab"\n' >"$tmp/set"
run ng acl import ng0 drop "$tmp/set" --format ipset
is "$rc" 0 "an ipset"
like out '1 added' "adds its element"
before=$(entries)
printf '192.0.2.77\n192.0.2.300\n192.0.2.78\n010.1.1.1\n' >"$tmp/bad"
run ng acl import ng0 drop "$tmp/bad"
is "$rc" 2 "bad lines: exit 2"
like err 'bad:2:' "the first is named"
like err 'bad:4:' "and the second"
is "$(entries)" "$before" "and nothing is changed"
run ng acl import ng0 drop "$tmp/bad" --skip-bad
is "$rc" 0 "--skip-bad reads the rest"
like err '2 bad lines' "and says how many it left out"
run ng acl import ng0 "$tmp/feed"
is "$rc" 2 "no verdict anywhere: exit 2"
echo 10.0.0.0/7 >"$tmp/wide"
run ng acl import ng0 drop "$tmp/wide"
is "$rc" 1 "a very wide prefix in a file is refused"
like err 'force' "unless forced"

# Export and back: the identity
for format in words json csv; do
	ng acl export ng0 --format $format >"$tmp/table.$format"
	before=$(entries)
	run ng acl replace ng0 --force "$tmp/table.$format"
	is "$rc" 0 "$format: export, replace"
	like out '\+0 -0' "changes no entry"
	is "$(entries)" "$before" "and leaves them as they are"
done
run ng acl export ng0 --format cidr
is "$rc" 1 "a format that cannot say all: refused"

# Replace: one table for another, counters go on
printf 'drop in src 192.0.2.0/24\npass in src 192.0.2.9\n' >"$tmp/a"
printf 'pass in src 192.0.2.9\ndrop in src 203.0.113.0/24 comment "b"\n' >"$tmp/b"
ng acl replace ng0 --force "$tmp/a" >/dev/null
peer ngsend -i ng1 -c 7 -S 192.0.2.9 >/dev/null
wait_for 5 has_hits 7
is "$(hits 192.0.2.9/32)" 7 "seven hits"
run ng acl replace ng0 "$tmp/b"
like out '\+1 -1 =1' "says what changed"
is "$(entries)" "in src 192.0.2.9/32 any any pass
in src 203.0.113.0/24 any any drop" "the table is what the file says"
is "$(hits 192.0.2.9/32)" 7 "what is still there has its hits"
peer ngsend -i ng1 -c 3 -S 192.0.2.9 >/dev/null
wait_for 5 has_hits 10
is "$(hits 192.0.2.9/32)" 10 "and counts on"
is "$(gens xdp)" 1 "one generation is pinned"
run ng acl replace ng0 drop - </dev/null
is "$rc" 1 "an empty table is refused"
like err 'broke off' "and why"
printf 'drop in src 192.0.2.%s\n' 1 2 3 4 5 6 7 | ng acl import ng0 - >/dev/null
run ng acl replace ng0 "$tmp/b"
is "$rc" 1 "so is one that loses more than half"
run ng acl replace ng0 --force "$tmp/b"
is "$rc" 0 "unless forced"

# A capture names the clause of each packet with the verdict that it had, also when it has another by then.
ng acl replace ng0 --force "$tmp/b" >/dev/null
bg ng capture -i ng0 -Q in -U -w "$tmp/cap.pcapng" 2>"$tmp/cap.err"
wait_for 10 file_has "$tmp/cap.err" '^listening on'
for verdict in drop pass drop pass drop pass; do
	ng acl add ng0 $verdict 203.0.113.0/24 >/dev/null
	peer ngsend -i ng1 -S 203.0.113.7 >/dev/null
done
ng acl replace ng0 --force "$tmp/a" >/dev/null
peer ngsend -i ng1 -S 192.0.2.7 >/dev/null
wait_for 5 file_has "$tmp/cap.pcapng" 'acl drop in src 192.0.2.0/24'
stop "$bg" INT
is "$(grep -ao 'acl drop in src 203.0.113.0/24' "$tmp/cap.pcapng" | wc -l)" 3 "captured: three drops"
is "$(grep -ao 'acl pass in src 203.0.113.0/24' "$tmp/cap.pcapng" | wc -l)" 3 "captured: three passes"
is "$(grep -ao 'acl drop in src 192.0.2.0/24' "$tmp/cap.pcapng" | wc -l)" 1 "captured: a clause of the next table"

# Timeouts
ng acl flush ng0 >/dev/null
ng acl add ng0 drop 192.0.2.9 timeout 2 >/dev/null
run ng acl list ng0
like out ' [12]s' "what is left of its time is shown"
run ng acl test ng0 192.0.2.9
is "$rc" 0 "it decides"
undecided() { ! ng acl test ng0 192.0.2.9 >/dev/null; }
run wait_for 6 undecided
is "$rc" 0 "until its time is over"
ng acl add ng0 drop 192.0.2.10 >/dev/null
is "$(entries)" "in src 192.0.2.10/32 any any drop" "the next change takes it out"
run ng acl add ng0 drop 192.0.2.9 timeout 0
is "$rc" 2 "no time at all: exit 2"
run ng acl expire ng0 1h
like out '0 deleted' "nothing is idle for an hour"
expires() { ng acl expire ng0 1s | grep -q '1 deleted'; }
run wait_for 6 expires
is "$rc" 0 "after a second without a hit, one is"

# Each command of a batch has a time of its own.
{
	echo 'acl add ng0 drop 192.0.2.9 timeout 1'
	sleep 2.5
	echo 'acl add ng0 drop 192.0.2.10 timeout 2'
} | ng -b - >/dev/null
run ng acl test ng0 192.0.2.10
is "$rc" 0 "a timeout counts from its own command of a batch"
ng acl flush ng0 >/dev/null

# Engines and counters, changed under way
ng acl replace ng0 --force "$tmp/b" >/dev/null
run ng attach ng0 --hook xdp --hook tc-out --engine lpm
is "$rc" 0 "the other engine"
like out 'changed' "is a change"
is "$(find /sys/fs/bpf/nicgate -path '*/xdp/acl*/ng_acl4_src' | wc -l)" 1 "its LPM maps are there"
is "$(entries | wc -l)" 2 "the entries, too"
run ng acl test ng0 203.0.113.7
is "$rc" 0 "and they decide"
run ng attach ng0 --hook xdp --hook tc-out --engine trie --acl-counters off
is "$rc" 0 "and back, without counters"
run ng acl list ng0 -s
like out 'drop  *-  *-' "which says so"
run ng acl expire ng0 1s
is "$rc" 1 "expire needs counters"
ng attach ng0 --hook xdp --hook tc-out --acl-counters on >/dev/null

# A large table, and a command that is killed while it makes it
awk 'BEGIN { for (i = 0; i < 200000; i++) printf "%d.%d.%d.%d/32\n", 11 + i % 80, i / 256 % 256, i % 256, i / 65536 }' >"$tmp/large"
run ng acl replace ng0 drop --force "$tmp/large"
is "$rc" 0 "200,000 prefixes"
is "$(ng -j status ng0 | grep -o '"acl_entries":200000' | wc -l)" 1 "are there"
run ng acl add ng0 pass 11.0.0.0/24
is "$rc" 0 "one more"
is "$(gens xdp)" 1 "in place"
for delay in 0.02 0.05 0.1 0.15 0.2 0.3; do
	bg ng acl replace ng0 --force "$tmp/b" >/dev/null 2>&1
	pid=$bg
	sleep $delay
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	run ng acl add ng0 drop 192.0.2.99
	n=$(ng -j status ng0 | grep -o '"acl_entries":[0-9]*' | head -1 | cut -d: -f2)
	[ "$n" = 3 ] || is "$n" 200002 "killed after $delay s: the old table or the new"
	is "$rc" 0 "killed after $delay s: the next change goes on"
	is "$(gens xdp)" 1 "and no third"
	ng acl replace ng0 drop --force "$tmp/large" >/dev/null
	ng acl add ng0 pass 11.0.0.0/24 >/dev/null
done

# Who looks without the lock while tables are swapped sees a gate of ours each time.
n=0
while [ $n -lt 40 ]; do
	echo "acl replace ng0 $tmp/a --force"
	echo "acl replace ng0 $tmp/b --force"
	n=$((n + 1))
done >"$tmp/swaps"
bg ng -q -b "$tmp/swaps" >/dev/null
others=0
until gone "$bg"; do
	ng -j status ng0 | grep -q '"hook":"xdp","mode":"[a-z]*","state":"attached"' || others=$((others + 1))
done
is "$others" 0 "status during swaps"

# A capture that sees no packets lets the old tables go.
head_id() { bpftool -j map show pinned "$(find /sys/fs/bpf/nicgate -path '*/xdp/acl*/ng_acl_head')" | grep -o '"id":[0-9]*' | cut -d: -f2; }
holds() { grep -qsx "map_id:[[:space:]]*$1" /proc/"$bg"/fdinfo/*; }
lets_go() { ! holds "$1"; }
bg ng capture -i ng0 -Q in -w "$tmp/quiet.pcapng" 'tcp port 9' 2>"$tmp/quiet.err"
wait_for 5 grep -q listening "$tmp/quiet.err"
old=$(head_id)
run holds "$old"
is "$rc" 0 "a capture has the tables open"
ng acl replace ng0 --force "$tmp/a" >/dev/null
run wait_for 5 lets_go "$old"
is "$rc" 0 "and not those that were swapped out"
kill "$bg"

# Two writers: each waits for the other, nothing is lost
ng acl flush ng0 >/dev/null
i=0
while [ $i -lt 20 ]; do
	ng acl add ng0 drop 192.0.2.$i >/dev/null 2>&1 &
	ng acl add ng0 drop 198.51.100.$((i + 10)) >/dev/null 2>&1 &
	i=$((i + 1))
done
wait
is "$(entries | wc -l)" 40 "forty writers at once"

# A reader of the list that is slow keeps nobody else waiting, and sees what was there when it began
awk 'BEGIN { for (i = 0; i < 2000; i++) printf "drop in src 10.9.%d.%d comment \"old\"\n", i / 256, i % 256 }' >"$tmp/old"
ng acl replace ng0 --force "$tmp/old" >/dev/null 2>&1
mkfifo "$tmp/slow"
ng -j acl list ng0 >"$tmp/slow" &
exec 3<"$tmp/slow"
head -c 1 <&3 >/dev/null
run ng acl add ng0 drop 10.9.7.207 comment new
is "$rc" 0 "a comment changes under a slow reader"
ng acl add ng0 drop 10.10.0.1 comment thief >/dev/null
grep -o '"10.9.7.207/32".*' <&3 >"$tmp/out"
exec 3<&-
wait
like out '"comment":"old"' "who reads the old one, not one that took its place"

# The interface goes away
ip link del ng0
run ng acl add ng0 drop 192.0.2.1
is "$rc" 3 "no such interface: exit 3"
run ng detach --all
is "$rc" 0 "and what is left goes"
is "$(find /sys/fs/bpf/nicgate -name 'ng_acl*' 2>/dev/null | wc -l)" 0 "its tables, too"
done_testing
