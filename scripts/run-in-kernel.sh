#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# run-in-kernel.sh - run one command under a chosen real kernel, in QEMU (TCG).
#
# The guest's root is this machine's root, shared read-only by virtiofs under a
# tmpfs overlay: every tool, library and build product of the host is there at
# its usual path, and nothing the guest writes outlives it, except in the
# directories given with -w.  The kernel is a Debian cloud image, downloaded
# with apt into a private state and unpacked; nothing is installed on the host.
#
# usage: run-in-kernel.sh [-c CPUS] [-m MiB] [-t SECONDS] [-w DIR]... [-q WORD]...
#                         [-M MODULE]... [-K FILE] [-x] KERNEL COMMAND [ARG]...
#        run-in-kernel.sh -P KERNEL
#   KERNEL   5.10 | 6.1 | 6.12 | 6.18 | latest | path of a vmlinuz (its modules:
#            beside it, or in ../lib/modules/RELEASE as Debian packs them)
#   -w DIR   DIR stays writable for the guest, and what it writes there stays
#   -q WORD  one more word for QEMU, e.g. -q -device -q virtio-net-pci,netdev=a
#   -M MOD   module to load before COMMAND (most load by themselves)
#   -K FILE  keep the guest's kernel console there
#   -x       fail with 123 if the kernel warned (WARNING, BUG, Oops, stall)
#   -P       prepare only: download and unpack, print the vmlinuz
# COMMAND runs in the current directory, as root, in the initial namespaces.
# exit: COMMAND's own status; 77 no such kernel to be had; 123 see -x;
#       124 time limit; 125 the guest ended without a status; 126 set-up failed.
# environment: RUN_IN_KERNEL_CACHE (default ~/.cache/run-in-kernel),
#              RUN_IN_KERNEL_MIRROR (default: the mirror this machine's own apt
#              uses, else http://deb.debian.org)
#              RUN_IN_KERNEL_ACCEL (default tcg,thread=single: with a thread
#              per CPU, QEMU now and then trips over code the kernel is patching
#              - "Oops: int3"), RUN_IN_KERNEL_CPU (default max)
# needs: qemu-system-x86 (with its virtiofsd), apt, dpkg, xz, awk, flock.
set -eu

prog=${0##*/}
cache=${RUN_IN_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/run-in-kernel}
# shellcheck disable=SC2016 # apt's variable
mirror=${RUN_IN_KERNEL_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null |
	sed -n 's#/debian\(-security\)\{0,1\}/*$##p' | head -n 1)}
mirror=${mirror:-http://deb.debian.org}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
virtiofsd=/usr/lib/qemu/virtiofsd
cpus=2 mem=1024 limit=600 console='' prepare='' strict='' rw='' qargs='' mods=''

die() { echo "$prog: $2" >&2; exit "$1"; }
quote() { printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

while getopts c:m:t:w:q:M:K:xP o; do
	case $o in
	c) cpus=$OPTARG ;;
	m) mem=$OPTARG ;;
	t) limit=$OPTARG ;;
	w) rw="$rw $(realpath -e "$OPTARG")" || die 126 "no directory $OPTARG" ;;
	q) qargs="$qargs$(quote "$OPTARG")" ;;
	M) mods="$mods $OPTARG" ;;
	K) console=$OPTARG ;;
	x) strict=1 ;;
	P) prepare=1 ;;
	*) exit 126 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || die 126 "no KERNEL given"
kernel=$1; shift
[ -n "$prepare" ] || [ $# -ge 1 ] || die 126 "no COMMAND given"
mkdir -p "$cache"

# ---------------------------------------------------------------- packages --
# private apt: own lists, own (empty) package state, own sources.
apt_for() {	# apt_for SUITE: prints the path of an apt configuration
	a=$cache/apt/$1
	mkdir -p "$a/lists/partial" "$a/cache/archives/partial" "$a/etc/preferences.d" "$a/etc/parts"
	: >"$a/status"
	case $1 in *-security) base=debian-security ;; *) base=debian ;; esac
	echo "deb [signed-by=$keyring] $mirror/$base $1 main" >"$a/etc/sources.list"
	cat >"$a/apt.conf" <<-EOF
	Dir::State "$a";
	Dir::State::lists "$a/lists";
	Dir::State::status "$a/status";
	Dir::Cache "$a/cache";
	Dir::Etc::sourcelist "$a/etc/sources.list";
	Dir::Etc::sourceparts "$a/etc/parts";
	Dir::Etc::preferencesparts "$a/etc/preferences.d";
	Acquire::Languages "none";
	Acquire::Retries "3";
	Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
	APT::Sandbox::User "root";
	EOF
	APT_CONFIG=$a/apt.conf apt-get -qq update >&2 || return 1
	echo "$a/apt.conf"
}

fetch() {	# fetch APTCONF DESTDIR PACKAGE...: download and unpack, not install
	conf=$1 dest=$2; shift 2
	d=$(mktemp -d "$cache/deb.XXXXXX")
	(cd "$d" && APT_CONFIG=$conf apt-get -qq download "$@" >&2) || { rm -rf "$d"; return 1; }
	mkdir -p "$dest"
	for f in "$d"/*.deb; do dpkg -x "$f" "$dest" || { rm -rf "$d"; return 1; }; done
	rm -rf "$d"
}

newest() {	# newest APTCONF SERIES: the newest cloud image of that series
	APT_CONFIG=$1 apt-cache pkgnames linux-image- |
		grep -E "^linux-image-$2(\.[0-9]+)*[-+](.*-)?cloud-amd64$" | sort -V | tail -n 1
}

get_busybox() {
	for busybox in "$cache/busybox/bin/busybox" "$cache/busybox/usr/bin/busybox"; do
		[ -x "$busybox" ] && return
	done
	conf=$(apt_for bookworm) || die 126 "no package lists from $mirror"
	fetch "$conf" "$cache/busybox" busybox-static || die 126 "no busybox-static"
	busybox=$cache/busybox/bin/busybox
	[ -x "$busybox" ] || busybox=$cache/busybox/usr/bin/busybox
}

unpack_kernel() {	# unpack_kernel DIR SERIES SUITE...
	dir=$1 series=$2; shift 2
	for s; do
		conf=$(apt_for "$s") || continue
		p=$(newest "$conf" "$series")
		[ -n "$p" ] || continue
		# from 6.19 on the image package only names two others
		more=$(APT_CONFIG=$conf apt-cache depends "$p" | sed -n 's/^ *Depends: \(linux-\(binary\|modules\)-.*\)/\1/p')
		# shellcheck disable=SC2086
		fetch "$conf" "$dir" ${more:-$p} || continue
		[ -d "$dir/usr/lib/modules" ] || { mkdir -p "$dir/usr/lib"; mv "$dir/lib/modules" "$dir/usr/lib/"; }
		find "$dir" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P 2 xz -d
		"$busybox" depmod -b "$dir/usr" "$(ls "$dir/usr/lib/modules")"
		rm -f "$dir"/boot/System.map-*
		: >"$dir/ready"
		return 0
	done
	return 1
}

get_kernel() {	# sets vmlinuz and moddir
	case $kernel in
	*/*)	vmlinuz=$(realpath -e "$kernel") || die 77 "no $kernel"
		rel=${vmlinuz##*/vmlinuz-} root=${vmlinuz%/boot/*}
		for moddir in "${vmlinuz%/*}" "$root/usr/lib/modules/$rel" "$root/lib/modules/$rel"; do
			[ -f "$moddir/modules.dep" ] && return
		done
		die 77 "no modules.dep for $kernel" ;;
	5.10)	series='5\.10' suites=bullseye-security ;;
	6.1)	series='6\.1' suites=bookworm-security ;;
	6.12)	series='6\.12' suites="bookworm-security trixie-security" ;;
	6.18)	series='6\.18' suites=trixie-backports ;;
	latest)	series='[0-9]+' suites="forky sid" ;;
	*)	die 77 "unknown kernel $kernel" ;;
	esac
	kdir=$cache/kernel/$kernel
	# shellcheck disable=SC2086
	[ -e "$kdir/ready" ] || { rm -rf "$kdir"; unpack_kernel "$kdir" "$series" $suites; } ||
		die 77 "kernel $kernel is not to be had from $mirror"
	moddir=$(echo "$kdir"/usr/lib/modules/*)
	vmlinuz=$moddir/vmlinuz
	[ -e "$vmlinuz" ] || vmlinuz=$kdir/boot/vmlinuz-${moddir##*/}
}

# ------------------------------------------------------------------- guest --
# closure MODULE...: their files below $moddir, dependencies first, each once
# (a module that is built in has none).
closure() {
	for m; do grep -E "(^|/)$m\.ko:" "$moddir/modules.dep" | head -n 1 || :; done |
		awk '{ sub(":", "", $1); for (i = NF; i >= 1; i--) if (!s[$i]++) print $i }'
}

make_initrd() {	# make_initrd DIR COMMAND...
	i=$1/initramfs; shift
	mkdir -p "$i/bin" "$i/mod" "$i/dev" "$i/proc" "$i/sys" "$i/low" "$i/rw" "$i/new"
	cp "$busybox" "$i/bin/busybox"
	for k in $(closure virtio_pci virtiofs overlay); do
		cp "$moddir/$k" "$i/mod/"; echo "/mod/${k##*/}"
	done >"$i/mod/order"
	for k in mount insmod mkdir cp switch_root reboot; do ln -s busybox "$i/bin/$k"; done
	cat >"$i/init" <<-'EOF'
	#!/bin/busybox sh
	export PATH=/bin
	mount -t devtmpfs none /dev; mount -t proc none /proc; mount -t sysfs none /sys
	while read -r m; do insmod "$m" || echo "insmod $m failed"; done </mod/order
	mount -t virtiofs -o ro root /low || { echo "no virtiofs root"; exec reboot -f; }
	mount -t tmpfs -o mode=755 none /rw; mkdir /rw/up /rw/work
	mount -t overlay -o lowerdir=/low,upperdir=/rw/up,workdir=/rw/work none /new ||
		{ echo "no overlay root"; exec reboot -f; }
	mkdir -p /new/dev /new/proc /new/sys /new/run /new/tmp
	mount --move /dev /new/dev; mount --move /proc /new/proc; mount --move /sys /new/sys
	mount -t tmpfs -o mode=755 none /new/run; mkdir /new/run/kernel
	cp /bin/busybox /stage2 /new/run/kernel/
	exec switch_root -c /dev/console /new /bin/sh /run/kernel/stage2
	EOF
	chmod +x "$i/init"
	{
		cat <<-'EOF'
		export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
		bb=/run/kernel/busybox
		ln -s busybox /run/kernel/modprobe; echo /run/kernel/modprobe >/proc/sys/kernel/modprobe
		for a in modprobe insmod rmmod lsmod; do command -v $a >/dev/null || ln -s $bb /usr/local/sbin/$a; done
		mkdir -p /dev/shm /dev/pts
		mount -t tmpfs -o mode=1777 none /dev/shm; mount -t devpts -o ptmxmode=666 none /dev/pts
		mount -t bpf none /sys/fs/bpf; mount -t tracefs none /sys/kernel/tracing
		mount -t debugfs none /sys/kernel/debug; mount -t cgroup2 none /sys/fs/cgroup
		ln -sf /proc/self/fd /dev/fd; ln -sf fd/0 /dev/stdin; ln -sf fd/1 /dev/stdout; ln -sf fd/2 /dev/stderr
		hostname guest; ip link set lo up
		ulimit -l unlimited; ulimit -c 0
		EOF
		m=/usr/lib/modules/${moddir##*/}
		echo "mkdir -p $m; mount -t virtiofs -o ro mod $m"
		n=0
		for d in $rw; do
			echo "mkdir -p $d; mount -t virtiofs rw$n $d || echo 'no $d'"; n=$((n + 1))
		done
		echo "for m in virtio_net $mods; do \$bb modprobe \$m || echo \"no module \$m\"; done"
		# shellcheck disable=SC2016 # expanded in the guest
		echo '$bb stty -F /dev/ttyS1 -opost -echo; $bb stty -F /dev/ttyS2 -opost -echo'
		echo "mkdir -p $(quote "$PWD"); cd $(quote "$PWD")"
		printf 'setsid -w '; for w; do quote "$w"; done; echo '</dev/null >/dev/ttyS1 2>&1'
		cat <<-'EOF'
		rc=$?
		sync
		echo "rc=$rc" >/dev/ttyS2
		$bb sleep 0.1
		$bb reboot -f
		EOF
	} >"$i/stage2"
	(cd "$i" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"${i%/*}/initrd"
}

# -------------------------------------------------------------------- host --
work='' qemu='' pids=''
# shellcheck disable=SC2317 # run by the trap
cleanup() {
	trap - EXIT INT TERM HUP
	# QEMU first: it must not see its file servers go
	# shellcheck disable=SC2086
	for p in $qemu $pids; do
		if kill "$p" 2>/dev/null; then wait "$p" 2>/dev/null || :; fi
	done
	[ -z "$work" ] || rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

share() {	# share TAG DIR: start one virtiofsd, add its QEMU words to $fsargs
	s=$work/$1.sock
	$virtiofsd --socket-path="$s" -o source="$2" -o cache=always -o sandbox=chroot \
		-o log_level=err </dev/null >"$work/$1.log" 2>&1 &
	pids="$pids $!"
	t=0
	until [ -S "$s" ]; do
		t=$((t + 1)); [ $t -lt 200 ] || die 126 "virtiofsd for $2: $(cat "$work/$1.log")"
		sleep 0.02
	done
	fsargs="$fsargs -chardev socket,id=c$1,path=$s -device vhost-user-fs-pci,chardev=c$1,tag=$1"
}

command -v qemu-system-x86_64 >/dev/null || die 126 "no qemu-system-x86_64"
[ -x $virtiofsd ] || die 126 "no $virtiofsd"
exec 9>"$cache/lock"
flock 9
get_busybox
get_kernel
exec 9>&-
[ -z "$prepare" ] || { echo "$vmlinuz"; exit 0; }

work=$(mktemp -d "${TMPDIR:-/tmp}/run-in-kernel.XXXXXX")
make_initrd "$work" "$@"
fsargs=
share root /
share mod "$moddir"
n=0; for d in $rw; do share rw$n "$d"; n=$((n + 1)); done

: >"$work/rc"; : >"$work/console"
eval "exec timeout -k 5 $limit qemu-system-x86_64 -accel ${RUN_IN_KERNEL_ACCEL:-tcg,thread=single} -machine q35,memory-backend=ram \
	-cpu ${RUN_IN_KERNEL_CPU:-max} -smp $cpus -m $mem -object memory-backend-memfd,id=ram,size=${mem}M,share=on \
	-nodefaults -no-user-config -display none -no-reboot \
	-chardev file,id=con,path=\$work/console -serial chardev:con \
	-chardev stdio,id=out,signal=off -serial chardev:out \
	-chardev file,id=rc,path=\$work/rc -serial chardev:rc \
	-device virtio-rng-pci $fsargs $qargs \
	-kernel \$vmlinuz -initrd \$work/initrd \
	-append 'console=ttyS0 panic=-1 loglevel=5 mitigations=off nokaslr audit=0 tsc=nowatchdog'" </dev/null &
qemu=$!
qrc=0
wait "$qemu" || qrc=$?
qemu=''
[ -z "$console" ] || cp "$work/console" "$console"
bad=$(grep -E 'WARNING:|BUG:|Oops|general protection|Call Trace|rcu.*stall|soft lockup|blocked for more than|refcount_t:' "$work/console" | head -n 5) || :
[ -z "$bad" ] || printf '%s: the guest kernel complained:\n%s\n' "$prog" "$bad" >&2
rc=$(sed -n 's/^rc=\([0-9]*\).*/\1/p' "$work/rc")
if [ -n "$rc" ]; then
	[ -n "$bad" ] && [ -n "$strict" ] && [ "$rc" -eq 0 ] && exit 123
	exit "$rc"
fi
echo "$prog: the guest gave no exit status (qemu: $qrc); its console ended with:" >&2
tail -n 30 "$work/console" >&2
case $qrc in 124 | 137) exit 124 ;; esac
exit 125
