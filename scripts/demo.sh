#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# demo.sh - from a bare Debian 12 to captured packets, a drop rule at work and its counters; as root.
#
# Installs the packages, builds, makes the demo network (a veth pair, one end in a namespace of its own) and shows
# the main job on it, printing each command before it runs. The network stays up; `build/nicgate demo down` ends it.
set -eu
cd "$(dirname "$0")/.."
ng=build/nicgate
files=${TMPDIR:-/tmp}/nicgate-demo
doing='' capture='' watcher=''

die() { echo "demo.sh: $*" >&2; exit 1; }
title() { printf '\n== %s\n' "$*"; }

# show COMMAND..: prints it as one would type it, then runs it
show() {
	doing=$*
	printf '\n# %s\n' "$(typed "$@")"
	"$@"
}
typed() {
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=@,-]*) printf "'%s' " "$word" ;;
		*) printf '%s ' "$word" ;;
		esac
	done | sed 's/ $//'
}

# in_background LOG COMMAND..: returns when the command says that it listens; its pid in $!
in_background() {
	log=$1
	shift
	doing=$*
	printf '\n# %s &\n' "$(typed "$@")"
	"$@" 2>"$log" &
	background=$!
	i=0
	until grep -q 'listening on' "$log" 2>/dev/null; do
		i=$((i + 1))
		if [ $i -gt 100 ] || ! kill -0 "$background" 2>/dev/null; then
			cat "$log" >&2
			die "it did not begin to listen: $(typed "$@")"
		fi
		sleep 0.1
	done
}

# end PID LOG: interrupts it as Ctrl-C would and shows what it said
end() {
	kill -INT "$1" 2>/dev/null || :
	wait "$1" || :
	sed 's/^/  /' "$2"
}

cleanup() {
	rc=$?
	trap - EXIT INT TERM HUP
	for pid in $capture $watcher; do
		kill "$pid" 2>/dev/null || :
	done
	[ $rc -eq 0 ] || echo "demo.sh: stopped at: ${doing:-the start}  ($ng demo down removes the demo network)" >&2
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

[ "$(id -u)" -eq 0 ] || die "needs root: it installs packages, makes network devices and loads BPF programs"

title "Packages and build"
show scripts/deps.sh run build demo
show make -j"$(nproc)"

title "A network to try it on: ng0 here, ng1 in the namespace nicgate-demo"
if [ -e /run/netns/nicgate-demo ] || ip link show dev ng0 >/dev/null 2>&1; then
	show $ng demo down
fi
show $ng demo up
show $ng attach ng0
rm -rf "$files"
mkdir "$files"

title "Capture by an expression: it runs in the kernel, only what matches is copied"
in_background "$files/dns.log" $ng capture -i ng0 -w "$files/dns.pcap" 'udp port 53'
capture=$background
show $ng demo send
end "$capture" "$files/dns.log"
capture=''
show tcpdump -n -c 5 -r "$files/dns.pcap" 2>/dev/null

title "Drop by prefix, at the driver hook, from the next packet on"
show $ng acl add ng0 drop 192.0.2.0/24
in_background "$files/dropped.log" $ng capture -i ng0 -w "$files/dropped.pcapng" 'src net 192.0.2.0/24'
capture=$background
in_background "$files/tcpdump.log" tcpdump -n -i ng0 -w "$files/tcpdump.pcap" 'src net 192.0.2.0/24'
watcher=$background
show $ng demo send
echo
echo "  what nicgate captured: the dropped packets, each with its verdict (1 is XDP_DROP) and what decided it"
end "$capture" "$files/dropped.log"
capture=''
show tshark -r "$files/dropped.pcapng" -c 3 -T fields -e ip.src -e frame.verdict.ebpf_xdp -e frame.comment 2>/dev/null
echo
echo "  what tcpdump saw meanwhile: they never reached it"
end "$watcher" "$files/tcpdump.log"
watcher=''

title "Counters"
show $ng acl list ng0 -s
show $ng stats ng0
show $ng status

cat <<TEXT

== The demo network is up, the rule is in force. What to type next:

    $ng capture -i ng0                  # then, in another terminal: $ng demo send --rate 10 100
    $ng acl del ng0 192.0.2.0/24
    $ng capture -i ng0 -w - 'tcp port 80' | tcpdump -n -r -
    $ng capture -r $files/dropped.pcapng 'icmp'
    $ng attach ng0 --help
    $ng demo down                       # ends it: nothing is left

TEXT
