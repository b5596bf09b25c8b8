#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate stats: every packet sent is counted once, under its verdict and reason, with its bytes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth

run ng stats
is "$rc $(cat "$tmp/out")" "0 " "nothing attached: nothing to show"
run ng -j stats
is "$(cat "$tmp/out")" '{"schema":1,"counters":[]}' "and an empty list in JSON"
run ng stats ng0
is "$rc" 3 "a device that is not attached: exit 3"
like err 'try: *nicgate attach ng0' "with the command that helps"
run ng stats ng7
is "$rc" 3 "no such device: exit 3"

ng attach ng0 --hook xdp --hook tc-out >/dev/null 2>&1
run ng stats ng0
is "$(awk 'NR > 1 { print $1, $2, $3, $4, $5, $6 }' "$tmp/out")" "ng0 xdp pass default 0 0
ng0 tc-out pass default 0 0" "a gate has a row before it has a packet"
ng acl add ng0 drop 192.0.2.0/24 >/dev/null
ng acl add ng0 drop dst 2001:db8:6e67::1 >/dev/null

# Known frames of known lengths, one kind after the other.
arp=ffffffffffff0200000000020806000108000604000102000000000200000000000000000000c6336401
peer sh -c "ngsend -i ng1 -c 10 -S 192.0.2.9 -s 100 && ngsend -i ng1 -c 6 -S 203.0.113.9 -s 200 &&
	ngsend -i ng1 -c 4 -S 192.0.2.9 -V 7 -s 104 && ngsend -i ng1 -c 5 -S 2001:db8:bad::9 -s 150 &&
	ngsend -i ng1 -c 3 -x $arp" >"$tmp/sent"
is "$(awk '{ n += $1 } END { print n }' "$tmp/sent")" 28 "28 frames are sent"
all_in() { [ "$(ng stats ng0 --by verdict | awk '$2 == "xdp" { n += $4 } END { print n }')" = 28 ]; }
wait_for 5 all_in
run ng stats ng0
is "$(awk '$2 == "xdp" { print $3, $4, $5, $6 }' "$tmp/out")" "pass default 6 1200
pass non-ip 3 126
drop acl-src 14 1416
drop acl-dst 5 750" "by verdict and reason: packets and bytes are exact"
run ng stats ng0 --by verdict
is "$(awk '$2 == "xdp" { print $3, $4, $5 }' "$tmp/out")" "pass 9 1326
drop 19 2166" "by verdict"
run ng stats --by=reason
is "$(awk '$2 == "xdp" { print $3, $4, $5 }' "$tmp/out" | xargs)" \
	"default 6 1200 non-ip 3 126 acl-src 14 1416 acl-dst 5 750" "by reason, of all devices"
run ng -j stats ng0 --by verdict
is "$(sed 's/.*"counters":\[\(.*\),{"device":"ng0","hook":"tc-out","verdict":"pass".*/\1/' "$tmp/out")" \
	'{"device":"ng0","hook":"xdp","verdict":"pass","packets":9,"bytes":1326},{"device":"ng0","hook":"xdp","verdict":"drop","packets":19,"bytes":2166}' \
	"in JSON"

# What goes out is counted at the other hook.
ngsend -i ng0 -e $mac1 -E $mac0 -S $ip0 -D $ip1 -c 8 -s 120 >/dev/null
out_is() { [ "$(ng stats ng0 --by verdict | awk '$2 == "tc-out" { n += $4 } END { print n }')" -ge 8 ]; }
wait_for 5 out_is
# the peer's stack may answer, and these answers come in: only tc-out is exact
run ng stats ng0
like out 'tc-out *pass *default *8 *960$' "8 frames of 120 bytes went out"

# Rates.
run ng -j stats ng0 --by verdict 1 2
is "$rc $(wc -l <"$tmp/out")" "0 2" "an interval and a count: so many lines of JSON"
is "$(grep -c '"time":"20.*Z","time_ns":[0-9]*,"interval_ns":[0-9]*,"counters":' "$tmp/out")" 2 "each with its time"
is "$(tail -n 1 "$tmp/out" | grep -c '"verdict":"drop","packets":19,"bytes":2166,"packets_per_s":0,"bytes_per_s":0')" 1 \
	"nothing is sent: totals stand, rates are zero"
bg nsenter --net=/run/netns/peer ngsend -i ng1 -c 1500 -r 500 -S 192.0.2.9 -s 100 >/dev/null
run ng stats ng0 1 1
like out 'xdp *drop *acl-src *[0-9]* *[0-9]* *[1-9][0-9]*  *[1-9][0-9]*$' "under traffic they are not"
wait_for 20 gone "$bg"

run ng stats zero ng0
is "$rc" 0 "zero"
like out 'ng0: xdp: counters are zero' "says so"
is "$(ng stats ng0 | awk '$2 == "xdp" { print $3, $4, $5, $6 }')" "pass default 0 0" "and it is"
is "$(ng acl list ng0 -s | awk '/192.0.2.0/ { print $7 }')" 1514 "the counters of the ACL go on"
run ng -j stats zero
is "$(cat "$tmp/out")" '{"schema":1,"zeroed":[{"device":"ng0","hook":"xdp"},{"device":"ng0","hook":"tc-out"}]}' \
	"zero of all, in JSON"

while read -r words; do
	# shellcheck disable=SC2086
	run ng stats $words
	is "$rc" 2 "refused: stats $words"
done <<EOF
ng0 0
ng0 99999999999
ng0 1 0
ng0 1 2 3
ng0 ng0
ng0 1.5
1 ng0
--by colour
--by
--per verdict
zero ng0 1
zero --by verdict
EOF
# A gate that cannot be opened hides none of the others.
ng attach lo --hook tc-in >/dev/null
rm /sys/fs/bpf/nicgate/n*/i100/xdp/ng_counters
run ng stats
is "$rc" 1 "a pin is missing: exit 1"
is "$(awk 'NR > 1 { print $1, $2 }' "$tmp/out" | sort -u | xargs)" "lo tc-in ng0 tc-out" "and the other gates are shown"
like err 'warning: ng0: xdp: its maps cannot be reached.*nicgate stats ng0' "the one is named"
run ng -j stats 1 2
is "$rc $(grep -c '"device":"lo".*"device":"ng0","hook":"tc-out"' "$tmp/out")" "1 2" "by intervals too"
is "$(grep -c 'ng0: xdp:' "$tmp/err")" 1 "with one warning"
run ng stats zero
is "$rc $(xargs <"$tmp/out")" "1 lo: tc-in: counters are zero ng0: tc-out: counters are zero" "zero leaves it out"
run ng stats ng0
is "$rc $(cat "$tmp/out")" "1 " "of that interface: an error"
like err 'try: *nicgate detach ng0 --hook xdp' "with the command that helps"
ng detach lo >/dev/null
ng detach ng0 --hook xdp >/dev/null

ng stats ng0 >/dev/full 2>"$tmp/err" && rc=0 || rc=$?
is "$rc" 1 "a full disk: exit 1"
like err 'stdout: write failed' "said aloud"
run ng detach ng0
run ng stats ng0
is "$rc" 3 "detached: exit 3"
done_testing
