/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restartable stacks on the host machine. Where no hook can do anything, nothing can come between,
 * and plain C is right as it stands. Otherwise restart.c goes step by step: an interrupt changes
 * the CPU's count of interrupts, and the step that commits looks at that first.
 */
#ifndef QUIRE_ARCH_MD_RESTART_H
#define QUIRE_ARCH_MD_RESTART_H

void *host_stack_pop(struct arch_stack *stack);
bool host_stack_push(struct arch_stack *stack, void *item);

static inline bool host_restart_stepwise(void)
{
#ifdef QUIRE_HOST_NO_HOOKS
	return false;
#else
	return unlikely(__atomic_load_n(&host_hooks_armed, __ATOMIC_RELAXED) != 0);
#endif
}

static inline struct arch_stack *host_stack_at(size_t offset)
{
	return (struct arch_stack *)(void *)((char *)arch_percpu() + offset);
}

/* Relaxed, for those that read statistics; no other CPU writes. */
#define HOST_STACK_READ(field)      __atomic_load_n(&(field).value, __ATOMIC_RELAXED)
#define HOST_STACK_WRITE(field, to) __atomic_store_n(&(field).value, to, __ATOMIC_RELAXED)

static inline void *arch_stack_pop(size_t offset)
{
	struct arch_stack *stack = host_stack_at(offset);
	uint32_t count;

	if (host_restart_stepwise())
		return host_stack_pop(stack);
	count = HOST_STACK_READ(stack->count);
	if (count == 0)
		return NULL;
	HOST_STACK_WRITE(stack->count, count - 1);
	HOST_STACK_WRITE(stack->pops, HOST_STACK_READ(stack->pops) + 1);
	return stack->slots[count - 1];
}

static inline bool arch_stack_push(size_t offset, void *item)
{
	struct arch_stack *stack = host_stack_at(offset);
	uint32_t count;

	if (host_restart_stepwise())
		return host_stack_push(stack, item);
	count = HOST_STACK_READ(stack->count);
	if (count >= HOST_STACK_READ(stack->capacity))
		return false;
	stack->slots[count] = item;
	HOST_STACK_WRITE(stack->count, count + 1);
	return true;
}

#endif
