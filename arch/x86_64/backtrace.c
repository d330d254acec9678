/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backtraces by frame pointers. The stack may be the very thing that is broken, so every word is
 * looked up in the page tables before it is read: a stack is RAM, mapped writable and never
 * executable, and a return address lies in the image's code.
 */
#include "arch/system.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/paging.h"
#include "lib/bits.h"

struct frame {
	const struct frame *caller;
	uintptr_t return_address;
};

static bool is_code(uintptr_t pc)
{
	return pc >= (uintptr_t)image_text_start && pc < (uintptr_t)image_rodata_start;
}

/* A frame is two words at an even place, so it never spans two pages. */
static bool is_frame(const struct frame *frame)
{
	vm_offset_t va = (vm_offset_t)frame;
	unsigned level;
	pte_t pte;

	if (va < PHYSMAP_BASE || !is_aligned(va, sizeof(uint64_t)) ||
	    trunc_page(va) != trunc_page(va + sizeof(*frame) - 1))
		return false;
	pte = paging_lookup(va, &level);
	return (pte & (PTE_PRESENT | PTE_WRITE | PTE_NX)) == (PTE_PRESENT | PTE_WRITE | PTE_NX) &&
	       (pte & (PTE_PWT | PTE_PCD)) == 0;
}

/*
 * Callers stand higher on a stack, except where an exception changed stacks; a cycle ends at
 * `max`. One address outside the code is passed over: that of an exception after a wild jump.
 */
void arch_backtrace(unsigned max, void (*emit)(void *ctx, uintptr_t pc), void *ctx)
{
	const struct frame *frame = __builtin_frame_address(0);
	unsigned strangers = 0;

	for (unsigned i = 0; i < max && is_frame(frame); i++) {
		if (is_code(frame->return_address))
			emit(ctx, frame->return_address);
		else if (++strangers > 1)
			return;
		frame = frame->caller;
	}
}
