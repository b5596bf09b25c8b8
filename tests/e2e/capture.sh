# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of captures share, on top of lib.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# dump FILE [EXPRESSION]: all bytes of all packets, without times
dump() { tcpdump -t -nn -xx -r "$@" 2>/dev/null; }

# captures OPTIONS.. : starts a capture of ng0, its messages in $tmp/cap.err, and waits until it listens
captures() {
	: >"$tmp/cap.err"
	bg "$NICGATE" capture -i ng0 "$@" 2>"$tmp/cap.err"
	cap=$bg
	wait_for 10 file_has "$tmp/cap.err" '^listening on' || sed 's/^/# /' "$tmp/cap.err"
}
# ended: waits for the capture; its exit status
ended() {
	wait_for 10 gone "$cap" || kill -9 "$cap"
	wait "$cap"
}
