#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a capture's file holds, at tc: the frames that were sent, byte for byte, and what tcpdump captures too.
# shellcheck source-path=SCRIPTDIR source=capture.sh
. "$(dirname "$0")/capture.sh"
e2e_begin "$@"
e2e_veth 9000

mixed_frames
is "$(grep -c 0x0000: "$tmp/sent")" 36 "36 frames to send"

compare "not attached"
like "$tmp/cap.err" '^listening on ng0 (tc in, temporary), link-type EN10MB (Ethernet), snapshot length 262144 bytes$' "not attached: says where it listens"
matching "not attached"

run ng attach ng0 --hook tc-in --hook tc-out
is "$rc" 0 "attached, tc"
compare tc
like "$tmp/cap.err" '^listening on ng0 (tc in, attached)' "tc: taps the gate"

done_testing
