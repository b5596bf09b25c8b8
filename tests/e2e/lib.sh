# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# End-to-end tests: private namespaces, a veth pair, and the few words such tests are written in.
#
#	#!/bin/sh
#	. "$(dirname "$0")/lib.sh"
#	e2e_begin		# from here on: own net and mount namespace, bpffs, /run/netns, $tmp
#	e2e_veth [MTU]		# ng0 here (198.51.100.1, 2001:db8:6e67::1), ng1 in namespace peer (.2, ::2)
#	run ng attach ng0	# ng = the binary under test; $rc, $tmp/out, $tmp/err
#	is "$rc" 0 "attach succeeds"
#	like err 'native' "and says the mode"
#	peer ngsend -i ng1 -c 10 -S 192.0.2.9
#	wait_for 5 file_has "$tmp/log" pattern
#	done_testing
#
# A process costs 60 to 100 ms in the kernel matrix: prefer one command that does many things.
# What a test starts in the background it starts by `bg`, and what is left is ended when the test ends.
e2e_dir=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$e2e_dir/../tap.sh"

NICGATE=${NICGATE:-${e2e_dir%/tests/*}/build/nicgate}
NG_TOOLS=${NG_TOOLS:-${e2e_dir%/tests/*}/build/tests/tools}
NG_BUILD=${NG_BUILD:-${NICGATE%/nicgate}}
PATH=$NG_TOOLS:$PATH:/usr/sbin:/sbin
export NICGATE NG_TOOLS NG_BUILD PATH

# What e2e_veth makes; fixed, so that expectations can be written down.
# shellcheck disable=SC2034 # for the tests
mac0=02:00:5e:10:00:01 mac1=02:00:5e:10:00:02 ip0=198.51.100.1 ip1=198.51.100.2 ip6_0=2001:db8:6e67::1 ip6_1=2001:db8:6e67::2
tmp='' children=''

skip_all() { echo "1..0 # SKIP $1"; exit 0; }

# Runs the test again inside its own namespaces; returns only there.
e2e_begin() {
	if [ "${NG_E2E:-}" != "$0" ]; then
		unshare -n -m true 2>/dev/null || skip_all "needs CAP_SYS_ADMIN for network and mount namespaces"
		NG_E2E=$0 exec unshare -n -m "$0"
	fi
	unset NG_E2E
	mkdir -p /run/netns
	mount -t tmpfs none /run/netns || skip_all "needs tmpfs"
	mount -t bpf none /sys/fs/bpf 2>/dev/null || skip_all "needs bpffs in the kernel"
	ip link set lo up
	tmp=$(mktemp -d)
	trap e2e_end EXIT
	trap 'exit 130' INT TERM HUP
}

# Namespaces, links, pins and devices go with the last process in them.
e2e_end() {
	trap - EXIT INT TERM HUP
	for pid in $children; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}

# e2e_link DEV N MTU: the lines of an ip(8) batch that configure one end
e2e_link() {
	cat <<-EOF
	addr add 198.51.100.$2/24 dev $1
	link set $1 addrgenmode none mtu $3
	addr add 2001:db8:6e67::$2/64 dev $1 nodad
	neigh add 198.51.100.$((3 - $2)) lladdr 02:00:5e:10:00:0$((3 - $2)) nud permanent dev $1
	neigh add 2001:db8:6e67::$((3 - $2)) lladdr 02:00:5e:10:00:0$((3 - $2)) nud permanent dev $1
	link set $1 up
	EOF
}

# Indexes differ because the kernel defers the link events of a veth whose index is its peer's by up to a second.
# A joined IPv6 group is reported twice, at once and after mldv2_unsolicited_report_interval: when both ends have done
# so, nothing but the test's own frames is on the wire.
# shellcheck disable=SC2120 # the MTU is optional
e2e_veth() {
	mtu=${1:-1500}
	ip -batch - <<-EOF || skip_all "needs veth devices"
	netns add peer
	link add ng0 index 100 address $mac0 type veth peer name ng1 index 101 address $mac1 netns peer
	EOF
	echo 1 >/proc/sys/net/ipv6/conf/ng0/mldv2_unsolicited_report_interval
	peer sh -c 'echo 1 >/proc/sys/net/ipv6/conf/ng1/mldv2_unsolicited_report_interval; ip -batch -' <<-EOF
	link set lo up
	$(e2e_link ng1 2 "$mtu")
	EOF
	e2e_link ng0 1 "$mtu" | ip -batch -
	wait_for 3 e2e_quiet
}
e2e_quiet() { [ "$(rx_packets ng0)" -ge 2 ] && [ "$(tx_packets ng0)" -ge 2 ]; }

# peer COMMAND: runs it in the other end's network namespace (and this mount namespace: bpffs stays visible)
peer() { nsenter --net=/run/netns/peer "$@"; }
ng() { "$NICGATE" "$@"; }

# run COMMAND: exit status in $rc, output in $tmp/out and $tmp/err
# shellcheck disable=SC2034 # rc is for the tests
run() {
	rc=0
	"$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
}

# like out|err|FILE PATTERN NAME, unlike ..: a test that the file has (has not) a line matching the basic regular expression
like() {
	if file_has "$(e2e_file "$1")" "$2"; then is 1 1 "$3"; return; fi
	is "no such line" "$2" "$3"
	sed 's/^/#   | /' "$(e2e_file "$1")"
}
unlike() {
	if ! file_has "$(e2e_file "$1")" "$2"; then is 1 1 "$3"; return; fi
	is "$2" "no such line" "$3"
	sed 's/^/#   | /' "$(e2e_file "$1")"
}
e2e_file() { case $1 in out | err) echo "$tmp/$1" ;; *) echo "$1" ;; esac; }
file_has() { grep -q -e "$2" "$1" 2>/dev/null; }

# bg COMMAND: starts it in the background; its process id in $bg. After ng and peer, that of the command itself.
bg() {
	case $1 in
	ng) shift && set -- "$NICGATE" "$@" ;;
	peer) shift && set -- nsenter --net=/run/netns/peer "$@" ;;
	esac
	"$@" &
	bg=$!
	children="$children $bg"
}

# stop PID [SIGNAL]: ends a background command and waits for it; its exit status in $rc, 124 if it does not end
# shellcheck disable=SC2034 # rc is for the tests
stop() {
	kill "-${2:-TERM}" "$1" 2>/dev/null
	rc=124
	if wait_for 10 gone "$1"; then
		rc=0
		wait "$1" 2>/dev/null || rc=$?
	fi
}

# wait_for SECONDS COMMAND: true as soon as COMMAND is, false after SECONDS
wait_for() {
	read -r wait_end _ </proc/uptime
	wait_end=$((${wait_end%.*} + $1 + 1))
	shift
	until "$@"; do
		read -r wait_now _ </proc/uptime
		[ "${wait_now%.*}" -lt "$wait_end" ] || return 1
		sleep 0.05
	done
}
# gone PID: predicate for wait_for; a child that has ended but is not waited for yet is gone
gone() {
	{ read -r gone_stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	case ${gone_stat##*) } in Z*) return 0 ;; *) return 1 ;; esac
}

# dev_field DEV N: field N of a line of /proc/net/dev, without a process
dev_field() {
	while read -r dev_name dev_rest; do
		[ "$dev_name" = "$1:" ] || continue
		# shellcheck disable=SC2086 # the fields
		set -- "$2" $dev_rest
		shift "$1"
		echo "$1"
		return
	done </proc/net/dev
	echo 0
}
rx_packets() { dev_field "$1" 2; }
tx_packets() { dev_field "$1" 10; }

# pcap_count FILE [EXPRESSION]: packets of a savefile that match
pcap_count() {
	count_file=$1
	shift
	count=$(tcpdump -r "$count_file" --count "$@" 2>/dev/null)
	echo "${count%% *}"
}
# pcap_has FILE N [EXPRESSION]: predicate for wait_for
pcap_has() {
	has_n=$2 has_file=$1
	shift 2
	[ "$(pcap_count "$has_file" "$@")" = "$has_n" ]
}
