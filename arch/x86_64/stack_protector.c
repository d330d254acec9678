/* SPDX-License-Identifier: BSD-2-Clause */
/* What -fstack-protector calls: the guard value, and the end of a function that lost it. */
#include "arch/x86_64/stack_protector.h"

#include "arch/cpu.h"
#include "arch/x86_64/regs.h"
#include "lib/panic.h"

/* The names are the compiler's. */
extern uintptr_t __stack_chk_guard;
QUIRE_NORETURN void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = UINT64_C(0x9d3f5a7c1be62800);

/* RDRAND may fail now and then (Intel SDM vol. 1 7.3.17: try ten times). */
static bool random_word(uint64_t *value)
{
	bool done = false;

	if (!(cpuid(1, 0).ecx >> 30 & 1))
		return false;
	for (unsigned i = 0; i < 10 && !done; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(done));
	return done;
}

/* The lowest byte is 0, so that no string that overflows can contain the value. */
__attribute__((optimize("no-stack-protector"))) void stack_protector_seed(void)
{
	uint64_t random = 0;

	if (!random_word(&random))
		random = arch_cycles() * UINT64_C(0x9e3779b97f4a7c15);
	__stack_chk_guard = (__stack_chk_guard ^ random) & ~(uintptr_t)0xff;
}

void __stack_chk_fail(void)
{
	panic("stack buffer overrun: the guard value in a frame was overwritten; return address %p",
	      __builtin_return_address(0));
}
