#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate filter as far as no kernel is asked: each form of a filter, what it is read from, what is refused.
# shellcheck source-path=SCRIPTDIR source=../e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# refused STATUS PATTERN NAME WORDS..
refused() {
	status=$1 pattern=$2 name=$3
	shift 3
	run ng "$@"
	is "$rc/$(wc -c <"$tmp/out")" "$status/0" "$name: exit $status, and nothing on stdout"
	like err "$pattern" "$name: says so"
}
same_out() { cmp -s "$tmp/out" "$1"; is $? 0 "$2"; }

# dump: classic BPF is libpcap's
for expr in udp 'udp port 53' 'vlan 5 and tcp port 80' 'tcp[tcpflags] & tcp-syn != 0' 'greater 100' ''; do
	tcpdump -y EN10MB -d "$expr" >"$tmp/want" 2>"$tmp/err"
	run ng filter dump --cbpf "$expr"
	same_out "$tmp/want" "dump --cbpf '$expr': as tcpdump -d"
	ng filter compile --as ddd "$expr" >"$tmp/out"
	tcpdump -y EN10MB -ddd "$expr" >"$tmp/want" 2>"$tmp/err"
	same_out "$tmp/want" "compile --as ddd '$expr': as tcpdump -ddd"
done
tcpdump -y EN10MB -O -d udp >"$tmp/want" 2>"$tmp/err"
run ng filter dump --cbpf --no-optimize udp
same_out "$tmp/want" "--no-optimize: as tcpdump -O -d"
run ng capture -d --no-optimize udp
same_out "$tmp/want" "also of capture"
tcpdump -y EN10MB -d 'vlan and vlan' >"$tmp/want" 2>"$tmp/err"
run ng filter dump --cbpf --strict-pcap 'vlan and vlan'
same_out "$tmp/want" "--strict-pcap: as tcpdump -d"
tcpdump -y EN10MB -dd udp >"$tmp/want" 2>"$tmp/err"
run ng filter compile --as dd -o "$tmp/dd" udp
cmp -s "$tmp/dd" "$tmp/want"
is "$?/$(wc -c <"$tmp/out")" 0/0 "compile --as dd -o FILE: as tcpdump -dd, in the file only"

# dump: ours
line='^ *[0-9]*: ([0-9a-f][0-9a-f]) [a-z*]'
for hook in xdp tc-in tc-out; do
	run ng filter dump --hook $hook udp port 53
	is "$rc/$(grep -vc "$line" "$tmp/out")/$(grep -c unknown "$tmp/out")" 0/0/0 "dump for $hook: each line an instruction"
	like out ' exit$' "dump for $hook: it returns"
	like out '= be16 r0\|!= 0x3500\|!= 0x35 \|== 0x35' "dump for $hook: port 53 is in it"
done
run ng filter dump --dot --no-optimize udp port 53
is "$(head -n 1 "$tmp/out")/$(tail -n 1 "$tmp/out")" 'digraph filter {/}' "dump --dot: a graph"
is "$(grep -c 'label="yes"' "$tmp/out")" "$(ng filter dump --cbpf --no-optimize udp port 53 | grep -c ' jt ')" "dump --dot --no-optimize: with two edges for each comparison"
run ng filter dump --dot udp port 53
is "$(grep -c 'label=yes' "$tmp/out")" "$(ng filter dump --ir udp port 53 | grep -c 'if .* goto b[0-9]* else b')" "dump --dot: of what --ir prints"
run ng filter dump --ir udp port 53
like out '^	need pkt\[12:2\]$' "dump --ir: what the packet must have"
like out '^	return 0$' "dump --ir: and what is answered"
refused 5 'it has no such form' "dump --ir of a loop" filter dump --ir ip6 protochain 6
refused 5 'it has no such form' "dump --ir of a filter too involved" filter dump --ir "$(seq -f 'ip[%g]' -s + 0 150) = 7"
run ng -j filter dump --cbpf arp
is "$(cut -c1-70 "$tmp/out")" '{"schema":1,"form":"cbpf","lines":["(000) ldh      [12]","(001) jeq   ' "dump -j: the lines as an array"

# explain
run ng filter explain 'tcp port 80 and greater 100'
is "$rc" 0 "explain"
like out "^classic BPF instructions: $(ng filter dump --cbpf 'tcp port 80 and greater 100' | wc -l)\$" "explain: counts classic instructions"
like out "^xdp  *$(ng filter dump 'tcp port 80 and greater 100' | tail -n 1 | cut -d: -f1 | awk '{ print $1 + 1 }') " "explain: and those at a hook"
like out '^reads the length: yes' "explain: greater reads the length"
like out '^reads behind headers of variable length: yes' "explain: tcp port reads behind the IP header"
run ng -j filter explain 'ether[1000:4] = 1'
like out '"reads_bytes":1004,"reads_variable":false,"reads_length":false,"reads_metadata":false,"loops":false,' "explain -j: how far it reads"

run ng -j filter explain ip6 protochain 6
like out '"loops":true,' "explain: protochain loops"
run ng -j filter explain inbound
like out '"reads_metadata":true,' "explain: inbound is metadata"
run ng filter explain 'port 80 and vlan 5'
like out '^reads vlan otherwise than libpcap: yes' "explain: where our reading differs"
like out '^vlan 5 and port 80$' "explain: and what it is"
like out '^port 80: behind no tag$' "explain: and what libpcap would make of it"
run ng -j filter explain 'vlan 10 or vlan 20'
like out '"vlan_alternatives":\[{"expression":"vlan 10"},{"expression":"vlan 20"}\]' "explain -j: the alternatives"
like out '"libpcap_places":\[{"place":"vlan 20: behind 1 tag"}\]' "explain -j: libpcap's places"
printf 'vlan 10 # one\n\tor vlan 20\n and\ntcp' >"$tmp/f"
run ng filter explain -F "$tmp/f"
is "$(grep -c '^vlan [12]0 and tcp$' "$tmp/out")" 2 "explain: each alternative in one line"
printf '# hosts\n192.0.2.1\n198.51.100.0/24, 203.0.113.5-203.0.113.9\n' >"$tmp/hosts.txt"
run ng filter explain "src in @$tmp/hosts.txt and port in {53, 8000-8100}"
is "$rc" 0 "a set from a file"
run ng filter explain "src in @$tmp/none"
is "$rc" 2 "one that cannot be read: exit 2"
like err "No such file" "and says so"
printf '192.0.2.1\0\n192.0.2.2\n' >"$tmp/f"
refused 2 'it is no text' "a set with a NUL in it" filter explain "src in @$tmp/f"
# a set is read once, so that it may come from a pipe; a byte order mark is no text
printf '192.0.2.1\n192.0.2.2\n' >"$tmp/two.txt"
for words in 'src and dst in @' 'src in @%s and dst in @'; do
	# shellcheck disable=SC2059 # the words
	want=$(ng filter dump "$(printf "$words" "$tmp/two.txt")$tmp/two.txt")
	# shellcheck disable=SC2059
	is "$(ng filter dump "$(printf "$words" -)-" <"$tmp/two.txt")" "$want" "[${words}-]: stdin is read once"
done
printf 'src in @-' >"$tmp/f"
run ng filter dump -F - <"$tmp/f"
is "$rc" 2 "the expression and a set from stdin: exit 2"
like err 'stdin: it is the expression already' "and says so"
printf '\357\273\277192.0.2.1\n192.0.2.2\n' >"$tmp/bom.txt"
is "$(ng filter dump "src in @$tmp/bom.txt")" "$(ng filter dump "src in @$tmp/two.txt")" "a byte order mark in front of a set"
printf '\357\273\277udp\r\nport 53\r\n' >"$tmp/f"
is "$(ng filter dump -F "$tmp/f")" "$(ng filter dump udp port 53)" "a byte order mark and CRs in an expression"
printf '\357\273\2771\n6 0 0 9\n' >"$tmp/f"
is "$(ng filter dump --bytecode "$tmp/f" | grep -c 'w0 = 9$')" 1 "a byte order mark in front of bytecode"
for same in --strict-pcap --no-optimize; do
	run ng filter explain $same 'vlan 5 and port 80'
	like out '^reads vlan otherwise than libpcap: no$' "explain $same: no difference where there is none"
done
run ng filter explain --strict-pcap 'vlan 10 or vlan 20'
like out '^reads vlan otherwise than libpcap: no$' "explain --strict-pcap: reads it as libpcap"

# compile: the same instructions in hex, as bytes, in C
run ng filter compile --as ebpf udp
is "$rc/$(grep -vc '^[0-9a-f][0-9a-f]\( [0-9a-f][0-9a-f]\)\{7\}$' "$tmp/out")" 0/0 "compile --as ebpf: in hex"
ng filter compile --as ebpf -o "$tmp/raw" udp
tr -d ' \n' <"$tmp/out" >"$tmp/hex"
is "$(od -An -v -tx1 "$tmp/raw" | tr -d ' \n')" "$(cat "$tmp/hex")" "compile --as ebpf -o FILE: the same bytes"
ng filter compile --as c udp >"$tmp/filter.c"
is "$(grep -c '{ .code = ' "$tmp/filter.c")" "$(wc -l <"$tmp/out")" "compile --as c: the same number of instructions"
if command -v cc >"$tmp/err"; then
	printf '#include "filter.c"\n#include <stdio.h>\nint main(void) { return fwrite(filter, sizeof(filter), 1, stdout) != 1; }\n' >"$tmp/main.c"
	cc -Wall -Werror -o "$tmp/main" "$tmp/main.c" && "$tmp/main" | cmp -s - "$tmp/raw"
	is $? 0 "compile --as c: a C compiler makes the same bytes of it"
else
	skip "compile --as c: needs cc"
fi

# a table beside the instructions: 192.0.2.9, from which ngsend sends, among others
many="udp and ($(seq -f 'src host 192.0.2.%g' -s ' or ' 1 2 99))"
run ng filter explain "$many"
like out '^keys in them: 50$' "explain: a list of hosts is a set"
refused 2 'instructions alone cannot hold its table' "compile --as ebpf with a table" filter compile --as ebpf "$many"
run ng filter compile --as c "$many"
like out '^static const unsigned char filter_table\[' "compile --as c: with the table"

# what cannot be
refused 2 'what to do is missing' "no subcommand" filter
refused 2 "did you mean 'dump'" "a subcommand misspelt" filter dmup udp
refused 2 'one form at a time: --cbpf or --dot' "two forms" filter dump --cbpf --dot udp
refused 2 'one form at a time: --as elf or --as c' "two forms to compile" filter compile --as elf --as c udp
refused 2 'one hook at a time: --hook xdp or --hook tc-in' "two hooks" filter dump --hook xdp --hook tc-in udp
refused 2 'one file at a time: -o a or -o b' "two files to write" filter compile --as ddd -o a -o b udp
refused 2 'one file at a time: -r a or -r b' "two files to read" filter run -r a -r b udp
refused 2 'not with --as ddd' "a verdict without a program" filter compile --as ddd --match pass udp
run ng filter compile --as ddd --as ddd -o - udp
is "$rc/$(head -n 1 "$tmp/out")" 0/12 "the same twice is no conflict, and -o - is stdout"
refused 2 'valid here: xdp, tc-in, tc-out' "unknown hook" filter dump --hook in udp
refused 2 '^nicgate: error: expression:1:5: ' "bad expression" filter explain udp prot 53
refused 2 '--as FORM is missing' "compile without a form" filter compile udp
refused 2 "valid here: cbpf, ddd, dd, ebpf, c, elf" "unknown form" filter compile --as asm udp
refused 2 "valid here: drop, pass" "unknown verdict" filter compile --as elf --match accept udp
run ng -j filter compile --as dd udp
is "$rc" 2 "compile with -j: exit 2"
like out '"what":"compile: -j does not go with what --as makes"' "compile with -j: says so"
refused 2 '-r FILE is missing' "run without a file" filter run udp
refused 1 "^nicgate: error: $tmp/none: cannot be read: No such file or directory$" "run on no file" filter run -r "$tmp/none"
refused 1 'No such file' "no such directory" filter compile --as elf -o "$tmp/none/x.o" udp
refused 2 'not both' "words beside -F" filter dump -F "$tmp/f" udp
refused 2 'or from --bytecode' "two files" filter dump -F "$tmp/f" --bytecode "$tmp/f"
refused 2 'options before the expression: --cbpf ' "an option behind the expression" filter dump udp --cbpf
run ng filter compile --as elf -o "$tmp/bad.o" udp prot 53
is "$rc/$(ls "$tmp/bad.o" 2>/dev/null)" 2/ "no file is made of a bad expression"

# sets where none can be, and what is missing in those that can
refused 2 "its '}' is missing" "a set without end" filter explain 'src in {192.0.2.1'
refused 2 "behind 'in' comes a set" "no set behind 'in'" filter explain src in 192.0.2.1
refused 2 "behind 'in' comes a set" "a value behind a set" filter explain 'src in {192.0.2.1} 192.0.2.2'
refused 2 "a set stands behind 'in'" "a set without 'in'" filter explain 'src {192.0.2.1}'
refused 2 "a set stands behind 'in'" "a set without a name" filter explain 'src in @'
refused 2 "'}' cannot stand here" "one brace too many" filter explain 'src in {192.0.2.1}}'
refused 2 "'ip' has no such addresses" "a set of the other family" filter explain 'ip src in {2001:db8::1}'
refused 2 '^  try:  192.0.0.0/9$' "host bits" filter explain 'src in {192.0.2.1/9}'
refused 2 '^  try:  2001:db8::/33$' "host bits of IPv6" filter explain 'src in {1.2.3.4, 2001:db8::1/33}'
for element in 192.0.2.1/33 192.0.2.1/ 192.0.2/8 2001:db8::1/129 1/2/3 192.0.2.1/8-192.0.2.9; do
	refused 2 "bad element '$element'" "a set with '$element'" filter explain "src in {$element}"
	unlike err 'try:' "and nothing is proposed"
done
refused 2 "sets are of IP addresses or ports" "a set of protocols" filter explain 'proto in {6}'
refused 2 "sets are of IP addresses or ports" "a set behind 'ether'" filter explain 'ether src in {192.0.2.1}'
quoted=$(printf 'port \342\200\23453\342\200\235')
refused 2 "^  why:  '$(printf '\342\200\234')' cannot stand here" "quotes of a word processor" filter explain "$quoted"

# deep ones
nested=$(printf '%0250d' 0)
nested="$(echo "$nested" | tr 0 '(')vlan 5 or tcp$(echo "$nested" | tr 0 ')')"
run ng filter explain "$nested"
is "$rc" 0 "explain of 250 parentheses, which libpcap alone reads"
like out '^reads vlan otherwise than libpcap: no$' "in its own way"
head -c 1000000 /dev/zero | tr '\0' '(' >"$tmp/f"
run timeout 20 "$NICGATE" filter explain -F "$tmp/f"
is "$rc" 2 "a million parentheses"
like err "^nicgate: error: $tmp/f:1:1000001: can't parse filter expression: syntax error" "the end of the file is the place"
like err '^  why:  the expression ends where more has to follow' "and why"
{ cat "$tmp/f" && printf udp && tr '(' ')' <"$tmp/f"; } >"$tmp/f2"
refused 2 ":1:201: more than 200 parentheses or 'not' in each other" "a million of them closed" filter explain -F "$tmp/f2"

# -F: large files, comments, no binaries
{ yes '# a comment that is 40 bytes long, or so' | head -n 50000; echo 'udp # port 54'; echo 'port 53'; } >"$tmp/f"
is "$(ng filter dump --cbpf -F "$tmp/f")" "$(ng filter dump --cbpf udp port 53)" "-F takes a file of $(($(wc -c <"$tmp/f") >> 10)) KiB"
is "$(ng filter dump --cbpf -F - <"$tmp/f")" "$(ng filter dump --cbpf udp port 53)" "-F - is stdin"
awk 'BEGIN { for (i = 0; i < 10000; i++) printf "%shost 10.1.%d.%d # host %d\n", i ? "or " : "", i / 256, i % 256, i }' >"$tmp/many"
run ng filter dump --cbpf -F "$tmp/many"
like out '^(003) jin      set0 (10000 keys) jt [0-9]*	jf [0-9]*$' "-F takes 10,000 terms: a set"
awk 'BEGIN { for (i = 0; i < 10000; i++) printf "%shost 2001:db8:%x::%x\n", i ? "or " : "", i % 99, i }' >"$tmp/many6"
run ng filter dump --cbpf -F "$tmp/many6"
like out '^(002) jin6     \[22:16\] set0 (10000 keys) jt [0-9]*	jf [0-9]*$' "10,000 IPv6 hosts: a set"
run ng filter dump --ir -F "$tmp/many6"
like out '^	if pkt\[22:16\] in set0 (10000 keys) goto b[0-9]* else b[0-9]*$' "and in its optimized form"
run ng filter explain -F "$tmp/many6"
like out '^keys in them: 10000$' "explain counts their keys"
like out '^reads at most this many bytes: 54$' "and the bytes that are asked about"
much="$many or tcp and ($(seq -f 'udp[%g] = 1' -s ' or ' 0 99))"
for words in 'compile --as c' 'compile --as elf' 'dump --no-optimize'; do
	rc=0
	# shellcheck disable=SC2086 # the words
	ng filter $words "$much" >/dev/full 2>"$tmp/err" || rc=$?
	is "$rc/$(cat "$tmp/err")" '1/nicgate: error: stdout: cannot write the result: No space left on device [ENOSPC]' "[$words] with much to say to a full disk"
done
refused 2 'which classic BPF cannot' "compile --as ddd with a set" filter compile --as ddd -F "$tmp/many"
refused 2 'which classic BPF cannot' "capture -dd with a set" capture -dd -F "$tmp/many"
is "$(ng filter dump --cbpf -F /dev/null)" "$(ng filter dump --cbpf)" "-F with nothing is every packet"
refused 2 'Is a directory' "-F with a directory" filter dump -F "$tmp"
head -c 17000000 /dev/zero | tr '\0' ' ' >"$tmp/f"
refused 2 'File too large' "-F with too much" filter dump -F "$tmp/f"
printf 'udp\0port' >"$tmp/f"
refused 2 'it is no text' "-F with a NUL byte" filter dump -F "$tmp/f"
refused 2 "error: '': cannot be read" "-F with no name" filter dump -F ''

# --bytecode
tcpdump -y EN10MB -ddd udp port 53 >"$tmp/f" 2>"$tmp/err"
is "$(ng filter dump --bytecode "$tmp/f")" "$(ng filter dump udp port 53)" "--bytecode: the same filter"
is "$(ng filter dump --bytecode - <"$tmp/f")" "$(ng filter dump udp port 53)" "--bytecode - is stdin"
is "$(paste -sd, "$tmp/f" | ng filter dump --bytecode -)" "$(ng filter dump udp port 53)" "--bytecode with commas"
printf '2\n40 0 0 12\n6 0 x 0\n' >"$tmp/f"
refused 2 "^nicgate: error: $tmp/f:3:5: jf is a decimal number, not 'x'" "--bytecode: a bad number" filter dump --bytecode "$tmp/f"
like err '^      ^$' "--bytecode: with a mark under it"
printf '2\n21 0 7 12\n6 0 0 0\n' >"$tmp/f"
refused 2 "^nicgate: error: $tmp/f: filter instruction 0: jump out of the program" "--bytecode: no sound program" capture -d --bytecode "$tmp/f"

done_testing
