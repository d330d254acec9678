#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: run_test.sh RUN_SH
# What run.sh and fetch.sh do without Debian's kernel: arguments, the list of cases, the archive,
# and the verdict on a run. Stand-ins for QEMU, make and the compiler leave what the real ones
# would; a real run is for people to start.
set -euo pipefail
run=$(readlink -f "$1")
here=$(dirname "$run")
root=$(cd "$here/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
path=$PATH

failed()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

expect() # STATUS PATTERN COMMAND...
{
	local status=0 wanted=$1 pattern=$2 output
	shift 2

	output=$(PATH="$path" "$@" 2>&1) || status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -qE -- "$pattern" <<<"$output"; then
		failed "${*}: status $status, not $wanted with '$pattern'. It said:"
		echo "$output"
	fi
}

# ---- arguments ----

for script in run.sh fetch.sh; do
	expect 0 '^$' bash -n "$here/$script"
	expect 0 '^Usage: bench/peers/linux/' "$here/$script" --help
	expect 2 "unknown (option|argument) '--no-such'" "$here/$script" --no-such
	expect 2 '--cache needs' "$here/$script" --cache
done
expect 0 '^qemu-system-x86 gcc-12 ' "$run" --packages
expect 2 '--out DIR is missing' "$run" page.pair
expect 2 '--out needs a value' "$run" --out
for smp in 0 65 -1 '' x 1x 99999999; do
	expect 2 '--smp needs a number from 1 to 64' "$run" --smp "$smp" --out "$folder/out"
done
expect 2 "--mode is fast or shipped, not 'slow'" "$run" --mode slow --out "$folder/out"
expect 2 "--thread is multi or single, not 'one'" "$run" --thread one --out "$folder/out"
expect 2 "--mem needs a size .* not 'much'" "$run" --mem much --out "$folder/out"
expect 2 '--timeout needs a number' "$run" --timeout 0 --out "$folder/out"
expect 2 '--icount is for one CPU' "$run" --icount --smp 2 --out "$folder/out"
expect 2 'there is no file .*/none.so' "$run" --plugin "$folder/none.so" --out "$folder/out"
expect 2 "there is no case 'page.none'" "$run" --out "$folder/out" page.none
expect 2 "there is no case 'pag'" "$run" --out "$folder/out" pag
expect 2 "'page.\*' is not a name" "$run" --out "$folder/out" 'page.*'
expect 2 "'kmem.uncached1' has no counterpart in Linux" "$run" --out "$folder/out" kmem.uncached1
[ ! -e "$folder/out" ] || failed "a refused command made its folder"

# ---- cases: those of the module are those of bench/cases.h, each once ----

ids=$(sed -nE 's/^[[:space:]]+LINUX_CASE\(([A-Z0-9_]+),.*/\1/p' "$here"/module/case_*.c)
[ -n "$ids" ] || failed "the module has no cases"
while read -r id; do
	grep -qE "^[[:space:]]BENCH_CASE\([0-9]+, $id, " "$root/bench/cases.h" ||
		failed "the module's case $id is not in bench/cases.h"
done <<<"$ids"
twice=$(sort <<<"$ids" | uniq -d)
[ -z "$twice" ] || failed "the module has these cases twice: $twice"
[ "$("$run" --list | wc -l)" -eq "$(wc -l <<<"$ids")" ] || failed "--list does not print them all"
expect 0 '^page\.pair$' "$run" --list
# Every table of cases is run.
while read -r table; do
	grep -qE "\b$table\b" "$here/module/main.c" || failed "main.c does not run $table"
done < <(sed -nE 's/^const struct bench_case ([a-z_]+)\[\].*/\1/p' "$here"/module/case_*.c)

# ---- the archive: what Linux unpacks is what was given, the same every time ----

printf 'first' >"$folder/a"
head -c 1001 /dev/zero >"$folder/b"
for copy in 1 2; do
	"$here/mkinitramfs.py" "$folder/archive$copy" "init=$folder/a" "bench.ko=$folder/b"
done
cmp "$folder/archive1" "$folder/archive2" || failed "two archives of the same files differ"
python3 - "$folder/archive1" <<'END' || failed "the archive is not what it should be"
import sys

data = open(sys.argv[1], "rb").read()
members, at = [], 0
while not members or members[-1][0] != "TRAILER!!!":
    assert data[at:at + 6] == b"070701", at
    field = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
    name_at, size, name_size = at + 110, field[6], field[11]
    data_at = (name_at + name_size + 3) & ~3
    assert data[name_at + name_size - 1] == 0
    name = data[name_at:name_at + name_size - 1].decode()
    members.append((name, field[1], field[2], data[data_at:data_at + size]))
    at = (data_at + size + 3) & ~3
assert at == len(data), (at, len(data))
assert members == [("init", 0o100755, 0, b"first"), ("bench.ko", 0o100755, 0, bytes(1001)),
                   ("TRAILER!!!", 0, 0, b"")], members
END
expect 1 'cannot read .*/none' "$here/mkinitramfs.py" "$folder/x" "init=$folder/none"
expect 1 'usage: ' "$here/mkinitramfs.py" "$folder/x"

# ---- what has to be there ----

mkdir "$folder/basic" "$folder/bin"
for command in bash awk cat cp dirname grep head mkdir readlink rm sed tail; do
	ln -s "$(command -v "$command")" "$folder/basic/$command"
done
path=$folder/basic
expect 2 'apt-get install --no-install-recommends qemu-system-x86 gcc-12 make python3 binutils' \
	"$run" --out "$folder/out"
expect 2 'there is no apt-get here' "$here/fetch.sh" --cache "$folder/cache"

# ---- a run, with stand-ins: QEMU writes what $folder/console holds, and ends as it says ----

stand_in() # NAME, script on standard input
{
	{ echo '#!/bin/bash'; cat; } >"$folder/bin/$1"
	chmod +x "$folder/bin/$1"
}

# shellcheck disable=SC2016 # these are the stand-ins' own variables
{
	stand_in make <<<'for a in "$@"; do [[ $a != M=* ]] || echo module >"${a#M=}/quire_bench.ko"; done'
	stand_in strip <<<'while [ $# -gt 2 ]; do shift; [ "$1" != -o ] || cp "$3" "$2"; done'
	stand_in gcc-12 <<<'while [ $# -gt 2 ]; do shift; [ "$1" != -o ] || cp "$3" "$2"; done'
}
stand_in qemu-system-x86_64 <<END
[ "\$1" != --version ] || exit 0
printf '%s\n' "\$@" >"$folder/arguments"
for a in "\$@"; do
	[[ \$a != file:* ]] || cp "$folder/console" "\${a#file:}"
	[[ \$a != */meter.so,out=* ]] || cp "$folder/counts" "\${a#*,out=}"
done
status=\$(cat "$folder/status")
[ "\$status" != slow ] || exec sleep 20
exit "\$status"
END
path=$folder/bin:$PATH
touch "$folder/meter.so"

expect 2 "Debian's kernel is not in .*First: bench/peers/linux/fetch.sh --cache $folder/cache" \
	"$run" --cache "$folder/cache" --out "$folder/out"
mkdir "$folder/cache"
echo 6.1.0-1-test >"$folder/cache/release"
echo 6.1.1 >"$folder/cache/version"
expect 2 'is not complete. Delete it' "$run" --cache "$folder/cache" --out "$folder/out"
mkdir -p "$folder/cache/root/usr/src/linux-headers-6.1.0-1-test" "$folder/cache/root/boot"
touch "$folder/cache/root/boot/vmlinuz-6.1.0-1-test"

ends_with() # STATUS OF RUN.SH, PATTERN, CONSOLE, STATUS OF QEMU, OPTIONS...
{
	local wanted=$1 pattern=$2
	printf '%b' "$3" >"$folder/console"
	echo "$4" >"$folder/status"
	shift 4
	expect "$wanted" "$pattern" "$run" --cache "$folder/cache" --out "$folder/out" "$@"
}

good='Linux\r\nbench: start cpus=1\r\nbench: case=1 name=page.pair\r\nbench: done cases=1\r\n'
echo 'meter: counts' >"$folder/counts"
ends_with 0 '^bench: case=1 name=page.pair$' "$good" 0 page.pair zone
grep -qx 'console=ttyS0 .* init_on_alloc=0 mitigations=off -- quick=0 cases=page.pair,zone' \
	"$folder/arguments" || failed "the kernel's command line is $(grep ttyS0 "$folder/arguments")"
grep -q 'linux 6.1.0-1-test 6.1.1' "$folder/out/command.txt" || failed "no version in command.txt"
ends_with 0 '^bench: done' "$good" 0 --mode shipped --quick --plugin "$folder/meter.so"
grep -qx 'console=ttyS0 .*stall_suppress=1 -- quick=1' "$folder/arguments" ||
	failed "the kernel's command line is $(grep ttyS0 "$folder/arguments")"
cmp "$folder/counts" "$folder/out/meter.txt" || failed "meter.txt is not the plugin's"
: >"$folder/counts"
ends_with 1 'the meter wrote nothing' "$good" 0 --plugin "$folder/meter.so"
ends_with 1 'did not come to its end' 'Linux\r\nKernel panic\r\n' 0
ends_with 1 'bench: FAIL case=1' 'bench: FAIL case=1\r\nbench: done cases=1\r\n' 0
ends_with 1 'bench: error: init: load' 'bench: error: init: load /bench.ko\r\n' 0
ends_with 1 'QEMU ended with status 7' "$good" 7
ends_with 1 'longer than 1 s' "$good" slow --timeout 1

[ "$failures" -eq 0 ] || exit 1
echo "run.sh does what it should"
