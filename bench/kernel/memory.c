/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/memory.h"

#include "kernel/pattern.h"

static vm_page_t page_of(void *memory)
{
	return PHYS_TO_VM_PAGE(arch_physmap_paddr(memory));
}

static void *page_alloc(uint64_t size)
{
	vm_page_t page = bench_page_alloc();

	(void)size;
	return page != NULL ? bench_page_address(page) : NULL;
}

static void *zero_page_alloc(uint64_t size)
{
	vm_page_t page = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);

	(void)size;
	if (page == NULL)
		return NULL;
	if ((page->flags & PG_ZERO) == 0)
		arch_page_zero(VM_PAGE_TO_PHYS(page));
	return bench_page_address(page);
}

static void page_free(void *memory, uint64_t size)
{
	(void)size;
	vm_page_free(page_of(memory));
}

const struct bench_memory bench_pages = {page_alloc, page_free, false};
const struct bench_memory bench_zero_pages = {zero_page_alloc, page_free, true};

bool bench_slots_fill(struct bench_worker *worker, const struct bench_memory *memory, uint64_t size,
		      unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		worker->own[i].memory = memory->alloc(size);
		worker->own[i].size = size;
		if (worker->own[i].memory == NULL)
			return bench_short(worker->run, "for what the case holds");
	}
	return true;
}

void bench_slots_empty(struct bench_worker *worker, const struct bench_memory *memory)
{
	for (unsigned i = 0; i < worker->run->test->slots; i++) {
		if (worker->own[i].memory != NULL)
			memory->free(worker->own[i].memory, worker->own[i].size);
		worker->own[i].memory = NULL;
	}
}

bool bench_slots_hold_pages(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->test->slots; i++) {
		worker->own[i].memory = bench_page_alloc();
		if (worker->own[i].memory == NULL)
			return bench_short(worker->run, "for the pages that the case holds");
	}
	return true;
}

void bench_slots_free_pages(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->test->slots; i++) {
		if (worker->own[i].memory != NULL)
			vm_page_free(worker->own[i].memory);
		worker->own[i].memory = NULL;
	}
}

void bench_tag_fill(void *memory, uint64_t size, uint64_t tag)
{
	pattern_fill((vm_offset_t)memory, size, tag);
}

bool bench_tag_check(struct bench_worker *worker, const void *memory, uint64_t size, uint64_t tag)
{
	vm_offset_t bad = pattern_check((vm_offset_t)memory, size, tag);

	if (bad == 0)
		return true;
	return bench_fail(worker->run, "cpu %u: %#lx does not hold what was written there",
			  worker->cpu, (unsigned long)bad);
}

static bool zeroes_check(struct bench_worker *worker, const void *memory, uint64_t size)
{
	const uint64_t *words = memory;

	for (uint64_t i = 0; i < size / sizeof(*words); i++)
		if (words[i] != 0)
			return bench_fail(worker->run, "cpu %u: %#lx should be zeroed", worker->cpu,
					  (unsigned long)(uintptr_t)&words[i]);
	return true;
}

enum { VERIFY_PIECES = 24 };

static uint64_t piece_tag(const struct bench_worker *worker, unsigned piece)
{
	return ((uint64_t)worker->index << 32 | piece) * UINT64_C(0x9e3779b97f4a7c15);
}

bool bench_verify(struct bench_worker *worker, const struct bench_memory *memory, uint64_t size)
{
	void *pieces[VERIFY_PIECES];
	unsigned count = 0;
	bool good = true;

	for (; good && count < VERIFY_PIECES; count++) {
		pieces[count] = memory->alloc(size);
		if (pieces[count] == NULL)
			break;
		if (memory->zeroed)
			good = zeroes_check(worker, pieces[count], size);
		bench_tag_fill(pieces[count], size, piece_tag(worker, count));
	}
	if (count == 0)
		good = bench_short(worker->run, "for the verification");
	for (unsigned i = 0; i < count; i++) {
		good = good && bench_tag_check(worker, pieces[i], size, piece_tag(worker, i));
		memory->free(pieces[i], size);
	}
	return good;
}

/* --- Slots that all workers hold at the same time --- */

static uint64_t slot_tag(const struct bench_worker *worker, unsigned slot)
{
	return ((uint64_t)worker->index << 32 | slot) * UINT64_C(0xd1342543de82ef95);
}

static bool slots_verify(struct bench_worker *worker, void *(*address)(const struct bench_slot *),
			 uint64_t (*size)(const struct bench_slot *))
{
	unsigned slots = worker->run->test->slots;

	for (unsigned i = 0; i < slots; i++)
		if (worker->own[i].memory != NULL)
			bench_tag_fill(address(&worker->own[i]), size(&worker->own[i]),
				       slot_tag(worker, i));
	bench_gather(worker);
	for (unsigned i = 0; i < slots; i++)
		if (worker->own[i].memory != NULL &&
		    !bench_tag_check(worker, address(&worker->own[i]), size(&worker->own[i]),
				     slot_tag(worker, i)))
			return false;
	return true;
}

static void *slot_memory(const struct bench_slot *slot)
{
	return slot->memory;
}

static uint64_t slot_size(const struct bench_slot *slot)
{
	return slot->size;
}

bool bench_slots_verify(struct bench_worker *worker)
{
	return slots_verify(worker, slot_memory, slot_size);
}

static void *slot_page_address(const struct bench_slot *slot)
{
	return bench_page_address(slot->memory);
}

static uint64_t slot_page_size(const struct bench_slot *slot)
{
	(void)slot;
	return PAGE_SIZE;
}

bool bench_slots_verify_pages(struct bench_worker *worker)
{
	return slots_verify(worker, slot_page_address, slot_page_size);
}
