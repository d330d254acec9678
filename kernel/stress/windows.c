/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows: addresses that all CPUs look at, so that all TLBs know them, while one CPU gives them
 * other pages or takes away the right to write.
 *
 * Who changes a window closes it first and waits until nobody looks, for what a look finds in the
 * middle of a change is undefined. When it is open again, every CPU must see the new pages, or
 * fault when it writes: one that does not has kept a translation that it should have forgotten.
 *
 * closed and readers are a pair of flags: who changes sets closed and then reads readers, who
 * looks adds to readers and then reads closed, all in one order (seq-cst), so one of both sees the
 * other.
 */
#include "arch/physmap.h"
#include "kernel/fault_probe.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/stress/stress.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

enum { WINDOWS = 4, WINDOW_PAGES = 4, WINDOW_SETS = 2 };

/* (c) constant while it is there  (b) who has set busy; read by those who look while it is open */
struct window {
	vm_offset_t va;         /* (c) 0: there is none */
	struct atomic32 busy;   /* somebody changes it */
	struct atomic32 closed; /* nobody may look */
	struct atomic32 readers;
	uint64_t version; /* (b) the pattern's seed, and which pages are mapped */
	bool read_only;   /* (b) */
	vm_page_t pages[WINDOW_SETS][WINDOW_PAGES]; /* (c) those that change places */
};

/* Of the first ones the pages change, of the others the rights. */
static struct window remapped[WINDOWS], revoked[WINDOWS];

/* --- Making --- */

static vm_page_t page_make(void)
{
	return vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
}

static void page_drop(vm_page_t page)
{
	if (page == NULL)
		return;
	vm_page_unwire(page);
	vm_page_free(page);
}

static void set_fill(struct window *window)
{
	for (unsigned i = 0; i < WINDOW_PAGES; i++) {
		vm_page_t page = window->pages[window->version % WINDOW_SETS][i];

		pattern_fill((vm_offset_t)arch_physmap(VM_PAGE_TO_PHYS(page)), PAGE_SIZE,
			     window->version + i);
	}
}

static void set_enter(struct window *window)
{
	pmap_qenter(window->va, window->pages[window->version % WINDOW_SETS], WINDOW_PAGES);
}

static void remapped_make(struct window *window)
{
	bool all = true;

	*window = (struct window){.version = 1};
	for (unsigned i = 0; i < WINDOW_SETS * WINDOW_PAGES; i++) {
		vm_page_t page = page_make();

		window->pages[i / WINDOW_PAGES][i % WINDOW_PAGES] = page;
		all = all && page != NULL;
	}
	if (!all)
		return;
	window->va = kmem_alloc_nofault(kernel_map, ptoa(WINDOW_PAGES));
	if (window->va == 0)
		return;
	set_fill(window);
	set_enter(window);
}

static void revoked_make(struct window *window)
{
	*window = (struct window){.version = 1};
	window->va = kmem_alloc(kernel_map, ptoa(WINDOW_PAGES));
	for (unsigned i = 0; window->va != 0 && i < WINDOW_PAGES; i++)
		pattern_fill(window->va + ptoa(i), PAGE_SIZE, window->version + i);
}

void stress_windows_make(void)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		remapped_make(&remapped[i]);
		revoked_make(&revoked[i]);
	}
}

void stress_windows_free(void)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		struct window *window = &remapped[i];

		if (window->va != 0) {
			pmap_qremove(window->va, WINDOW_PAGES);
			kmem_free(kernel_map, window->va, ptoa(WINDOW_PAGES));
		}
		for (unsigned p = 0; p < WINDOW_SETS * WINDOW_PAGES; p++)
			page_drop(window->pages[p / WINDOW_PAGES][p % WINDOW_PAGES]);
		if (revoked[i].va != 0)
			kmem_free(kernel_map, revoked[i].va, ptoa(WINDOW_PAGES));
		window->va = revoked[i].va = 0;
	}
}

/* --- Looking --- */

static bool look_begin(struct window *window)
{
	if (window->va == 0)
		return false;
	(void)atomic32_add(&window->readers, 1, MO_SEQ_CST);
	if (atomic32_load(&window->closed, MO_SEQ_CST) == 0)
		return true;
	(void)atomic32_sub(&window->readers, 1, MO_RELEASE);
	return false;
}

static void look_end(struct window *window)
{
	/* Pairs with the load in window_close: what was read here was read before the change. */
	(void)atomic32_sub(&window->readers, 1, MO_RELEASE);
}

static void look_at_page(struct stress_worker *worker, const struct window *window, unsigned i,
			 const char *what)
{
	uint64_t index = stress_random(worker, PAGE_SIZE / sizeof(uint64_t));
	const volatile uint64_t *at = (const volatile uint64_t *)(window->va + ptoa(i)) + index;
	uint64_t found = *at, expected = pattern_word(index, window->version + i);

	worker->bytes += sizeof(found);
	if (found != expected)
		stress_error("%s: cpu %u at %#lx expected %#lx, found %#lx: "
			     "it sees pages that are no longer there",
			     what, arch_cpu_id(), (unsigned long)at, (unsigned long)expected,
			     (unsigned long)found);
}

static void look_at_right(struct stress_worker *worker, const struct window *window)
{
	char why[FAULT_WHY_MAX];
	vm_offset_t at = window->va + stress_random(worker, ptoa(WINDOW_PAGES));
	bool done = fault_probe(at, FAULT_WRITE, why);

	if (done && window->read_only)
		stress_error("revoked window: cpu %u at %#lx expected a fault, found that it can "
			     "write: it remembers a right that was taken away",
			     arch_cpu_id(), (unsigned long)at);
	else if (!done && !window->read_only)
		stress_error("revoked window: cpu %u at %#lx expected to write, found a fault: %s",
			     arch_cpu_id(), (unsigned long)at, why);
}

void stress_window_look(struct stress_worker *worker, struct stress_item *item)
{
	struct window *moved = &remapped[stress_random(worker, WINDOWS)];
	struct window *guarded = &revoked[stress_random(worker, WINDOWS)];

	(void)item;
	if (look_begin(moved)) {
		for (unsigned i = 0; i < WINDOW_PAGES; i++)
			look_at_page(worker, moved, i, "remapped window");
		look_end(moved);
	}
	if (look_begin(guarded)) {
		for (unsigned i = 0; i < WINDOW_PAGES; i++)
			look_at_page(worker, guarded, i, "revoked window");
		look_at_right(worker, guarded);
		look_end(guarded);
	}
}

/* --- Changing --- */

static bool window_close(struct window *window)
{
	uint32_t idle = 0;

	if (window->va == 0 || !atomic32_cas(&window->busy, &idle, 1, MO_ACQUIRE))
		return false;
	atomic32_store(&window->closed, 1, MO_SEQ_CST);
	while (atomic32_load(&window->readers, MO_SEQ_CST) != 0)
		thread_yield();
	return true;
}

/* Pairs with the load in look_begin: who finds it open finds the change done. */
static void window_open(struct window *window)
{
	atomic32_store(&window->closed, 0, MO_SEQ_CST);
	atomic32_store(&window->busy, 0, MO_RELEASE);
}

void stress_window_remap(struct stress_worker *worker, struct stress_item *item)
{
	struct window *window = &remapped[stress_random(worker, WINDOWS)];

	(void)item;
	if (!window_close(window))
		return;
	pmap_qremove(window->va, WINDOW_PAGES);
	window->version++;
	set_fill(window);
	set_enter(window);
	window_open(window);
}

void stress_window_revoke(struct stress_worker *worker, struct stress_item *item)
{
	struct window *window = &revoked[stress_random(worker, WINDOWS)];
	vm_prot_t right;

	(void)item;
	if (!window_close(window))
		return;
	right = window->read_only ? VM_PROT_READ | VM_PROT_WRITE : VM_PROT_READ;
	if (vm_map_protect(kernel_map, window->va, window->va + ptoa(WINDOW_PAGES), right, false) ==
	    KERN_SUCCESS)
		window->read_only = !window->read_only;
	window_open(window);
}
