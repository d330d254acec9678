/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own threads: contexts of the contract, each standing for a flow. */
#include "arch/host/internal.h"

void arch_context_init(struct arch_context *ctx, void *stack_base, size_t stack_size,
		       void (*entry)(void *arg), void *arg)
{
	struct host_flow *flow = host_flow_create(stack_base, stack_size, entry, arg);

	ctx->sp = flow->sp;
	ctx->stack_base = stack_base;
	ctx->stack_size = stack_size;
	ctx->backend = flow;
}

void arch_context_adopt(struct arch_context *ctx)
{
	struct host_flow *flow = host_self()->flow;

	ctx->sp = NULL;
	ctx->stack_base = flow->stack;
	ctx->stack_size = flow->stack_size;
	ctx->backend = flow;
}

void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
	struct host_cpu *self = host_self();
	struct host_flow *next = to->backend;

	CHECK(!self->core.irq_enabled);
	CHECK(from->backend == self->flow);
	host_not_quiet();
	self->flow = next;
	host_flow_switch(from->backend, next, true);
}
