#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: programs_test.sh QUIRE_BENCH PEER_BENCH
set -euo pipefail
quire=$1 peer=$2
failures=0

# Runs a command and compares its status and a pattern in what it says.
expect() # STATUS PATTERN COMMAND...
{
	local status=0 wanted=$1 pattern=$2 output
	shift 2

	output=$("$@" 2>&1) || status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -q -- "$pattern" <<<"$output"; then
		echo "FAILED: $*: status $status, not $wanted with '$pattern'. It said:"
		echo "$output"
		failures=$((failures + 1))
	fi
}

# Contents checked, counted, timed; then the audit.
for case in page.pair zone64.batch512 kmem1.pair; do
	expect 0 "^counted $case 8192$" "$quire" --count=4096 "--case=$case"
done
expect 0 '^counted kmem.random 8192$' "$peer" --allocator=glibc --count=4096 --case=kmem.random
quickly=(--benchmark_min_time=0.001 --benchmark_format=json)
expect 0 '"allocator": "quire"' "$quire" --case=page.pair "${quickly[@]}"
expect 0 '"name": "page.handover/manual_time"' "$quire" --threads=2 --case=page.handover \
	"${quickly[@]}"
expect 0 '"allocator_version": "2\.' "$peer" --allocator=glibc --case=page.pair "${quickly[@]}"
expect 0 '"name": "page.handover/manual_time"' "$peer" --allocator=glibc --threads=2 \
	--case=page.handover "${quickly[@]}"

# A peer that is not what it is called gives no figures.
expect 1 'this is not jemalloc: malloc() is that of .*libc' "$peer" --allocator=jemalloc
expect 1 'one of glibc, jemalloc' "$peer" --allocator=ours
expect 1 'one of glibc, jemalloc' "$peer"

expect 1 'a number from 1 to 64' "$quire" --threads=0
expect 1 'a number from 1 to 64' "$quire" --threads=two
expect 1 'a multiple of 4096' "$quire" --count=5000
expect 1 'is for one thread' "$quire" --count=4096 --threads=2
expect 1 'unknown option' "$quire" --surprise
expect 1 'no case page.pairs for 1 threads' "$quire" --case=page.pairs
expect 1 'no case page.handover for 1 threads' "$quire" --case=page.handover
expect 1 'no case is left' "$quire" --benchmark_filter=nothing_like_it

[ "$failures" -eq 0 ] && echo "all as expected"
