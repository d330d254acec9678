#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The checker itself: plants one violation at a time in a small clean tree and expects it named.
set -euo pipefail
checker=$(readlink -f "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fresh_tree()
{
	rm -rf "$work/tree"
	mkdir -p "$work"/tree/{lib,arch/include/arch,arch/x86_64,arch/host,smp,kernel/{sched,registry},vm,tests}
	cd "$work/tree"
	printf '#include <stdint.h>\n' >lib/types.h
	printf '#include "lib/types.h"\n#include "arch/md/cpu.h"\n' >arch/include/arch/cpu.h
	printf '#include "lib/types.h"\n#include "arch/cpu.h"\n' >arch/x86_64/trap.c
	printf '#include <pthread.h>\n#include "arch/host/machine.h"\n' >arch/host/machine.c
	printf '#include "lib/types.h"\n' >arch/host/machine.h
	printf '#include "arch/cpu.h"\n/* asm("x") in __x86_64__ prose */\n' >smp/spinlock.h
	printf '#include "smp/spinlock.h"\n#include "bsd/sys/queue.h"\n' >kernel/sched/thread.h
	printf '#include "kernel/sched/thread.h"\n' >kernel/registry/event.h
	printf '#include "kernel/registry/event.h"\n#include "vm/map_private.h"\n' >vm/map.c
	printf '#ifdef __cplusplus\n#endif\nconst char *s = "asm";\n' >vm/map.h
	: >vm/map_private.h
	printf '#include "vm/map.h"\n#include "arch/cpu.h"\n' >kernel/main.c
}

verdict() # NAME CONDITION-STATUS
{
	if [ "$2" -eq 0 ]; then
		echo "ok      $1"
	else
		echo "FAILED  $1"
		failures=$((failures + 1))
	fi
}

accepts() # NAME
{
	local status=0
	"$checker" "$work/tree" >"$work/out" || status=$?
	[ "$status" -eq 0 ] || cat "$work/out"
	verdict "$1" "$status"
}

refuses() # FILE LINE
{
	local status=0 where
	fresh_tree
	printf '%b\n' "$2" >>"$1"
	where="$1:$(wc -l <"$1"):"
	"$checker" "$work/tree" >"$work/out" && status=1
	grep -qF "$where" "$work/out" || status=1
	[ "$(grep -c ': ' "$work/out")" -eq 1 ] || status=1
	[ "$status" -eq 0 ] || cat "$work/out"
	verdict "refuses in $1: $2" "$status"
}

fresh_tree
accepts "a clean tree"

# Upwards, one step and more.
refuses lib/types.h '#include "arch/cpu.h"'
refuses lib/types.h '#include "vm/map.h"'
refuses arch/include/arch/cpu.h '#include "smp/spinlock.h"'
refuses smp/spinlock.h '#include "kernel/sched/thread.h"'
refuses kernel/sched/thread.h '#include "vm/map.h"'
refuses kernel/sched/thread.h '#include "kernel/registry/event.h"'
refuses kernel/registry/event.h '#include "vm/map.h"'
refuses kernel/registry/event.h '#include "kernel/log.h"'
refuses vm/map.c '#include "kernel/log.h"'
refuses arch/x86_64/trap.c '#include "smp/spinlock.h"'
refuses arch/host/machine.c '#include "vm/map.h"'

# The backends are nobody's but their own.
refuses kernel/main.c '#include "arch/x86_64/apic.h"'
refuses vm/map.c '#include "arch/host/machine.h"'
refuses arch/x86_64/trap.c '#include "arch/host/machine.h"'
refuses arch/host/machine.c '#include "arch/x86_64/apic.h"'
refuses vm/map.c '#include "arch/md/cpu.h"'

# Names.
refuses kernel/main.c '#include "vm/map_private.h"'
refuses kernel/main.c '#include "vm/page_internal.h"'
refuses kernel/main.c '#include "tests/helper.h"'
refuses kernel/main.c '#include "main.h"'
refuses vm/map.c '#include "../smp/spinlock.h"'
refuses vm/map.c '#include "linux/list.h"'
refuses vm/map.c '  #  include <stdio.h>'
refuses vm/map.c '#include HEADER'

# Portable code.
refuses vm/map.c '#ifdef __x86_64__'
refuses smp/spinlock.h '#if defined(__aarch64__) && 1'
refuses kernel/sched/thread.h '#ifndef QUIRE_HOST'
refuses kernel/registry/event.h '#ifdef __linux__'
refuses vm/map.c '#if 1 && \\\\\n    defined(__i386__)'
refuses vm/map.c 'static void f(void) { __asm__ volatile("hlt"); }'
refuses vm/map.c '/* why */ asm("pause");'
refuses smp/spinlock.h 'int x = __atomic_load_n(&y, 0);'

fresh_tree
rm -rf lib arch smp kernel vm
status=0
"$checker" "$work/tree" >/dev/null 2>&1 && status=1
verdict "an empty tree is an error" "$status"

[ "$failures" -eq 0 ]
