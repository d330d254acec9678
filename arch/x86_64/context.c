/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/cpu.h"
#include "lib/check.h"

void context_switch(void **save_sp, void *load_sp);
void context_begin(void);

/* What context_switch() pops, lowest address first. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t return_address;
};

void arch_context_init(struct arch_context *ctx, void *stack_base, size_t stack_size,
		       void (*entry)(void *arg), void *arg)
{
	/* 16-byte aligned at context_begin, so that its call leaves what the ABI wants. */
	uintptr_t top = ((uintptr_t)stack_base + stack_size) & ~(uintptr_t)15;
	struct switch_frame *frame = (struct switch_frame *)top - 1;

	CHECK_LT(sizeof(*frame), stack_size);
	*frame = (struct switch_frame){
	    .rbx = (uint64_t)entry,
	    .r12 = (uint64_t)arg,
	    .return_address = (uint64_t)context_begin,
	};
	ctx->sp = frame;
	ctx->stack_base = stack_base;
	ctx->stack_size = stack_size;
	ctx->backend = NULL;
}

/* The first switch away from it saves the rest. */
void arch_context_adopt(struct arch_context *ctx)
{
	*ctx = (struct arch_context){0};
}

void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
	context_switch(&from->sp, to->sp);
}
