#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# capture -r: of savefiles of all kinds, the program keeps the packets that tcpdump keeps, exactly.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"

mkdir "$tmp/files"
ngsavefiles "$tmp/files" >"$tmp/names" || skip_all "no savefiles"
is "$(wc -l <"$tmp/names")" 19 "19 savefiles"

# What shifts the offsets of the words behind it (vlan, mpls, ..) is read as libpcap does.
cat >"$tmp/expressions" <<-'END'

	ip
	ip6
	arp
	rarp or arp
	tcp
	udp
	sctp
	icmp
	icmp6
	ah or esp
	igmp or pim or vrrp
	not ip and not ip6
	tcp port 80
	udp port 53
	port 443 or port 8080
	portrange 1000-5000
	src port 22 and dst portrange 1-1024
	host 10.0.0.1
	src host 10.0.0.1 and not dst host 10.0.0.1
	ip6 host 2001:db8::1
	net 10.0.0.0/8
	dst net 192.168.0.0/16 or dst net 172.16.0.0/12
	ip6 net 2001:db8::/32 and tcp
	host 10.0.0.1 or host 10.1.2.3 or host 192.168.0.1 or host 172.16.0.1 or host 224.0.0.1
	ether host 02:00:00:00:00:01
	ether multicast
	ether broadcast or ip multicast or ip6 multicast
	ether proto 0x88cc
	vlan
	vlan 5
	vlan and ip
	vlan and vlan
	vlan 5 or vlan 7
	vlan and tcp port 80
	mpls
	mpls 1024
	mpls and mpls and host 10.0.0.1
	pppoed
	pppoes and ip
	pppoes 7
	geneve
	geneve 0x10
	geneve and tcp
	udp port 4789 and udp[8:4] & 0x08000000 != 0
	llc
	stp
	iso
	isis
	llc ui or llc i
	ip proto 4 or ip proto 41 or ip proto 47
	ip[6:2] & 0x1fff != 0
	ip[6:2] & 0x2000 != 0
	ip6[6] = 44 or ip6[6] = 0
	ip6 protochain 6
	ip6 protochain 17 and not ip6 proto 17
	ip protochain 6
	less 60
	greater 3520
	greater 65536
	len = 70000
	len > 0x7fffffff
	tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
	tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420
	ether[len - 1] & 1 = 1
	ether[3600:2] > 0x8000
	ip[2:2] / ip[8] > 3 or ip[4:2] % 7 = 1
	ip[8] < 64 and ip[0] & 0xf > 5
END
[ -z "${NG_QUICK:-}" ] || sed -i -n '1~7p' "$tmp/expressions"

# chosen FILE HOOK EXPRESSION: of FILE the program keeps what tcpdump keeps
chosen() {
	set -- "$tmp/files/$1" "$2" "$3" ''
	case $3 in *vlan* | *mpls* | *pppoe* | *geneve*) set -- "$1" "$2" "$3" --strict-pcap ;; esac
	tcpdump -r "$1" --nano -w - "$3" 2>"$tmp/err" | ngsavefiles -s - >"$tmp/want"
	ng capture -r "$1" --hook "$2" ${4:+"$4"} --format pcap -w - "$3" 2>"$tmp/ng.err" | ngsavefiles -s - >"$tmp/got"
	[ -s "$tmp/want" ] && cmp -s "$tmp/got" "$tmp/want"
	is $? 0 "${1##*/}, $2: '$3' ($(cut -d' ' -f1 "$tmp/want"))" || sed 's/^/# /' "$tmp/ng.err" "$tmp/want" "$tmp/got"
}

# each expression over mixed packets, every third also over the next of the files in turn
turn=0
while read -r expr; do
	turn=$((turn + 1))
	hook=xdp
	[ $((turn % 2)) = 0 ] || hook=tc
	chosen mixed.pcap $hook "$expr" </dev/null
	[ $((turn % 3)) != 0 ] || chosen "$(sed -n "$((turn / 3 % 19 + 1))p" "$tmp/names")" $hook "$expr" </dev/null
done <"$tmp/expressions"

# those that are about the file
while read -r file expr; do
	for hook in xdp tc; do
		chosen "$file" $hook "$expr" </dev/null
	done
done <<-'END'
	cut.pcapng greater 1000
	cut.pcapng ether[60] >= 0
	claims.pcap greater 65536
	jumbo.pcap greater 3520
	short.pcap less 20
	qinq.pcap vlan and vlan
	mpls.pcap mpls and ip
	ip6-chain.pcap ip6 protochain 6
	ip6-fragment.pcapng ip6 protochain 17
	llc.pcap llc and not stp
END

done_testing
