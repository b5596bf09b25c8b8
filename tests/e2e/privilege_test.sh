#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What works without capabilities, and what the others say is missing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
command -v setpriv >"$tmp/out" || skip_all "needs setpriv"
e2e_veth
chmod 755 "$tmp"
cp "$NICGATE" "$tmp/nicgate"

# with CAPABILITIES WORDS..: root with these only, as in "+bpf,+perfmon", or -all
with() {
	caps=$1
	shift
	run timeout 10 setpriv --bounding-set="$caps" --inh-caps=-all "$NICGATE" "$@"
}
# refused CAPABILITIES MISSING WORDS..
refused() {
	want=$2
	caps=$1
	shift 2
	with "$caps" "$@"
	is "$rc/$(head -n 1 "$tmp/err")" "4/nicgate: error: privileges: missing: $want" "with $caps: $1 $2 $3: exit 4, and what is missing"
	like err '^  try:  run it as root (sudo nicgate ..)$' "with $caps: $1 $2 $3: and what to type"
}

# what asks no kernel
for form in --cbpf --ir --ebpf --dot; do
	with -all filter dump $form udp
	is "$rc/$(ng filter dump $form udp | cksum)" "0/$(cksum <"$tmp/out")" "filter dump $form: the same without capabilities"
done
for form in cbpf ddd dd ebpf c elf; do
	with -all filter compile --as $form udp
	is "$rc/$(ng filter compile --as $form udp | cksum)" "0/$(cksum <"$tmp/out")" "filter compile --as $form: the same without capabilities"
done
with -all filter explain 'vlan 5 and src in {192.0.2.1}'
is "$rc/$(wc -c <"$tmp/err")" 0/0 "filter explain: without capabilities"
with -all capture -d udp
is "$rc/$(wc -c <"$tmp/err")" 0/0 "capture -d: without capabilities"

# what asks one; a file that is none and a filter that is none are said first
ng capture -i ng0 -c 1 -w "$tmp/one.pcapng" 2>"$tmp/err" &
children="$children $!"
wait_for 10 file_has "$tmp/err" 'listening on'
peer ngsend -i ng1 -c 1 >"$tmp/out"
wait "$!"
all='CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON'
for words in 'filter dump --xlated udp' 'filter dump --jited udp' "filter run -r $tmp/one.pcapng udp" \
	"capture -r $tmp/one.pcapng -w $tmp/no.pcapng" "capture -i ng0 -w $tmp/no.pcapng"; do
	# shellcheck disable=SC2086 # the words
	refused -all "$all" $words
done
is "$(ls "$tmp/no.pcapng" 2>/dev/null)" '' "no file is made"
refused -all,+bpf,+net_admin CAP_PERFMON filter dump --xlated udp
refused -all,+bpf,+perfmon CAP_NET_ADMIN filter dump --xlated udp
refused -all,+net_admin,+perfmon CAP_BPF capture -i ng0 arp
refused -all,+sys_admin CAP_NET_ADMIN capture -i ng0 arp
with -all capture -i ng7
is "$rc" 3 "no such interface: without capabilities, too"
with -all filter dump --xlated udp prot
is "$rc" 2 "no such filter: without capabilities, too"

# what is enough
for caps in +bpf,+net_admin,+perfmon +sys_admin; do
	with "-all,$caps" filter run -r "$tmp/one.pcapng" udp
	is "$rc/$(tail -n 1 "$tmp/out")" '0/1 packet, 1 matches' "filter run with $caps"
	with "-all,$caps" filter dump --xlated udp
	is "$rc" 0 "filter dump --xlated with $caps"
done

# the three, and another user: the pins are root's
mode=$(stat -c %a /sys/fs/bpf)
chmod 700 /sys/fs/bpf
caps=+bpf,+net_admin,+perfmon
for words in 'capture -i ng0 -c 1' 'status' 'stats' 'attach ng0' 'acl list ng0' 'detach --all'; do
	# shellcheck disable=SC2086 # the words
	run timeout 10 setpriv --reuid 12345 --regid 12345 --clear-groups --inh-caps=$caps --ambient-caps=$caps "$tmp/nicgate" $words
	is "$rc" 4 "[$words] where the BPF file system is another user's: exit 4"
	like err '^  try:  run it as root (sudo nicgate ..)$' "[$words]: and what to type"
done
chmod "$mode" /sys/fs/bpf

if ! unshare -Ur true 2>"$tmp/err"; then
	skip "a user namespace: needs one"
else
	for words in 'filter dump --xlated udp' 'capture -i lo'; do
		# shellcheck disable=SC2086 # the words
		run timeout 10 unshare -Urn "$NICGATE" $words
		is "$rc" 4 "[$words] in a user namespace: exit 4"
		like err 'those of a user namespace (a rootless container) are not enough' "[$words] in a user namespace: says so"
	done
fi

done_testing
