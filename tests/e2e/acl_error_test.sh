#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# nicgate acl used wrongly, or on what is only half there: what it says, and that it changes nothing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
e2e_begin "$@"
e2e_veth

# One direction is attached: commands about both are about that one.
ng attach ng0 --hook tc-out >/dev/null
for words in 'list ng0' 'zero ng0' 'expire ng0 1d' 'export ng0' 'flush ng0'; do
	# shellcheck disable=SC2086 # words
	run ng acl $words
	is "$rc" 0 "$words, only tc-out attached: exit 0"
done
run ng acl list ng0 in
is "$rc" 3 "the other direction by name: exit 3"
ng detach ng0 >/dev/null
ng attach ng0 >/dev/null 2>&1
for words in 'list ng0' 'zero ng0' 'expire ng0 1d' 'export ng0' 'flush ng0'; do
	# shellcheck disable=SC2086 # words
	run ng acl $words
	is "$rc" 0 "$words, both attached: exit 0"
done
ng detach ng0 --hook tc-out >/dev/null
ng acl add ng0 drop 192.0.2.1 >/dev/null
run ng -j acl list ng0
is "$rc" 0 "list, only xdp attached: exit 0"
rm /sys/fs/bpf/nicgate/n*/i*/xdp/link
run ng acl list ng0
is "$rc" 3 "a gate whose program was taken off: exit 3"
like err 'not attached any more' "which is not passed over in silence"
ng detach ng0 >/dev/null
run ng acl list ng0
is "$rc" 3 "nothing attached: exit 3"
like err 'nicgate attach ng0' "with what to type"

# Both directions by one file: all of it or nothing.
ng attach ng0 >/dev/null 2>&1
{
	echo 'drop in src 192.0.2.1'
	for port in 1 2 3 4 5 6 7 8 9; do echo "drop out dst 192.0.2.2 proto tcp port $port"; done
} >"$tmp/nine"
for verb in import replace; do
	run ng acl $verb ng0 "$tmp/nine"
	is "$rc" 1 "$verb: a ninth clause on a prefix is refused"
	like err '192.0.2.2/32: too many clauses' "$verb: with the prefix"
	is "$(ng acl list ng0)" "" "$verb: and the other direction is not changed either"
done
head -9 "$tmp/nine" >"$tmp/eight"
run ng acl import ng0 "$tmp/eight"
like out '9 added' "eight are not too many"
run ng acl add ng0 drop out dst 192.0.2.2 proto tcp port 9
like err '192.0.2.2/32: too many clauses' "add says so, too"
run ng acl flush ng0
like out '9 deleted' "flush is about both directions"

# Files: what is said of bad ones
run ng acl import ng0 drop - --skip-bad <<-'EOF'
	{"entries":[{"prefix":"192.0.2.1","verdict":"drop"},{"pre
EOF
is "$rc" 2 "a text that broke off: exit 2"
unlike err 'skip-bad' "which --skip-bad does not help"
printf '192.0.2.1\n300.1.1.1\n' >"$tmp/bad"
run ng acl import ng0 drop "$tmp/bad"
like err 'try: *--skip-bad' "where it does, it is proposed"
run ng acl import ng0 drop "$tmp/bad" --skip-bad --set some
is "$rc" 2 "--set where there are no sets: exit 2"
like err 'no sets in cidr' "and why"
printf 'create one hash:net family inet\nadd one 192.0.2.0/24\n' >"$tmp/sets"
run ng acl import ng0 drop "$tmp/sets" --set other
is "$rc" 2 "a set that is not there: exit 2"
like err "is called 'other'" "with its name"
printf 'verdict,prefix\r\ndrop,0.0.0.0/1\r\n' >"$tmp/wide"
run ng acl import ng0 "$tmp/wide"
is "$rc" 1 "a wide prefix: exit 1"
like err '^  drop,0.0.0.0/1$' "with its line"
like err '^       ^$' "and its place"
printf 'pass out 192.0.2.1\n  192.0.2.2\n' >"$tmp/words"
run ng acl import ng0 "$tmp/words"
is "$rc" 2 "no verdict: exit 2"
like err ':2:3: no verdict' "with its place"
like err '^    192.0.2.2$' "and its line"
run ng acl add ng0 drop @"$tmp/words"
like err ":1:1: 192.0.2.1/32 is not 'drop in'" "add does not let a file decide: the place"
run ng acl import ng0 drop ''
like err 'name of the file is empty' "an empty name"

# Words
run ng acl add ng0 drop 192.0.2.1 comment -- '-- spam --force'
is "$rc" 0 "behind --, words are no options"
run ng acl del -- ng0 192.0.2.1 --force
is "$rc" 2 "all the way to the end"
like err "unknown word '--force'" "they are words"
for words in 'ng0 soon' 'ng0 in 0' 'ng0 1d in' 'ng0'; do
	# shellcheck disable=SC2086 # words
	run ng acl expire $words
	is "$rc" 2 "expire $words: exit 2"
	like err 'idle' "expire $words: what is wrong"
	like err 'try: *30m' "expire $words: what would be right"
done
like err '1:16: how long entries were idle is missing' "with its place"
run ng acl export
is "$rc" 2 "no device: exit 2"
like err 'nicgate acl export DEV' "with the command's own form"
SSH_CONNECTION='::ffff:192.0.2.77 5000 ::ffff:198.51.100.1 22' run ng acl add ng0 drop 192.0.2.0/24
is "$rc" 1 "a session whose address is written as IPv6 is guarded, too"
is "$(ng acl list ng0 | wc -l)" 2 "after all that, what was added is there and nothing else"
done_testing
