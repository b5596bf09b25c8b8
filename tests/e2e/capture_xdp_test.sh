#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a capture's file holds, at XDP: the frames that were sent, byte for byte, and what tcpdump captures too.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000

mixed_frames
is "$(grep -c 0x0000: "$tmp/sent")" 36 "36 frames to send"

run ng attach ng0 --mode native
is "$rc" 0 "attached, native"
compare native
like "$tmp/cap.err" '^listening on ng0 (xdp in, attached)' "native: taps the gate"
matching native
captures -Q inout -c 37 -w "$tmp/both.pcapng"
like "$tmp/cap.err" '(xdp in + tc out, attached)' "native, both directions: taps both gates"
ngsend -i ng0 -e "$mac1" -E "$mac0" -S 198.51.100.1 -D 198.51.100.2 >"$tmp/ngsend.out"
peer ngsend -i ng1 -f "$tmp/sent.pcap" >"$tmp/ngsend.out"
ended
is "$(pcap_count "$tmp/both.pcapng")" 37 "native, both directions: all packets"
ng -q detach ng0 >"$tmp/out"

run ng attach ng0 --mode generic
is "$rc" 0 "attached, generic"
compare generic
ng -q detach ng0 >"$tmp/out"

done_testing
