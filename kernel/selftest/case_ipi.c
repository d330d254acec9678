/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shootdown when its interrupts go wrong: each CPU in turn takes a mapping away from all the
 * others, which are busy and remember it, and the interrupt is lost, late, sent twice, or others
 * come that nobody asked for. What the CPUs load afterwards is the proof.
 */
#include "arch/clock.h"
#include "arch/ipi.h"
#include "arch/physmap.h"
#include "kernel/selftest/selftest.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

#define OLD UINT64_C(0x01d01d01d01d01d0)
#define NEW UINT64_C(0x4e774e774e774e77)

/* Of large machines not every CPU has a turn; each one that is lost takes time, and is logged. */
enum { ROUNDS_MAX = 8, ROUNDS_LOST = 2 };

/* Written by the shell's thread before the CPUs run the case. */
static struct {
	vm_offset_t va;
	vm_page_t pages[2]; /* the old one, the new one */
	enum shootdown_fault fault;
	bool spurious;
} window;

static struct atomic32 busy;   /* CPUs that spin */
static struct atomic32 rounds; /* that have been made */

static void expect(uint64_t wanted)
{
	uint64_t seen = *(volatile uint64_t *)window.va;

	if (seen != wanted)
		selftest_fail("cpu %u reads %#lx instead of %#lx", arch_cpu_id(),
			      (unsigned long)seen, (unsigned long)wanted);
}

/* Interrupts on, so that this CPU is one to be asked and answers. */
static bool spin_until(const struct atomic32 *word, uint32_t value)
{
	uint64_t deadline = arch_clock_ns() + SELFTEST_PATIENCE_NS;

	while (atomic32_load(word, MO_ACQUIRE) != value && !selftest_failed()) {
		if (arch_clock_ns() > deadline)
			selftest_fail("cpu %u waits for too long", arch_cpu_id());
		arch_cpu_relax();
	}
	return !selftest_failed();
}

static void send_spurious(void)
{
	struct cpuset online;

	smp_online_set(&online);
	CPUSET_FOREACH (cpu, &online)
		arch_ipi_send(cpu, ARCH_IPI_SHOOTDOWN);
}

static void take_away(unsigned count)
{
	if (!spin_until(&busy, count - 1))
		return;
	if (window.spurious)
		send_spurious();
	shootdown_inject(window.fault);
	pmap_qremove(window.va, 1);
	if (window.spurious)
		send_spurious();
	pmap_qenter(window.va, &window.pages[1], 1);
}

static void round_on(unsigned index, unsigned count, unsigned round)
{
	expect(OLD);
	if (!selftest_barrier())
		return;
	if (index == round) {
		take_away(count);
		atomic32_store(&busy, 0, MO_RELAXED);
		atomic32_store(&rounds, round + 1, MO_RELEASE);
	} else {
		atomic32_add(&busy, 1, MO_RELEASE);
		if (!spin_until(&rounds, round + 1))
			return;
	}
	expect(NEW);
	if (!selftest_barrier())
		return;
	if (index == round) {
		pmap_qremove(window.va, 1);
		pmap_qenter(window.va, window.pages, 1);
	}
	(void)selftest_barrier();
}

static void rounds_on(unsigned index, unsigned count)
{
	unsigned max = window.fault == SHOOTDOWN_LOST ? ROUNDS_LOST : ROUNDS_MAX;
	unsigned n = count < max ? count : max;

	for (unsigned round = 0; round < n && !selftest_failed(); round++)
		round_on(index, count, round);
}

static bool window_open(void)
{
	for (unsigned i = 0; i < 2; i++) {
		window.pages[i] =
		    vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
		if (window.pages[i] == NULL)
			return false;
		*(volatile uint64_t *)arch_physmap(VM_PAGE_TO_PHYS(window.pages[i])) =
		    i == 0 ? OLD : NEW;
	}
	window.va = kmem_alloc_nofault(kernel_map, PAGE_SIZE);
	if (window.va != 0)
		pmap_qenter(window.va, window.pages, 1);
	return window.va != 0;
}

static void window_close(void)
{
	if (window.va != 0) {
		pmap_qremove(window.va, 1);
		kmem_free(kernel_map, window.va, PAGE_SIZE);
	}
	for (unsigned i = 0; i < 2; i++) {
		if (window.pages[i] == NULL)
			continue;
		vm_page_unwire(window.pages[i]);
		vm_page_free(window.pages[i]);
	}
	window.va = 0;
	window.pages[0] = window.pages[1] = NULL;
}

static void run_with(enum shootdown_fault fault, bool spurious)
{
	if (smp_online_count() == 1) {
		selftest_skip("there is one CPU only");
		return;
	}
	window.fault = fault;
	window.spurious = spurious;
	atomic32_store(&busy, 0, MO_RELAXED);
	atomic32_store(&rounds, 0, MO_RELAXED);
	if (window_open())
		selftest_parallel(rounds_on);
	else
		selftest_fail("no memory for two pages");
	window_close();
}

/* The initiator names who is silent, and asks again. */
static void lost(void)
{
	struct shootdown_stats before, after;

	shootdown_stats(&before);
	run_with(SHOOTDOWN_LOST, false);
	shootdown_stats(&after);
	if (smp_online_count() > 1 && !selftest_failed())
		SELFTEST_CHECK(after.resends > before.resends);
}

static void late(void)
{
	run_with(SHOOTDOWN_LATE, false);
}

static void twice(void)
{
	run_with(SHOOTDOWN_TWICE, false);
}

static void spurious(void)
{
	run_with(SHOOTDOWN_SENT, true);
}

const struct selftest_case selftest_ipi[] = {
    {"ipi.lost", lost},         {"ipi.late", late}, {"ipi.twice", twice},
    {"ipi.spurious", spurious}, {NULL, NULL},
};
