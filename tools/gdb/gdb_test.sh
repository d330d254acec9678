#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: gdb_test.sh WORKSPACE_LINK QUIRE_PY RUN_QEMU KERNEL
# The helpers of gdb against a kernel that waits for its first key. Without gdb on this machine only
# their syntax is checked, and that is said.
set -uo pipefail
root=$(dirname "$(readlink -f "$1")")
helpers=$root/$2 run_qemu=$(readlink -f "$3") kernel=$(readlink -f "$4")
work=$(mktemp -d)
qemu=""
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$work"' EXIT
failures=0

python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$helpers" || exit 1
if ! command -v gdb >/dev/null; then
	echo "gdb is not installed: the helpers' syntax is right, what they print was not looked at"
	exit 0
fi

# A socket in a folder of our own cannot meet another test's.
"$run_qemu" --image "$kernel" --boot pvh --serial "$work/serial" --batch --raw-status -- \
	-smp 2 -m 64M -S -chardev "socket,id=gdb,path=$work/gdb,server=on,wait=off" -gdb chardev:gdb \
	>"$work/qemu" 2>&1 &
qemu=$!
for ((i = 0; i < 300; i++)); do
	[ -S "$work/gdb" ] && break
	kill -0 "$qemu" 2>/dev/null || { cat "$work/qemu"; exit 1; }
	sleep 0.1
done

timeout 100 gdb -nx -batch -x "$helpers" -ex "target remote $work/gdb" \
	-ex 'hbreak console_getchar' -ex continue -ex quire-cpus -ex quire-maps \
	-ex 'quire-entry kernel_map->min_offset' -ex 'quire-entry 4096' -ex quire-pages \
	-ex 'quire-page 0x2000000' -ex 'quire-page 0xfffff000000' -ex 'quire-page' -ex quire-zones \
	-ex quire-threads -ex quire-log "$kernel" >"$work/out" 2>&1 </dev/null

says() # REGEX
{
	grep -qE -- "$1" "$work/out" && return
	echo "FAILED: gdb's output lacks /$1/"
	failures=$((failures + 1))
}

says '^cpu +0  thread "boot"  in: thread'
says '^cpu +1  thread "idle"'
says '^kernel_map: fffffe0000000000-[0-9a-f]+, [1-9][0-9]* entries'
says '^  [0-9a-f]{16}-[0-9a-f]{16} .*submap kmem_map'
says '^  kmem_map: [0-9a-f]{16}-[0-9a-f]{16}, [0-9]+ entries'
says '^0x1000 is in no entry of kernel_map'
says 'max_protection = '
says '^segment 0: [0-9a-f]{16}-[0-9a-f]{16} .*domain 0'
says '^domain 0: [1-9][0-9]* of [1-9][0-9]* pages free'
says '^ +[1-9][0-9]* blocks of [0-9]+ KiB'
says '^page 0x2000000: free, domain 0, wired 0'
says '^0xfffff000000 is no usable memory'
says 'usage: quire-page ADDRESS'
says '^malloc 4096 +4096 bytes'
says '^cpu +0  page daemon +sleeping +.'
says 'smp: 2 of 2 CPUs online'
if grep -qE 'Python Exception|No symbol' "$work/out"; then
	echo "FAILED: a helper does not fit the kernel"
	failures=$((failures + 1))
fi
[ "$failures" -eq 0 ] || cat "$work/out" "$work/qemu"
[ "$failures" -eq 0 ]
