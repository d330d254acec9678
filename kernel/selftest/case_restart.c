/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restartable sequences: interrupted at each of their instructions, and by a storm, they lose
 * nothing and hand nothing out twice; and without sending back, the same test finds that they do.
 */
#include "arch/restart.h"
#include "kernel/selftest/selftest.h"
#include "lib/string.h"
#include "smp/call.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "vm/vm_audit.h"
#include "vm/vm_page.h"

/* A stack of this CPU: a line for it, and one for its slots. The items are numbers from 1 on. */
enum { LINES = 2, SLOTS = CACHE_LINE / sizeof(void *), ITEMS = 4 };

static uint32_t offset; /* set before the case sends work to others */

static struct arch_stack *stack_self(void)
{
	return (struct arch_stack *)percpu_at(offset);
}

/* Two functions of ordinary code, so two sequences of the table. */
static __attribute__((noinline)) uintptr_t item_pop(void)
{
	return (uintptr_t)arch_stack_pop(offset);
}

static __attribute__((noinline)) bool item_push(uintptr_t item)
{
	return arch_stack_push(offset, (void *)item);
}

static void stack_fill(void)
{
	struct arch_stack *stack = stack_self();
	bool irq_was_enabled = arch_irq_save();

	memset(stack, 0, (size_t)LINES * CACHE_LINE);
	stack->slots = (void **)(void *)(stack + CACHE_LINE / sizeof(*stack));
	for (uintptr_t i = 0; i < ITEMS; i++)
		stack->slots[i] = (void *)(i + 1);
	atomic32_store(&stack->count, ITEMS, MO_RELAXED);
	atomic32_store(&stack->capacity, SLOTS, MO_RELAXED);
	arch_irq_restore(irq_was_enabled);
}

/* A bit for each item in `seen`; false when one comes the second time. */
static bool note(uint32_t *seen, uintptr_t item)
{
	if (item < 1 || item > ITEMS || (*seen & 1u << item) != 0)
		return false;
	*seen |= 1u << item;
	return true;
}

static bool stack_has_all(uint32_t seen)
{
	uintptr_t item;

	while ((item = item_pop()) != 0)
		if (!note(&seen, item))
			return false;
	return seen == (1u << (ITEMS + 1)) - 2;
}

/* --- At every instruction --- */

static struct {
	unsigned hits;
	uintptr_t kept; /* by the interrupt, 0: it gave back what it took */
	bool keeps;
	vm_page_t page;
} probe;

static void probe_stack(void *unused)
{
	uintptr_t first = item_pop(), second = item_pop();

	(void)unused;
	probe.hits++;
	if (second != 0)
		(void)item_push(second);
	if (probe.keeps)
		probe.kept = first;
	else if (first != 0)
		(void)item_push(first);
}

/* One item is taken and given back, with an interrupt on the way. */
static bool stack_round(unsigned sequence, unsigned place, bool keeps)
{
	uint32_t seen = 0;
	uintptr_t item;

	stack_fill();
	probe.kept = 0;
	probe.keeps = keeps;
	arch_sequence_probe(sequence, place, probe_stack, NULL);
	item = item_pop();
	if (item != 0 && !item_push(item))
		return false;
	arch_sequence_probe_end();
	if (probe.kept != 0 && !note(&seen, probe.kept))
		return false;
	return stack_has_all(seen);
}

/* Rounds at every place of every sequence; returns how many went wrong. */
static unsigned stack_rounds(bool keeps)
{
	unsigned wrong = 0;

	for (unsigned s = 0; s < arch_sequence_count(); s++)
		for (unsigned place = 0; place < arch_sequence_places(s); place++)
			wrong += !stack_round(s, place, keeps);
	return wrong;
}

static bool stack_begin(void)
{
	offset = percpu_lines_alloc(LINES);
	if (offset == 0)
		selftest_fail("no lines left in the CPUs' areas");
	return offset != 0;
}

/* Each of the two sequences has at least three places: before each load, and before the store. */
enum { PLACES_MIN = 2 * 3 };

static void everywhere(void)
{
	uint64_t before = arch_restarts();
	unsigned wrong;

	if (!stack_begin())
		return;
	probe.hits = 0;
	preempt_disable();
	wrong = stack_rounds(false) + stack_rounds(true);
	preempt_enable();
	percpu_lines_free(offset, LINES);
	if (wrong != 0)
		selftest_fail("%u of %u interrupted rounds lost or doubled an item", wrong,
			      probe.hits);
	SELFTEST_CHECK(probe.hits >= 2 * PLACES_MIN);
	SELFTEST_CHECK(arch_restarts() > before);
}

/* The same, not sent back: if that went unnoticed the test above would be worth nothing. */
static void control(void)
{
	unsigned wrong;

	if (!stack_begin())
		return;
	arch_irq_disable();
	arch_restart_enable(false);
	wrong = stack_rounds(true);
	arch_restart_enable(true);
	arch_irq_enable();
	percpu_lines_free(offset, LINES);
	SELFTEST_CHECK(wrong > 0);
}

/* --- Pages: the sequences that everybody uses --- */

static vm_page_t page_alloc(void)
{
	return vm_page_alloc(NULL, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ);
}

static void probe_page(void *unused)
{
	(void)unused;
	probe.hits++;
	probe.page = page_alloc();
}

static bool page_round(unsigned sequence, unsigned place)
{
	vm_page_t m;
	bool good;

	probe.page = NULL;
	arch_sequence_probe(sequence, place, probe_page, NULL);
	m = page_alloc();
	if (m != NULL)
		vm_page_free(m);
	arch_sequence_probe_end();
	if (probe.page == NULL)
		return true;
	/* What the interrupt got is its own: nobody else gets it now. */
	m = page_alloc();
	good = m != NULL && m != probe.page && probe.page->state == VM_PAGE_ALLOCATED;
	if (m != NULL && m != probe.page)
		vm_page_free(m);
	vm_page_free(probe.page);
	return good;
}

static void pages(void)
{
	unsigned wrong = 0;

	probe.hits = 0;
	for (unsigned s = 0; s < arch_sequence_count(); s++)
		for (unsigned place = 0; place < arch_sequence_places(s); place++)
			wrong += !page_round(s, place);
	if (wrong != 0)
		selftest_fail("%u of %u interrupted rounds lost or doubled a page", wrong,
			      probe.hits);
	SELFTEST_CHECK(probe.hits >= PLACES_MIN);
	SELFTEST_CHECK(vm_audit(selftest_report) == 0);
}

/* --- A storm --- */

enum { STORM_ROUNDS = 4000, STORM_EVERY = 16 };

/* Two change places, in an interrupt. */
static void storm_here(void *unused)
{
	uintptr_t first = item_pop(), second = item_pop();

	(void)unused;
	if (first != 0)
		(void)item_push(first);
	if (second != 0)
		(void)item_push(second);
}

static void storm_on(unsigned index, unsigned count)
{
	struct cpuset online;

	(void)index;
	(void)count;
	smp_online_set(&online);
	cpuset_del(&online, arch_cpu_id());
	stack_fill();
	if (!selftest_barrier())
		return;
	for (unsigned i = 0; i < STORM_ROUNDS; i++) {
		uintptr_t first = item_pop(), second = item_pop();

		SELFTEST_CHECK(first != 0 && second != 0 && first != second);
		SELFTEST_CHECK(item_push(second) && item_push(first));
		if (i % STORM_EVERY == 0)
			smp_call(&online, storm_here, NULL);
	}
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(stack_has_all(0));
}

static void storm(void)
{
	if (!stack_begin())
		return;
	selftest_parallel(storm_on);
	percpu_lines_free(offset, LINES);
}

const struct selftest_case selftest_restart[] = {
    {"restart.everywhere", everywhere},
    {"restart.control", control},
    {"restart.pages", pages},
    {"restart.storm", storm},
    {NULL, NULL},
};
