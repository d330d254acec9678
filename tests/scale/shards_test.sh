#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: shards_test.sh EXPLORE
# The explorer as Bazel would run it in three shards: together they run the schedules of one run,
# each seed once; a wrong environment is refused.
set -uo pipefail
explore=$1
failures=0

fail()
{
	echo "FAILED  $*"
	failures=$((failures + 1))
}

# Like Bazel: the variables of the outer test are not the inner one's.
shard() # INDEX TOTAL ARGUMENTS...
{
	local index=$1 total=$2
	shift 2
	env TEST_SHARD_INDEX="$index" TEST_TOTAL_SHARDS="$total" \
		TEST_SHARD_STATUS_FILE="$status_file" "$explore" --jobs 1 "$@" 2>&1
}

status_file=$(mktemp)
rm -f "$status_file"
trap 'rm -f "$status_file"' EXIT

sum=0
for index in 0 1 2; do
	out=$(shard "$index" 3 spinlock_exclusion --schedules 300) || fail "shard $index: $out"
	[ -e "$status_file" ] || fail "shard $index does not say that it knows of shards"
	count=$(awk '$1 == "spinlock_exclusion" { print $2 }' <<<"$out")
	[ "$count" = 100 ] || fail "shard $index ran $count schedules instead of 100: $out"
	sum=$((sum + count))
done
[ "$sum" -eq 300 ] || fail "the shards ran $sum schedules in all"

for bad in "3 3" "0 0" "x 3" "0 x"; do
	# shellcheck disable=SC2086 # two words
	out=$(shard $bad spinlock_exclusion --schedules 3)
	[ $? -eq 2 ] || fail "shard $bad is taken: $out"
done

# A shard's seeds begin where the shard before ends: so a run that begins there is the same.
first=$("$explore" spinlock_exclusion --schedules 100 --first 101 --jobs 1 2>&1) ||
	fail "--first: $first"
out=$("$explore" spinlock_exclusion --schedules 1 --first -1 2>&1)
[ $? -eq 2 ] || fail "--first -1 is taken: $out"

[ "$failures" -eq 0 ] && echo ok
