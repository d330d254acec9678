#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: random_boot_test.sh RANDOM_BOOT
# Random boots with a runner that only pretends: the seed is the machine, and a failure is told.
set -uo pipefail
random_boot=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset TEST_TOTAL_SHARDS TEST_SHARD_INDEX TEST_SHARD_STATUS_FILE
failures=0

# Notes what it was asked to boot; fails where the test wants it.
cat >"$work/runner" <<'RUNNER'
#!/bin/bash
echo "$*" >>"$CALLS"
echo "the kernel's log"
[[ " $* " != *" $FAIL_AT "* ]]
RUNNER
chmod +x "$work/runner"
export CALLS=$work/calls FAIL_AT=none

check() # NAME CONDITION...
{
	if "${@:2}"; then
		echo "ok      $1"
	else
		echo "FAILED  $1"
		failures=$((failures + 1))
	fi
}

list() # BOOTS SEED
{
	"$random_boot" --boots "$1" --seed "$2" --list
}

boots() # BOOTS SEED
{
	: >"$CALLS"
	"$random_boot" --boots "$1" --seed "$2" --runner "$work/runner" --qemu-script q --kernel k \
		--iso i >"$work/out" 2>&1
}

says()
{
	grep -qF -- "$1" "$work/out"
}

refused()
{
	! "$@" >"$work/out" 2>&1
}

check "the same seed, the same machines" test "$(list 50 7)" = "$(list 50 7)"
check "boot i is that of seed S + i" test "$(list 20 7 | tail -n 1)" = "$(list 1 26)"
check "machines differ" test "$(list 200 1 | cut -d' ' -f3- | sort -u | wc -l)" -ge 195

# Each of these is drawn now and then.
list 400 1 >"$work/out"
for word in pvh bios-cd bios-disk bios-usb uefi-cd uefi-usb "machine pc" "machine q35" \
	max-ram-below-4g -numa -icount la57=off "cpu qemu64" -acpitable smp.max= stress; do
	check "there are machines with $word" says "$word"
done
check "no machine has fewer CPUs than one" refused grep -q -- "-smp 0" "$work/out"

boots 5 3
check "good boots pass" test $? -eq 0
check "each is booted" test "$(wc -l <"$CALLS")" -eq 5
check "and counted" says "5 random boots passed, 0 failed, seeds 3 to 7"
FAIL_AT="-smp" boots 2 3
check "bad ones fail" test $? -eq 1
check "with the log" says "the kernel's log"
check "and the command that repeats it" says "./quire test --random-boots 1 --seed 4"
check "they are counted" says "0 random boots passed, 2 failed"

export TEST_TOTAL_SHARDS=3 TEST_SHARD_INDEX=1 TEST_SHARD_STATUS_FILE=$work/sharded
boots 7 10
check "a shard boots its part" test "$(wc -l <"$CALLS")" -eq 2
check "and says that it is one" test -e "$work/sharded"
unset TEST_TOTAL_SHARDS TEST_SHARD_INDEX TEST_SHARD_STATUS_FILE

check "no boots are refused" refused "$random_boot" --boots 0 --seed 1
check "a seed below 0 is refused" refused "$random_boot" --boots 1 --seed -1
check "a word is refused" refused "$random_boot" --boots many --seed 1
[ "$failures" -eq 0 ]
