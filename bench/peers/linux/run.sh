#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the cases of bench/cases.h inside Debian's Linux, in QEMU: builds the module, boots the
# kernel with it under the meter, leaves what the kernel and the meter wrote. `run.sh --help`.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)

help="Usage: bench/peers/linux/run.sh [OPTIONS] --out DIR [CASE...]

Runs the cases of bench/cases.h that mean something in Linux (or those named: page.pair, or a
family such as page) in Debian's kernel, fetched before by bench/peers/linux/fetch.sh. Leaves in DIR:
  serial.log   what the kernel printed; the lines that begin with 'bench: ' are the figures
  meter.txt    the counts of the meter, if --plugin is given
  command.txt  the command line of QEMU, and versions

  --quick        fewer samples
  --smp N        CPUs, 1 to 64 (default 1)
  --mode MODE    fast (default): init_on_alloc=0 mitigations=off
                 shipped: as Debian ships it, which zeroes every allocation
  --plugin FILE  QEMU's plugin that counts (bench/meter); without it there are only ticks
  --thread HOW   multi (default): a thread of the host for each CPU, so that they work at once;
                 single: they take turns, each until it waits, so that waiting costs little
  --icount       one tick of the clock is one instruction; for one CPU only
  --mem SIZE     memory of the machine (default 1G)
  --timeout S    seconds until QEMU is stopped (default 1800)
  --cache DIR    where fetch.sh put the kernel (default \$XDG_CACHE_HOME/quire/linux, or
                 ~/.cache/quire/linux)
  --list         print the cases that Linux has, one per line, and do nothing else
  --packages     print the Debian packages that this needs, and do nothing else"

die()
{
	echo "run.sh: $*" >&2
	exit 2
}

# ---- arguments ------------------------------------------------------------------------------

module_sources=("$here"/module/case_*.c)

# NAME of each case of the module, in the order of bench/cases.h.
list_cases()
{
	local ids
	ids=$(sed -nE 's/^[[:space:]]+LINUX_CASE\(([A-Z0-9_]+),.*/\1/p' "${module_sources[@]}")
	sed -nE 's/^\tBENCH_CASE\([0-9]+, ([A-Z0-9_]+), "([a-z0-9_.]+)".*/\1 \2/p' "$root/bench/cases.h" |
		awk -v ids="$ids" 'BEGIN { n = split(ids, a, "\n"); for (i = 1; i <= n; i++) has[a[i]] = 1 }
			$1 in has { print $2 }'
}

# Is $1 a case of Linux, or a family of which Linux has one?
check_case()
{
	[[ $1 =~ ^[a-z0-9_]+(\.[a-z0-9_]+)?$ ]] || die "'$1' is not a name of a case; --list prints them"
	! grep -qE "^${1/./\\.}(\\.|\$)" <<<"$all_cases" || return 0
	! grep -qE "\"${1/./\\.}(\\.[a-z0-9_]+)?\"" "$root/bench/cases.h" ||
		die "case '$1' has no counterpart in Linux; --list prints those that have"
	die "there is no case '$1'; --list prints them"
}

number()
{
	if [[ $2 =~ ^[0-9]{1,6}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		return
	fi
	die "$1 needs a number from $3 to $4, not '$2'"
}

packages=(qemu-system-x86 gcc-12 make python3 binutils libelf1)
quick=0 smp=1 mode=fast thread=multi plugin='' icount=0 mem=1G timeout=1800 out='' cases=()
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/quire/linux
while [ $# -gt 0 ]; do
	case $1 in
	--smp | --mode | --thread | --plugin | --mem | --timeout | --cache | --out)
		[ $# -ge 2 ] || die "$1 needs a value; see --help"
		declare "${1#--}=$2"
		shift 2
		continue
		;;
	--quick) quick=1 ;;
	--icount) icount=1 ;;
	--list)
		list_cases
		exit 0
		;;
	--packages)
		echo "${packages[*]}"
		exit 0
		;;
	-h | --help)
		echo "$help"
		exit 0
		;;
	-*) die "unknown option '$1'; see --help" ;;
	*) cases+=("$1") ;;
	esac
	shift
done

number --smp "$smp" 1 64
number --timeout "$timeout" 1 999999
[[ $mem =~ ^[0-9]+[MG]$ ]] || die "--mem needs a size such as 512M or 2G, not '$mem'"
[ "$icount" = 0 ] || [ "$smp" = 1 ] ||
	die "--icount is for one CPU: with more, Linux never starts the others. Use --plugin"
case $mode in
fast) options="init_on_alloc=0 mitigations=off" ;;
shipped) options="" ;;
*) die "--mode is fast or shipped, not '$mode'" ;;
esac
[ "$thread" = multi ] || [ "$thread" = single ] ||
	die "--thread is multi or single, not '$thread'"
all_cases=$(list_cases)
for name in "${cases[@]}"; do
	check_case "$name"
done
[ -n "$out" ] || die "--out DIR is missing: the folder for the results"
[ -z "$plugin" ] || [ -r "$plugin" ] || die "--plugin: there is no file $plugin"

# ---- what has to be there -------------------------------------------------------------------

# By what each package brings, so that other systems than Debian will do.
is_there()
{
	case $1 in
	qemu-system-x86) command -v qemu-system-x86_64 ;;
	binutils) command -v strip ;;
	libelf1) compgen -G '/lib*/libelf.so.1' || compgen -G '/lib/*/libelf.so.1' ;;
	*) command -v "$1" ;;
	esac >/dev/null 2>&1
}

missing=()
for package in "${packages[@]}"; do
	is_there "$package" || missing+=("$package")
done
[ ${#missing[@]} = 0 ] ||
	die "packages are missing. As root: apt-get install --no-install-recommends ${missing[*]}"
release=$(cat "$cache/release" 2>/dev/null) ||
	die "Debian's kernel is not in $cache. First: bench/peers/linux/fetch.sh --cache $cache"
kernel=$cache/root/boot/vmlinuz-$release
headers=$cache/root/usr/src/linux-headers-$release
if [ ! -r "$kernel" ] || [ ! -d "$headers" ]; then
	die "$cache is not complete. Delete it, then: bench/peers/linux/fetch.sh --cache $cache"
fi

mkdir -p "$out" || die "cannot make the folder $out"
out=$(cd "$out" && pwd)
[[ $out != *[[:space:]]* ]] || die "the kernel's makefiles refuse folders with a space: $out"
rm -f "$out"/{serial.log,meter.txt,command.txt}

# ---- build ----------------------------------------------------------------------------------

# Kbuild writes beside its sources, so it gets copies, at the same places from the root.
build=$out/build
module=bench/peers/linux/module
mkdir -p "$build"/bench/{kernel,meter} "$build/$module/compat/lib"
cp "$root/bench/cases.h" "$build/bench/"
cp "$root"/bench/kernel/{random,stats}.[ch] "$build/bench/kernel/"
cp "$root"/bench/meter/marker.[hS] "$build/bench/meter/"
cp "$here"/module/*.[ch] "$build/$module/"
cp "$here"/module/compat/lib/*.h "$build/$module/compat/lib/"
cp "$here/module/Kbuild" "$build/"

quietly()
{
	"$@" >"$out/build.log" 2>&1 || {
		tail -n 30 "$out/build.log" >&2
		die "this failed: $*"
	}
}

quietly make -C "$headers" M="$build" modules
quietly strip --strip-debug -o "$build/bench.ko" "$build/quire_bench.ko"
quietly gcc-12 -std=gnu17 -D_GNU_SOURCE -Os -static -Wall -Wextra -Werror \
	-o "$build/init" "$here/init.c"
quietly "$here/mkinitramfs.py" "$build/initramfs" "init=$build/init" "bench.ko=$build/bench.ko"

# ---- run ------------------------------------------------------------------------------------

parameters="quick=$quick"
[ ${#cases[@]} = 0 ] || parameters+=" cases=$(IFS=,; echo "${cases[*]}")"
# lpj: or each CPU that starts calibrates a delay loop, which real ones need not do, and which takes
# seconds where the host is busy. The watchdogs would take a slow host for a fault.
append="console=ttyS0 printk.time=0 panic=-1 lpj=10000000 nowatchdog"
append+=" rcupdate.rcu_cpu_stall_suppress=1 ${options:+$options }-- $parameters"

command=(qemu-system-x86_64 -machine q35 -cpu max -smp "$smp" -m "$mem" -seed 1
	-kernel "$kernel" -initrd "$build/initramfs" -append "$append"
	-display none -monitor none -serial "file:$out/serial.log" -no-reboot -nodefaults -net none)
if [ "$icount" = 1 ]; then
	command+=(-accel tcg -icount "shift=0,sleep=off" -rtc "base=2024-01-01,clock=vm")
else
	command+=(-accel "tcg,thread=$thread")
fi
[ -z "$plugin" ] || command+=(-plugin "$(readlink -f "$plugin"),out=$out/meter.txt")

{
	printf '%q ' "${command[@]}"
	echo
	echo "linux $release $(cat "$cache/version")"
	qemu-system-x86_64 --version | head -n 1
	gcc-12 --version | head -n 1
} >"$out/command.txt"

# Should this script be killed, the machine goes with it.
status=0
setpriv --pdeathsig TERM timeout --foreground "$timeout" "${command[@]}" \
	>"$out/qemu.log" 2>&1 </dev/null || status=$?
touch "$out/serial.log"
sed -i 's/\r$//' "$out/serial.log"

fail()
{
	grep -hE '^bench: (error|FAIL)' "$out/serial.log" >&2 || tail -n 15 "$out/serial.log" "$out/qemu.log" >&2
	echo "run.sh: $*; see $out/serial.log" >&2
	exit 1
}

[ "$status" != 124 ] || fail "the run took longer than $timeout s (--timeout)"
[ "$status" = 0 ] || fail "QEMU ended with status $status"
! grep -qE '^bench: (error|FAIL)' "$out/serial.log" || fail "the benchmark reported an error"
grep -q '^bench: done cases=' "$out/serial.log" || fail "the benchmark did not come to its end"
[ -z "$plugin" ] || [ -s "$out/meter.txt" ] || fail "the meter wrote nothing to $out/meter.txt"
grep '^bench: ' "$out/serial.log"
