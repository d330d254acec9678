/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/host/flow.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/host/internal.h"
#include "arch/host/switch.h"

enum { FLOW_STACK_DEFAULT = 256 * 1024 };

/* The sanitizers' runtimes; absent from an ordinary test program. */
#define WEAK __attribute__((weak))
WEAK void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
WEAK void __sanitizer_finish_switch_fiber(void *saved, const void **bottom, size_t *size);
WEAK void __asan_unpoison_memory_region(const volatile void *addr, size_t size);
WEAK void *__tsan_get_current_fiber(void);
WEAK void *__tsan_create_fiber(unsigned flags);
WEAK void __tsan_destroy_fiber(void *fiber);
WEAK void __tsan_switch_to_fiber(void *fiber, unsigned flags);
WEAK void __tsan_acquire(void *addr);
WEAK void __tsan_release(void *addr);

enum { TSAN_NO_SYNC = 1 };

/* switch.S, and what it calls. */
void host_switch(void **save_sp, void *load_sp);
extern const char host_switch_start[];
QUIRE_NORETURN void host_flow_first(void);

static struct host_flow *flows;
static struct host_latch flows_latch;

void host_order_release(void *what)
{
	if (__tsan_release != NULL)
		__tsan_release(what);
}

void host_order_acquire(void *what)
{
	if (__tsan_acquire != NULL)
		__tsan_acquire(what);
}

static void fiber_destroy(struct host_flow *flow)
{
	if (flow->tsan_owned)
		__tsan_destroy_fiber(flow->tsan_fiber);
	flow->tsan_owned = false;
}

static void fiber_create(struct host_flow *flow)
{
	if (__tsan_create_fiber == NULL)
		return;
	flow->tsan_fiber = __tsan_create_fiber(0);
	flow->tsan_owned = true;
}

static void flow_link(struct host_flow *flow)
{
	host_latch_take(&flows_latch);
	flow->next = flows;
	flows = flow;
	host_latch_drop(&flows_latch);
}

/* The flow that was made on this stack before; whatever it was, it has ended. */
static struct host_flow *flow_find(const void *key)
{
	struct host_flow *flow;

	host_latch_take(&flows_latch);
	for (flow = flows; flow != NULL && (key == NULL || flow->key != key); flow = flow->next)
		;
	host_latch_drop(&flows_latch);
	return flow;
}

static void stack_map(struct host_flow *flow, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	size = (size + page - 1) / page * page;
	flow->mapping_size = size + page;
	flow->mapping = mmap(NULL, flow->mapping_size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (flow->mapping == MAP_FAILED || mprotect(flow->mapping, page, PROT_NONE) != 0)
		panic("host machine: no memory for a stack of %zu bytes", size);
	flow->stack = (char *)flow->mapping + page;
	flow->stack_size = size;
}

/*
 * Functions that never return leave the address sanitizer's marks on their stack, which would be
 * false alarms for whoever owns the memory next: under it the caller's stack stays unused.
 */
static void stack_choose(struct host_flow *flow, void *stack, size_t size)
{
	bool asan = __asan_unpoison_memory_region != NULL;

	if (stack != NULL && size >= HOST_STACK_MIN && !asan) {
		flow->stack = stack;
		flow->stack_size = size;
	} else if (flow->mapping == NULL) {
		stack_map(flow, size > FLOW_STACK_DEFAULT ? size : FLOW_STACK_DEFAULT);
	}
	if (asan)
		__asan_unpoison_memory_region(flow->stack, flow->stack_size);
}

/*
 * What host_switch() takes from a fresh stack: registers, all zero, and where to go. The zeroes
 * above end every backtrace; HOST_SWITCH_WORDS keeps the stack 16-byte aligned.
 */
static void *stack_prepare(const struct host_flow *flow)
{
	uintptr_t top = ((uintptr_t)flow->stack + flow->stack_size) & ~(uintptr_t)15;
	uintptr_t *frame = (uintptr_t *)top - HOST_SWITCH_WORDS;

	for (unsigned i = 0; i < HOST_SWITCH_WORDS; i++)
		frame[i] = 0;
	frame[HOST_SWITCH_PC] = (uintptr_t)host_switch_start;
	return frame;
}

struct host_flow *host_flow_create(void *stack, size_t size, void (*entry)(void *arg), void *arg)
{
	struct host_flow *flow = flow_find(stack);

	if (flow == NULL) {
		flow = calloc(1, sizeof(*flow));
		if (flow == NULL)
			panic("host machine: no memory for a flow");
		flow->key = stack;
		flow_link(flow);
	}
	fiber_destroy(flow);
	fiber_create(flow);
	stack_choose(flow, stack, size);
	flow->entry = entry;
	flow->arg = arg;
	flow->suspended = true;
	flow->sp = stack_prepare(flow);
	return flow;
}

struct host_flow *host_flow_adopt(void)
{
	struct host_flow *flow = calloc(1, sizeof(*flow));
	pthread_attr_t attr;
	void *stack;

	if (flow == NULL || pthread_getattr_np(pthread_self(), &attr) != 0)
		panic("host machine: the stack of this thread is not known");
	pthread_attr_getstack(&attr, &stack, &flow->stack_size);
	pthread_attr_destroy(&attr);
	flow->stack = stack;
	flow->key = stack;
	if (__tsan_get_current_fiber != NULL)
		flow->tsan_fiber = __tsan_get_current_fiber();
	flow_link(flow);
	return flow;
}

/* The flow that runs on this host thread, for one that starts. */
static __thread struct host_flow *flow_entered;

void host_flow_first(void)
{
	struct host_flow *flow = flow_entered;

	if (__sanitizer_finish_switch_fiber != NULL)
		__sanitizer_finish_switch_fiber(flow->asan_stack, NULL, NULL);
	flow->entry(flow->arg);
	panic("host machine: the first function of a context returned");
}

void host_flow_switch(struct host_flow *from, struct host_flow *to, bool ordered)
{
	if (from == to)
		return;
	if (!to->suspended)
		panic("host machine: switch to a flow that is running elsewhere");
	from->suspended = true;
	to->suspended = false;
	flow_entered = to;
	if (__tsan_switch_to_fiber != NULL)
		__tsan_switch_to_fiber(to->tsan_fiber, ordered ? 0 : TSAN_NO_SYNC);
	if (__sanitizer_start_switch_fiber != NULL)
		__sanitizer_start_switch_fiber(&from->asan_stack, to->stack, to->stack_size);
	host_switch(&from->sp, to->sp);
	if (__sanitizer_finish_switch_fiber != NULL)
		__sanitizer_finish_switch_fiber(from->asan_stack, NULL, NULL);
}

/*
 * Orders all that any flow did before what the caller does next: the memory which flows left
 * behind is freed here, and none of them is there to hand it over.
 */
static void flows_order_before(void *self)
{
	if (__tsan_switch_to_fiber == NULL)
		return;
	for (struct host_flow *flow = flows; flow != NULL; flow = flow->next) {
		if (!flow->tsan_owned)
			continue;
		__tsan_switch_to_fiber(flow->tsan_fiber, 0);
		__tsan_switch_to_fiber(self, 0);
	}
}

void host_flows_destroy(void)
{
	if (__tsan_get_current_fiber != NULL)
		flows_order_before(__tsan_get_current_fiber());
	while (flows != NULL) {
		struct host_flow *flow = flows;

		flows = flow->next;
		fiber_destroy(flow);
		if (flow->mapping != NULL) {
			if (__asan_unpoison_memory_region != NULL)
				__asan_unpoison_memory_region(flow->stack, flow->stack_size);
			munmap(flow->mapping, flow->mapping_size);
		}
		free(flow);
	}
}
