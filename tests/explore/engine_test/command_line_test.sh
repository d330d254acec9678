#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: command_line_test.sh EXPLORE EXPLORE_PLANTS    what the command line says and how it ends
set -uo pipefail
explore=$1 plants=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# Runs the program; its status and what it prints have to be these.
expect() # STATUS REGEX PROGRAM ARGUMENTS...
{
	local status=$1 regex=$2 got=0
	shift 2

	"$@" >"$work/out" 2>&1 || got=$?
	if [ "$got" -eq "$status" ] && grep -qE -- "$regex" "$work/out"; then
		echo "ok      ${*:2}"
		return
	fi
	echo "FAILED  ${*:2}: status $got, expected $status and /$regex/:"
	tail -20 "$work/out"
	failures=$((failures + 1))
}

same() # WHAT FILE FILE
{
	if cmp -s "$2" "$3"; then
		echo "ok      $1"
	else
		echo "FAILED  $1"
		diff "$2" "$3" | head -20
		failures=$((failures + 1))
	fi
}

expect 0 '^usage: explore' "$explore" --help
expect 0 '^shootdown_two .* CPUs' "$explore" --list
expect 2 "there is no scenario 'nothing'" "$explore" nothing
expect 2 'unknown option --fast' "$explore" --fast
expect 2 'a value is missing behind --seed' "$explore" shootdown_two --seed
expect 2 '--schedules many is not possible' "$explore" --schedules many
expect 2 '--schedules 0 is not possible' "$explore" --schedules 0
expect 2 '--minutes -1 is not possible' "$explore" --minutes -1
expect 2 '--jobs 0 is not possible' "$explore" --jobs 0
expect 2 '--strategy best is not possible' "$explore" --strategy best
expect 2 '--expect luck is not possible' "$explore" --expect luck
expect 2 'need one scenario' "$explore" --seed 1
expect 2 'strategy nmi has nothing to do' "$explore" shootdown_two --strategy nmi
expect 2 'built without planted bugs' "$explore" --plant ack_before_flush

expect 0 'shootdown_two +1000 schedules' "$explore" shootdown_two --schedules 1000
expect 0 'spinlock_exclusion +1000 schedules' "$explore" spinlock_exclusion --schedules 1000 --jobs 2
expect 0 'shootdown_two +[0-9]+ schedules' "$explore" shootdown_two --minutes 0.01
expect 1 'nothing was found' "$explore" shootdown_two --schedules 100 --expect found
expect 0 'exhausted: [0-9]+ states, [0-9]+ schedules' "$explore" litmus_dekker --exhaustive
expect 1 'NOT exhausted: stopped at 10 states' \
	"$explore" litmus_dekker --exhaustive --states 10 --expect clean
expect 0 'rounds on threads' "$explore" spinlock_exclusion --threads 10
expect 2 'no planted bug with the name nobody' \
	"$plants" shootdown_two --schedules 100 --plant nobody

# A failure, and the command that it prints.
bug=(call_and_shootdown --plant ack_before_flush)
expect 1 'FAILED call_and_shootdown: TLB oracle' "$plants" "${bug[@]}" --schedules 50000 --jobs 1
read -r -a command < <(sed -n 's/^To see it: \.\/quire explore //p' "$work/out")
expect 1 'FAILED: TLB oracle' "$plants" "${command[@]}"
grep -E '^ +[0-9]+  cpu ' "$work/out" >"$work/first"
expect 1 'switch to cpu' "$plants" "${command[@]}"
expect 1 'shootdown_handler|flush_line|take_inbox' "$plants" "${command[@]}"
grep -E '^ +[0-9]+  cpu ' "$work/out" >"$work/second"
same "the replay is the same each time" "$work/first" "$work/second"
HOME=/ SOME_OTHER=environment "$plants" "${command[@]}" | grep -E '^ +[0-9]+  cpu ' >"$work/third"
same "and in another environment" "$work/first" "$work/third"

bug=(litmus_store_buffering --plant store_buffering_no_fence --exhaustive)
expect 1 'FAILED litmus_store_buffering' "$plants" "${bug[@]}"
read -r -a command < <(sed -n "s/'//g; s/^To see it: \.\/quire explore //p" "$work/out")
expect 1 'FAILED: ' "$plants" "${command[@]}"

[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
