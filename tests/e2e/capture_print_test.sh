#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Captures that print: direction and verdict in tcpdump's lines, all else as tcpdump prints it, and every way to end.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth
clock='[0-9][0-9]:[0-9][0-9]:[0-9][0-9][.][0-9]\{6\}'

# prints OPTIONS.. : starts a capture of ng0, its lines in $tmp/lines, its messages in $tmp/cap.err, and waits until it listens
prints() {
	: >"$tmp/cap.err"
	bg "$NICGATE" capture -i ng0 "$@" >"$tmp/lines" 2>"$tmp/cap.err"
	cap=$bg
	wait_for 10 file_has "$tmp/cap.err" '^listening on' || sed 's/^/# /' "$tmp/cap.err"
}
lines() { grep -c "$@" "$tmp/lines"; }
lines_are() { [ "$(wc -l <"$tmp/lines")" -ge "$1" ]; }
out_of_ng0() { ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 "$@" >"$tmp/ngsend.out"; }
child_of() { cat "/proc/$1/task/$1/children"; }

# temporary taps decide nothing
prints -c 5 udp
peer ngsend -i ng1 -c 3 >"$tmp/ngsend.out"
out_of_ng0 -c 2
ended
is $? 0 "not attached"
is "$(lines "^$clock In  IP 192[.]0[.]2[.]9[.]40000 > 198[.]51[.]100[.]1[.]53: ")" 3 "what comes in has its direction"
is "$(lines "^$clock Out IP 198[.]51[.]100[.]1[.]")" 2 "what goes out as well"
is "$(lines .)" 5 "and there are no other lines"

# a gate says what became of them
run ng attach ng0 --mode native
is "$rc" 0 "attached"
ng acl add ng0 drop 192.0.2.0/24 >"$tmp/out" 2>&1
prints -c 7 udp
peer ngsend -i ng1 -c 3 -S 192.0.2.9 >"$tmp/ngsend.out"
peer ngsend -i ng1 -c 2 -S 203.0.113.9 >"$tmp/ngsend.out"
out_of_ng0 -c 2
ended
is $? 0 "attached, with an ACL"
is "$(lines "^$clock In  drop IP 192[.]0[.]2[.]9[.]")" 3 "what is dropped is shown as dropped"
is "$(lines "^$clock In  pass IP 203[.]0[.]113[.]9[.]")" 2 "what passes as passed"
is "$(lines "^$clock Out pass IP 198[.]51[.]100[.]1[.]")" 2 "on the way out, too"
prints -Q in -c 2 -t -e -v -X udp
peer ngsend -i ng1 -c 2 -S 192.0.2.9 >"$tmp/ngsend.out"
ended
is "$(lines "^In  drop $mac1 > $mac0, ethertype IPv4")" 2 "-t: the line begins with them"
is "$(lines "^    192[.]0[.]2[.]9[.]40000 > ")/$(lines '^.0x0000:  4500')" 2/2 "-v, -X: lines between stay as they are"
is "$(lines drop)" 2 "and get no words"

# at once, and before the counts
: >"$tmp/lines"
bg "$NICGATE" capture -i ng0 -Q in udp >"$tmp/lines" 2>&1
cap=$bg
wait_for 10 file_has "$tmp/lines" '^listening on'
peer ngsend -i ng1 >"$tmp/ngsend.out"
wait_for 5 file_has "$tmp/lines" ' In  drop IP '
is $? 0 "a line comes at once"
peer ngsend -i ng1 -c 50 >"$tmp/ngsend.out"
wait_for 5 lines_are 2
kill -INT "$cap"
ended
is $? 0 "INT ends it"
is "$(sed -n '/^51 packets captured/,$p' "$tmp/lines" | wc -l)/$(lines ' In  drop IP ')" 3/51 "the counts follow the last packet"
ng -q detach ng0 >"$tmp/out"

# -r knows neither: what tcpdump prints, byte for byte
ngsend -w "$tmp/one.pcap" -c 100 -s 200 >"$tmp/ngsend.out"
ngsend -w "$tmp/two.pcap" -c 2 -x 00 >"$tmp/ngsend.out"
{ cat "$tmp/one.pcap"; tail -c +25 "$tmp/two.pcap"; } >"$tmp/all.pcap"
set -- '-t -X' '-tttt -v -A'
[ "${NG_QUICK:-}" ] || set -- "$@" '' '-t -t -v' '-ttt -e' '-ttttt -q'
for flags; do
	# shellcheck disable=SC2086 # options are words
	tcpdump -n -r "$tmp/all.pcap" $flags >"$tmp/want" 2>"$tmp/err"
	# shellcheck disable=SC2086
	run ng capture -r "$tmp/all.pcap" $flags
	cmp "$tmp/want" "$tmp/out" >"$tmp/diff" 2>&1
	is "$rc/$?" 0/0 "-r $flags prints what tcpdump prints"
done
ngsend -w "$tmp/many.pcap" -c 6000 -P 99 >"$tmp/ngsend.out"
tcpdump -n -r "$tmp/many.pcap" 2>"$tmp/err" | cksum >"$tmp/want"
ng capture -r "$tmp/many.pcap" | { sleep 0.2; cksum; } >"$tmp/got"
cmp "$tmp/want" "$tmp/got" >"$tmp/diff" 2>&1
is $? 0 "more packets than are on their way at once, for a reader that is late"

# a tcpdump that does not number its lines, or does not know the option
mkdir "$tmp/bin"
cat >"$tmp/bin/tcpdump" <<-'EOS'
	#!/bin/sh
	case " $* " in *' -# '*) [ -z "$NO_NUMBER" ] || exit 1 ;; esac
	echo "as it $NO_NUMBER is"
	echo '    1  00:00:00.000000 x'
	exec cat >/dev/null
EOS
chmod +x "$tmp/bin/tcpdump"
for no in '' no; do
	run env NO_NUMBER=$no PATH="$tmp/bin:$PATH" "$NICGATE" capture -r "$tmp/all.pcap"
	is "$rc/$(cat "$tmp/out")" "0/as it $no is
    1  00:00:00.000000 x" "without numbers lines pass unchanged (${no:-yes})"
done

# the reader goes away: the capture ends, also when no packet comes any more
mkfifo "$tmp/fifo"
: >"$tmp/cap.err"
head -n 1 "$tmp/fifo" >"$tmp/lines" &
reader=$!
bg "$NICGATE" capture -i ng0 udp >"$tmp/fifo" 2>"$tmp/cap.err"
cap=$bg
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 >"$tmp/ngsend.out"
wait "$reader"
ended
is $? 0 "a reader that goes away is a clean end"
is "$(lines ' In  IP ')" 1 "it had its line"
unlike "$tmp/cap.err" 'warning\|error' "there is nothing to warn of"

# a reader that does not read
exec 9<>"$tmp/fifo"
: >"$tmp/cap.err"
bg "$NICGATE" capture -i ng0 -X udp >"$tmp/fifo" 2>"$tmp/cap.err"
cap=$bg
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -c 500 -s 1500 -n >"$tmp/ngsend.out"
kill -INT "$cap"
wait_for 1 gone "$cap"
is $? 1 "INT does not cut off a reader that is slow"
kill -INT "$cap"
ended
is $? 0 "a second INT does"
like "$tmp/cap.err" '^500 packets received by filter' "with its counts"
exec 9>&-

# standard output cannot be written to
: >"$tmp/cap.err"
bg "$NICGATE" capture -i ng0 udp >/dev/full 2>"$tmp/cap.err"
cap=$bg
wait_for 10 file_has "$tmp/cap.err" '^listening on'
peer ngsend -i ng1 -c 5 >"$tmp/ngsend.out"
ended
is $? 1 "a full disk ends the capture"
like "$tmp/cap.err" 'stdout: write failed, the capture ended: No space left on device' "with a message"
like "$tmp/cap.err" '^0 packets captured' "and no packet counts that is not there"

# tcpdump goes away
prints udp
kill -9 "$(child_of "$cap")"
ended
is $? 1 "a capture ends with its tcpdump"
like "$tmp/cap.err" 'tcpdump: it prints the packets, and ended by Killed' "and says so"

done_testing
