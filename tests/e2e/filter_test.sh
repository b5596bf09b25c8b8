#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate filter where a kernel has a say: programs read back, savefiles, compiled filters, objects for ip and tc.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000

# dump: what the kernel makes of a filter
run ng filter dump --xlated udp port 53
is "$rc" 0 "dump --xlated"
like out '^ng_tap_filter:$' "dump --xlated: the functions have their names"
if ! grep ' __bpf_call_base$' /proc/kallsyms | grep -qv '^00* '; then
	skip "names of helpers: needs /proc/kallsyms with addresses"
else
	like out 'call bpf_xdp_load_bytes#' "dump --xlated: so do the helpers"
fi
run ng filter dump --xlated --hook tc-in udp port 53
like out '^ng_tc_taps:$' "dump --xlated --hook tc-in: the program for tc"
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

# --bytecode: what tcpdump makes of an expression for this interface
mixed_frames
total=$(pcap_count "$tmp/sent.pcap")
tcpdump -i ng0 -ddd udp port 53 >"$tmp/f" 2>"$tmp/err"
ng capture -r "$tmp/sent.pcap" -w "$tmp/want.pcap" udp port 53 2>"$tmp/err"
run ng capture -r "$tmp/sent.pcap" -w "$tmp/got.pcap" --bytecode "$tmp/f"
is "$rc/$(dump "$tmp/got.pcap" | cksum)" "0/$(dump "$tmp/want.pcap" | cksum)" "capture -r --bytecode: $(pcap_count "$tmp/want.pcap") packets, as by the expression"
tcpdump -i ng0 -ddd vlan 5 2>"$tmp/err" | ng capture -r "$tmp/sent.pcap" -w "$tmp/got.pcap" --bytecode - 2>"$tmp/err"
is "$(dump "$tmp/got.pcap" | cksum)" "$(dump "$tmp/sent.pcap" vlan 5 | cksum)" "capture -r --bytecode: tcpdump asks an interface for tags in metadata; they are in the bytes"
captures -Q in -w "$tmp/live.pcap" --bytecode "$tmp/f"
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/out"
wait_for 5 rx_at_least "$total"
stop "$cap" INT
tcpdump -r "$tmp/sent.pcap" -w "$tmp/want.pcap" udp port 53 2>"$tmp/err"
is "$(dump "$tmp/live.pcap" | cksum)" "$(dump "$tmp/want.pcap" | cksum)" "capture -i --bytecode: so does a capture"

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
	set -- xdpdrv
	[ "${NG_QUICK:-}" ] || set -- xdpdrv xdpgeneric
	for mode; do
		run ip link set dev ng0 "$mode" obj "$tmp/drop.o" sec xdp
		is "$rc" 0 "ip link loads the object ($mode)"
		behind "$mode: what matches is dropped" 0 3
		ip link set dev ng0 "$mode" off
		run ip link set dev ng0 "$mode" obj "$tmp/pass.o" sec xdp
		behind "$mode, --match pass: only what matches passes" 5 0
		ip link set dev ng0 "$mode" off
	done
	ng filter compile --as elf -o "$tmp/set.o" "udp and ($(seq -f 'src host 192.0.2.%g' -s ' or ' 1 2 99))" # ngsend's is .9
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
