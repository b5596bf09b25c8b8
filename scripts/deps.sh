#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# deps.sh - installs the Debian 12 packages nicgate needs: the one list of them. As root; does nothing when all are there.
#
# usage: deps.sh [-l] [GROUP]...    GROUP: run build demo test kernels (default: all); -l prints the packages instead
set -eu

packages() {
	cat <<-'EOF'
	run	iproute2		ip and tc: the demo, the tests, users
	run	libpcap0.8		opened when a filter is compiled or a savefile read
	run	netbase			names of protocols and services in filter expressions
	run	tcpdump			reads captures; what captures are compared with
	build	gcc			the C compiler
	build	libc6-dev		headers of libc and, with it, of the kernel
	build	make			runs the Makefile
	build	pkg-config		finds the libraries
	build	clang			compiles the BPF programs
	build	bpftool			makes skeletons of them
	build	libbpf-dev		loads and attaches BPF
	build	libxdp-dev		reads XDP dispatchers
	build	libpcap-dev		compiles filter expressions, reads savefiles
	build	libnl-3-dev		netlink
	build	libnl-route-3-dev	netlink: interfaces, addresses, routes
	build	libcap-ng-dev		names missing capabilities
	build	libelf-dev		writes filters as object files
	build	libjansson-dev		reads ACL tables in JSON
	demo	tshark			reads verdicts out of pcapng: the demo, the tests
	test	perl			prove, the test runner
	test	util-linux		unshare, nsenter, setpriv
	test	clang-format		make lint: layout of C
	test	shellcheck		make lint: shell scripts
	test	mandoc			make lint: manual pages
	kernels	qemu-system-x86		runs the tests inside other kernels
	kernels	xz-utils		unpacks their modules
	kernels	xdp-tools		brings a foreign XDP dispatcher
	EOF
}

# shellcheck disable=SC2046,SC2086 # lists of words
main() {
	list=''
	[ "${1:-}" != -l ] || { list=1; shift; }
	for group; do
		case $group in
		run | build | demo | test | kernels) ;;
		*) echo "deps.sh: unknown group '$group'; groups: run build demo test kernels" >&2; exit 2 ;;
		esac
	done
	wanted=$(packages | awk -v groups=" ${*:-run build demo test kernels} " 'index(groups, " " $1 " ") { print $2 }')
	[ -z "$list" ] || { echo "$wanted"; exit; }

	# pkg-config is a virtual name where pkgconf has replaced it.
	have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Provides}\n' 2>/dev/null | sed -n 's/^ii //p' |
		sed 's/([^)]*)//g' | tr -s ' ,' '\n')
	missing=$(printf '%s\n' "$have" ' ' $wanted | awk '$0 == " " { rest = 1; next } !rest { have[$0]; next } !($0 in have)')
	[ -n "$missing" ] || { echo "deps.sh: all packages are installed"; exit; }
	[ "$(id -u)" = 0 ] || { echo "deps.sh: as root: apt-get install" $missing >&2; exit 4; }

	echo "deps.sh: installing" $missing
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	apt-get -qq install -y --no-install-recommends $missing </dev/null
}

main "$@"
