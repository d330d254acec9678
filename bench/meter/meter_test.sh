#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: meter_test.sh PLUGIN GUEST
# Runs the guest's loops, whose cost is known (guest/guest.c), under the plugin and demands exactly
# these figures; on one CPU those of the time stamp counter under -icount as well.
set -uo pipefail
plugin=$(readlink -f "$1") guest=$(readlink -f "$2")
tmp=${TEST_TMPDIR:-$(mktemp -d)}
qemu=${QUIRE_QEMU:-qemu-system-x86_64}
failures=0

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# run NAME PLUGIN-ARGUMENTS QEMU-ARGUMENTS...: leaves NAME.txt and NAME.log
run()
{
	local name=$1 arguments=$2 status=0
	shift 2

	echo "---- $name: $*"
	rm -f "$tmp/$name.txt" "$tmp/$name.log"
	"$qemu" -machine q35 -cpu max -m 64M -kernel "$guest" -display none -monitor none \
		-serial "file:$tmp/$name.log" -net none -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-plugin "$plugin$arguments" "$@" </dev/null || status=$?
	[ "$status" -eq 33 ] || fail "$name: QEMU's exit status is $status instead of 33"
	grep -q '^done' "$tmp/$name.log" || fail "$name: the guest did not come to its end"
}

# figure NAME CASE CPU KEY
figure()
{
	awk -v c="case=$2" -v p="cpu=$3" -v k="$4=" '
	$2 == c && $3 == p {
		for (i = 4; i <= NF; i++)
			if (index($i, k) == 1)
				print substr($i, length(k) + 1)
	}' "$tmp/$1.txt"
}

# expect NAME CASE CPU KEY VALUE
expect()
{
	local value
	value=$(figure "$1" "$2" "$3" "$4")
	[ "$value" = "$5" ] || fail "$1: case $2, CPU $3: $4 is '$value' instead of $5"
}

metrics=(insns locked transfers icr loads stores)

# own NAME CASE CPU INSNS LOCKED TRANSFERS ICR LOADS STORES ('-': not exact)
own()
{
	local name=$1 index=$2 cpu=$3 i
	shift 3
	expect "$name" "$index" "$cpu" samples 1
	for i in 0 1 2 3 4 5; do
		[ "$1" = - ] || expect "$name" "$index" "$cpu" "own_${metrics[i]}_sum" "$1"
		shift
	done
}

one_cpu_cases()
{
	own "$1" 0 0 0 0 0 0 0 0
	own "$1" 1 0 2000 0 0 0 0 0
	own "$1" 2 0 100 100 0 0 100 100
	own "$1" 3 0 100 0 0 0 100 0
	own "$1" 4 0 100 0 0 0 0 100
	own "$1" 5 0 100 50 0 0 50 50
	own "$1" 6 0 10 0 0 0 10 10
	own "$1" 7 0 65 0 0 0 0 64
	own "$1" 8 0 4 0 0 2 0 4
	own "$1" 9 0 6 0 0 1 0 0
	# Of the processor's own accesses, entering the handler and leaving it, QEMU shows what it likes.
	own "$1" 10 0 14 0 0 0 - -
	for index in 0 1 2 3 4 5 6 7 8 9 10; do
		for metric in "${metrics[@]}"; do
			expect "$1" "$index" 0 "sys_${metric}_sum" \
				"$(figure "$1" "$index" 0 "own_${metric}_sum")"
		done
	done
	# Two samples of case 12 within one of case 11: each is the way out of meter_begin() and into
	# meter_end(), the same for both.
	expect "$1" 11 0 samples 1
	expect "$1" 12 0 samples 2
	expect "$1" 12 0 own_insns_min "$(figure "$1" 12 0 own_insns_max)"
	expect "$1" 12 0 own_insns_sum $((2 * $(figure "$1" 12 0 own_insns_min)))
	expect "$1" 12 0 own_insns_med "$(figure "$1" 12 0 own_insns_min)"
	[ "$(figure "$1" 11 0 own_insns_sum)" -gt "$(figure "$1" 12 0 own_insns_sum)" ] ||
		fail "$1: case 11 does not hold case 12"
	expect "$1" 13 0 samples 0
	expect "$1" 13 0 unmatched 1
}

# The line goes to and fro 399 times. QEMU tells of an access when it has been made: where each CPU
# has a thread, a write and the read that finds it may be told of in the other order, and that
# transfer is not seen. So few of them (MISSING) may lack there, and none where CPUs take turns.
ping_pong() # NAME MISSING
{
	local first second all

	first=$(figure "$1" 30 0 own_transfers_sum)
	second=$(figure "$1" 31 1 own_transfers_sum)
	all=$(figure "$1" 31 1 sys_transfers_sum)
	[ "$first" -le 199 ] && [ "$first" -ge $((199 - $2)) ] ||
		fail "$1: case 30: $first transfers instead of 199 (or up to $2 less)"
	[ "$second" -le 200 ] && [ "$second" -ge $((200 - $2)) ] ||
		fail "$1: case 31: $second transfers instead of 200 (or up to $2 less)"
	[ "$all" -ge $((398 - 2 * $2)) ] ||
		fail "$1: case 31: the system shows $all transfers, less than its two CPUs"
}

two_cpu_cases() # NAME MISSING
{
	own "$1" 20 0 256 0 0 0 0 64
	own "$1" 21 1 256 0 64 0 64 0
	own "$1" 22 1 256 0 0 0 64 0
	own "$1" 23 0 256 0 0 0 64 0
	own "$1" 24 0 256 0 64 0 0 64
	own "$1" 25 0 256 0 0 0 0 64
	own "$1" 26 1 256 0 0 0 64 0
	own "$1" 27 1 256 0 64 0 64 0
	own "$1" 28 1 2 0 2 0 1 1
	# A hundred rounds of a read and a write each; how long each CPU waits is open.
	own "$1" 30 0 - 0 - 0 - 100
	own "$1" 31 1 - 0 - 0 - 100
	ping_pong "$1" "$2"
	grep -qE '^meter: total cpu=1 insns=[1-9]' "$tmp/$1.txt" || fail "$1: no total of CPU 1"
}

# The time stamp counter ticks once per instruction; its own cost is that of the empty case. An
# instruction that faults is no tick, but an instruction counted.
agrees_with_icount()
{
	local index ticks empty want

	empty=$(sed -n 's/^tsc: case=0 ticks=//p' "$tmp/$1.log" | tr -d '\r')
	for index in 1 2 3 4 5 6 7 8 9 10; do
		ticks=$(sed -n "s/^tsc: case=$index ticks=//p" "$tmp/$1.log" | tr -d '\r')
		want=$(figure "$1" "$index" 0 own_insns_sum)
		[ "$index" -ne 10 ] || want=$((want - 1))
		[ "$((ticks - empty))" -eq "$want" ] ||
			fail "$1: case $index: $((ticks - empty)) ticks, $want instructions"
	done
}

# refused PLUGIN-ARGUMENTS EXPRESSION QEMU-ARGUMENTS...
refused()
{
	local said
	said=$(timeout 60 "$qemu" -machine q35 -m 64M -display none -monitor none -net none -S \
		-plugin "$plugin$1" "${@:3}" 2>&1 </dev/null) && fail "accepted: $1 ${*:3}"
	grep -qE "$2" <<<"$said" || fail "'$1 ${*:3}' was refused without /$2/: $said"
}

run single ",out=$tmp/single.txt" -smp 2 -accel tcg,thread=single
one_cpu_cases single
two_cpu_cases single 0
run multi ",out=$tmp/multi.txt" -smp 2 -accel tcg,thread=multi
one_cpu_cases multi
two_cpu_cases multi 20
run icount ",out=$tmp/icount.txt" -smp 1 -accel tcg -icount shift=0,sleep=off
one_cpu_cases icount
agrees_with_icount icount
# Counted from reset: the instructions before the first marker are in the totals.
run now ",out=$tmp/now.txt,arm=now" -smp 1 -accel tcg,thread=single
one_cpu_cases now
total() { sed -nE 's/^meter: total cpu=0 insns=([0-9]+) .*/\1/p' "$tmp/$1.txt"; }
[ "$(total now)" -gt "$(total icount)" ] || fail "arm=now does not count what precedes the marker"
# As many CPUs as it can tell apart, all but two of them never started.
run many ",out=$tmp/many.txt" -smp 64 -accel tcg,thread=single
one_cpu_cases many
two_cpu_cases many 0
[ "$(grep -c '^meter: total cpu=' "$tmp/many.txt")" -eq 64 ] || fail "not 64 totals"

refused "" "needs the argument out=FILE"
refused ",out=$tmp/x,nonsense=1" "unknown argument 'nonsense=1'"
refused ",out=$tmp/no/such/folder" "cannot write '.*/no/such/folder'"
refused ",out=$tmp/x" "at most 64 CPUs" -smp 65

echo "$failures failures"
[ "$failures" -eq 0 ]
