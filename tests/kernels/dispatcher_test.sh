#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A libxdp dispatcher with two components is on the interface: status and the refusal of attach name them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
e2e_begin
e2e_veth
foreign=$NG_BUILD/tests/kernels/pass.bpf.o

command -v xdp-loader >/dev/null || skip_all "needs xdp-loader (package xdp-tools)"
xdp-loader load -m native ng0 "$foreign" "$foreign" >"$tmp/load" 2>&1
xdp-loader status ng0 >"$tmp/before" 2>&1
file_has "$tmp/before" xdp_dispatcher || skip_all "EXT programs are refused here: libxdp built no dispatcher"

run ng status ng0
is "$rc" 0 "status of a device with a dispatcher"
like out 'xdp_dispatcher' "status names the dispatcher"
like out 'foreign_pass' "status names its components"

run ng attach ng0 --hook xdp
is "$rc" 1 "attach is refused"
like err 'xdp_dispatcher' "the refusal names the dispatcher"
like err 'foreign_pass' "the refusal names its components"
xdp-loader status ng0 >"$tmp/after" 2>&1
is "$(cat "$tmp/after")" "$(cat "$tmp/before")" "the dispatcher is as it was"

run ng detach ng0
is "$(xdp-loader status ng0 2>&1)" "$(cat "$tmp/before")" "detach does not touch it"

xdp-loader unload ng0 --all >"$tmp/unload" 2>&1
run ng attach ng0 --hook xdp
is "$rc" 0 "attach works once it is gone"
run ng status ng0
unlike out 'foreign_pass' "and nothing of it is left in the status"
done_testing
