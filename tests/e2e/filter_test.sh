#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate filter, and filters from files: every form of a filter, and what ip, tc and tcpdump make of them.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000

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
set -- 'udp port 53' ''
[ "${NG_QUICK:-}" ] || set -- "$@" udp 'vlan 5 and tcp port 80' 'tcp[tcpflags] & tcp-syn != 0' 'greater 100'
for expr; do
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

# dump: ours, and what the kernel makes of it
line='^ *[0-9]*: ([0-9a-f][0-9a-f]) [a-z*]'
for hook in xdp tc-in tc-out; do
	run ng filter dump --hook $hook udp port 53
	is "$rc/$(grep -vc "$line" "$tmp/out")/$(grep -c unknown "$tmp/out")" 0/0/0 "dump for $hook: each line an instruction"
	like out ' exit$' "dump for $hook: it returns"
	like out '= be16 r0\|!= 0x3500\|!= 0x35 \|== 0x35' "dump for $hook: port 53 is in it"
done
run ng filter dump --xlated udp port 53
is "$rc" 0 "dump --xlated"
like out '^ng_tap_filter:$' "dump --xlated: the functions have their names"
if grep -q '^00* ' /proc/kallsyms; then
	skip "names of helpers: needs /proc/kallsyms with addresses"
else
	like out 'call bpf_xdp_load_bytes#' "dump --xlated: so do the helpers"
fi
run ng filter dump --xlated --hook tc-in udp port 53
like out '^ng_tc:$' "dump --xlated --hook tc-in: the program for tc"
run ng filter dump --jited udp
case $rc/$(grep -c 'no machine code' "$tmp/err") in
5/1) skip "machine code: needs a JIT that shows it" ;;
*) is "$rc/$(($(wc -l <"$tmp/out") > 20))" 0/1 "dump --jited" ;;
esac
mkdir "$tmp/bin"
printf '#!/bin/sh\necho "$*"\n' >"$tmp/bin/bpftool"
chmod +x "$tmp/bin/bpftool"
(PATH=$tmp/bin:$PATH && ng filter dump --jited udp >"$tmp/out" 2>"$tmp/err")
case $?/$(grep -c 'no machine code' "$tmp/err") in
5/1) skip "machine code: needs a JIT that shows it" ;;
*) like out '^prog dump jited id [0-9]*$' "dump --jited: by bpftool, if that can" ;;
esac
run ng filter dump --dot --no-optimize udp port 53
is "$(head -n 1 "$tmp/out")/$(tail -n 1 "$tmp/out")" 'digraph filter {/}' "dump --dot: a graph"
is "$(grep -c 'label="yes"' "$tmp/out")" "$(ng filter dump --cbpf --no-optimize udp port 53 | grep -c ' jt ')" "dump --dot --no-optimize: with two edges for each comparison"
run ng filter dump --dot udp port 53
is "$(grep -c 'label=yes' "$tmp/out")" "$(ng filter dump --ir udp port 53 | grep -c 'if .* goto b[0-9]* else b')" "dump --dot: of what --ir prints"
run ng filter dump --ir udp port 53
like out '^	need pkt\[12:2\]$' "dump --ir: what the packet must have"
like out '^	return 0$' "dump --ir: and what is answered"
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
refused 2 'valid here: xdp, tc-in, tc-out' "unknown hook" filter dump --hook in udp
refused 2 '^nicgate: error: expression:1:5: ' "bad expression" filter explain udp prot 53
refused 2 '--as FORM is missing' "compile without a form" filter compile udp
refused 2 "valid here: cbpf, ddd, dd, ebpf, c, elf" "unknown form" filter compile --as asm udp
refused 2 "valid here: drop, pass" "unknown verdict" filter compile --as elf --match accept udp
run ng -j filter compile --as dd udp
is "$rc" 2 "compile with -j: exit 2"
like out '"what":"compile: -j does not go with what --as makes"' "compile with -j: says so"
refused 2 '-r FILE is missing' "run without a file" filter run udp
refused 1 'No such file' "no such directory" filter compile --as elf -o "$tmp/none/x.o" udp
refused 2 'not both' "words beside -F" filter dump -F "$tmp/f" udp
refused 2 'or from --bytecode' "two files" filter dump -F "$tmp/f" --bytecode "$tmp/f"
refused 2 'options before the expression: --cbpf ' "an option behind the expression" filter dump udp --cbpf
run ng filter compile --as elf -o "$tmp/bad.o" udp prot 53
is "$rc/$(ls "$tmp/bad.o" 2>/dev/null)" 2/ "no file is made of a bad expression"

# -F: large files, comments, no binaries
{ yes '# a comment that is 40 bytes long, or so' | head -n 50000; echo 'udp # port 54'; echo 'port 53'; } >"$tmp/f"
is "$(ng filter dump --cbpf -F "$tmp/f")" "$(ng filter dump --cbpf udp port 53)" "-F takes a file of $(($(wc -c <"$tmp/f") >> 10)) KiB"
is "$(ng filter dump --cbpf -F - <"$tmp/f")" "$(ng filter dump --cbpf udp port 53)" "-F - is stdin"
is "$(ng filter dump --cbpf -F /dev/null)" "$(ng filter dump --cbpf)" "-F with nothing is every packet"
refused 2 'Is a directory' "-F with a directory" filter dump -F "$tmp"
head -c 17000000 /dev/zero | tr '\0' ' ' >"$tmp/f"
refused 2 'File too large' "-F with too much" filter dump -F "$tmp/f"
printf 'udp\0port' >"$tmp/f"
refused 2 'it is no text' "-F with a NUL byte" filter dump -F "$tmp/f"

# --bytecode: what tcpdump makes of an expression for this interface
mixed_frames
total=$(pcap_count "$tmp/sent.pcap")
tcpdump -i ng0 -ddd udp port 53 >"$tmp/f" 2>"$tmp/err"
is "$(ng filter dump --bytecode "$tmp/f")" "$(ng filter dump udp port 53)" "--bytecode: the same filter"
is "$(ng filter dump --bytecode - <"$tmp/f")" "$(ng filter dump udp port 53)" "--bytecode - is stdin"
is "$(paste -sd, "$tmp/f" | ng filter dump --bytecode -)" "$(ng filter dump udp port 53)" "--bytecode with commas"
ng capture -r "$tmp/sent.pcap" -w "$tmp/want.pcap" udp port 53 2>"$tmp/err"
run ng capture -r "$tmp/sent.pcap" -w "$tmp/got.pcap" --bytecode "$tmp/f"
is "$rc/$(dump "$tmp/got.pcap" | cksum)" "0/$(dump "$tmp/want.pcap" | cksum)" "capture -r --bytecode: $(pcap_count "$tmp/want.pcap") packets, as by the expression"
captures -Q in -w "$tmp/live.pcap" --bytecode "$tmp/f"
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/out"
wait_for 5 rx_at_least "$total"
stop "$cap" INT
tcpdump -r "$tmp/sent.pcap" -w "$tmp/want.pcap" udp port 53 2>"$tmp/err"
is "$(dump "$tmp/live.pcap" | cksum)" "$(dump "$tmp/want.pcap" | cksum)" "capture -i --bytecode: so does a capture"
printf '2\n40 0 0 12\n6 0 x 0\n' >"$tmp/f"
refused 2 "^nicgate: error: $tmp/f:3:5: jf is a decimal number, not 'x'" "--bytecode: a bad number" filter dump --bytecode "$tmp/f"
like err '^      ^$' "--bytecode: with a mark under it"
printf '2\n21 0 7 12\n6 0 0 0\n' >"$tmp/f"
refused 2 "^nicgate: error: $tmp/f: filter instruction 0: jump out of the program" "--bytecode: no sound program" capture -d --bytecode "$tmp/f"

# run
run ng filter run -r "$tmp/sent.pcap" vlan
is "$rc/$(tail -n 1 "$tmp/out")" "0/$total packets, $(pcap_count "$tmp/sent.pcap" vlan) match" "run: says how many match"
is "$(awk '$1 == NR && NF == 2 && $2 > 0' "$tmp/out" | wc -l)" "$(pcap_count "$tmp/sent.pcap" vlan)" "run: and which"
is "$(ng filter run -r "$tmp/sent.pcap" --hook tc-in vlan | cksum)" "$(cksum <"$tmp/out")" "run --hook tc-in: the same"
run ng -j filter run -r "$tmp/sent.pcap" less 60
like out "^{\"schema\":1,\"packets\":\[{\"number\":1,\"answer\":[0-9]*},.*\"total\":$total,\"matched\":$(pcap_count "$tmp/sent.pcap" less 60)}" "run -j"
head -c 1000 "$tmp/sent.pcap" >"$tmp/torn.pcap"
run ng filter run -r "$tmp/torn.pcap"
is "$rc" 1 "run: a torn file is an error"
like err 'truncated dump file' "run: with libpcap's words"

# objects, loaded by ip and tc; the frames that pass reach tcpdump
frames() { peer ngsend -i ng1 -c 5 >"$tmp/out" && peer ngsend -i ng1 -c 3 -p tcp >"$tmp/out" && peer ngsend -i ng1 -c 2 -V 5 -p icmp >"$tmp/out"; }
passed() { [ "$(pcap_count "$tmp/pass.pcap" udp or tcp)" -ge "$1" ]; }
# behind NAME UDP TCP: how many frames of each pass the program at XDP
behind() {
	bg tcpdump -i ng0 -Q in -w "$tmp/pass.pcap" --immediate-mode -U 2>"$tmp/td.err"
	td=$bg
	wait_for 10 file_has "$tmp/td.err" 'listening on'
	rx_before=$(rx_packets ng0)
	frames
	wait_for 5 rx_at_least $((rx_before + 10))
	wait_for 5 passed $(($2 + $3))
	stop "$td" INT
	is "$(pcap_count "$tmp/pass.pcap" udp)/$(pcap_count "$tmp/pass.pcap" tcp)" "$2/$3" "$1"
}
if ! ip -V | grep -q libbpf; then
	skip "objects: needs ip and tc built with libbpf"
else
	ip link set ng0 mtu 1500
	peer ip link set ng1 mtu 1500
	ng filter compile --as elf -o "$tmp/drop.o" udp port 53
	ng filter compile --as elf --match pass -o "$tmp/pass.o" udp port 53
	for mode in xdpdrv xdpgeneric; do
		run ip link set dev ng0 $mode obj "$tmp/drop.o" sec xdp
		is "$rc" 0 "ip link loads the object ($mode)"
		behind "$mode: what matches is dropped" 0 3
		ip link set dev ng0 $mode off
		run ip link set dev ng0 $mode obj "$tmp/pass.o" sec xdp
		behind "$mode, --match pass: only what matches passes" 5 0
		ip link set dev ng0 $mode off
	done
	ng filter compile --as elf -o "$tmp/set.o" "$many"
	run ip link set dev ng0 xdpdrv obj "$tmp/set.o" sec xdp
	is "$rc" 0 "ip link loads an object with a table"
	behind "what is in the table is dropped" 0 3
	ip link set dev ng0 xdpdrv off
	ng filter compile --as elf --hook tc-in -o "$tmp/tc.o" vlan 5
	tc qdisc add dev ng0 clsact
	run tc filter add dev ng0 ingress bpf da obj "$tmp/tc.o" sec tc
	is "$rc" 0 "tc filter loads the object"
	rx_before=$(rx_packets ng0)
	frames
	wait_for 5 rx_at_least $((rx_before + 10))
	tc_dropped() { tc -s qdisc show dev ng0 clsact | grep -q "dropped $1,"; }
	wait_for 5 tc_dropped 2
	is $? 0 "tc: the two tagged frames are dropped, their tag in metadata"
	tc qdisc del dev ng0 clsact
	ng filter compile --as elf --hook tc-out -o "$tmp/tc.o" udp port 53
	tc qdisc add dev ng0 clsact
	run tc filter add dev ng0 egress bpf da obj "$tmp/tc.o" sec tc
	is "$rc" 0 "tc filter loads an object for the way out"
	ngsend -i ng0 -d -c 4 >"$tmp/out"
	wait_for 5 tc_dropped 4
	is $? 0 "tc: four frames are dropped on the way out"
fi

done_testing
