/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done to the system while it works: rights taken away, caches emptied, pauses. */
#include "arch/clock.h"
#include "kernel/fault_probe.h"
#include "kernel/sched/thread.h"
#include "kernel/stress/stress.h"
#include "lib/string.h"
#include "vm/uma.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

enum { GRAB_PAGES_MAX = 256, IDLE_MS_MAX = 32, BURST_PERIOD_NS = 100 * 1000 * 1000 };

static bool is_wired_mapping(const struct stress_item *item)
{
	return item != NULL &&
	       (strcmp(item->kind->name, "kmem") == 0 || strcmp(item->kind->name, "large") == 0);
}

static vm_map_t item_map(const struct stress_item *item)
{
	return strcmp(item->kind->name, "kmem") == 0 ? kmem_map : kernel_map;
}

static void expect_write(const struct stress_item *item, bool allowed)
{
	char why[FAULT_WHY_MAX];
	vm_offset_t at = item->addr + item->size - 1;

	if (fault_probe(at, FAULT_WRITE, why) == allowed)
		return;
	stress_error("%s %#lx: cpu %u, a write at %#lx, expected %s", item->kind->name,
		     (unsigned long)item->addr, arch_cpu_id(), (unsigned long)at,
		     allowed ? "to succeed, found a fault" : "a fault, found that it succeeds");
}

/* Read-only, looked at, and writable again. */
static void protect(struct stress_worker *worker, struct stress_item *item)
{
	vm_offset_t end;

	if (!is_wired_mapping(item))
		return;
	end = item->addr + item->size;
	if (vm_map_protect(item_map(item), item->addr, end, VM_PROT_READ, false) != KERN_SUCCESS)
		return;
	stress_check(worker, item, item->addr, "read-only");
	expect_write(item, false);
	if (vm_map_protect(item_map(item), item->addr, end, VM_PROT_READ | VM_PROT_WRITE, false) !=
	    KERN_SUCCESS) {
		stress_error("%s %#lx stays read-only", item->kind->name,
			     (unsigned long)item->addr);
		return;
	}
	expect_write(item, true);
}

static void drain(struct stress_worker *worker, struct stress_item *item)
{
	(void)worker;
	(void)item;
	uma_reclaim();
}

static void lowmem(struct stress_worker *worker, struct stress_item *item)
{
	(void)worker;
	(void)item;
	vm_pageout_lowmem();
}

/* Takes a good part of what is free, for a moment. */
static void grab(struct stress_worker *worker, struct stress_item *item)
{
	vm_page_t pages[GRAB_PAGES_MAX];
	unsigned n = 0, want = (unsigned)stress_random(worker, GRAB_PAGES_MAX);

	(void)item;
	while (n < want) {
		pages[n] = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ);
		if (pages[n] == NULL)
			break;
		n++;
	}
	while (n > 0)
		vm_page_free(pages[--n]);
}

/* All CPUs sleep, and begin again at the same moment: the next multiple of the period. */
static void burst(struct stress_worker *worker, struct stress_item *item)
{
	(void)worker;
	(void)item;
	thread_sleep_ns(BURST_PERIOD_NS - arch_clock_ns() % BURST_PERIOD_NS);
}

/* The CPU idles, so that it is asked, or left out, while it sleeps. */
static void idle(struct stress_worker *worker, struct stress_item *item)
{
	(void)item;
	thread_sleep_ns((1 + stress_random(worker, IDLE_MS_MAX)) * 1000000);
}

const struct stress_act stress_acts[] = {
    {"look", "a shared window is read, and written where that is allowed", 6, stress_window_look},
    {"remap", "a shared window gets other pages", 40, stress_window_remap},
    {"revoke", "a shared window becomes read-only, or writable again", 40, stress_window_revoke},
    {"protect", "a range becomes read-only and writable again", 20, protect},
    {"drain", "every CPU's caches are emptied", 400, drain},
    {"lowmem", "the event of short memory", 2000, lowmem},
    {"grab", "up to 256 pages are taken and given back at once", 200, grab},
    {"idle", "the CPU sleeps for some milliseconds", 1000, idle},
    {"burst", "all CPUs sleep, and begin again at the same moment", 4000, burst},
    {NULL, NULL, 0, NULL},
};
