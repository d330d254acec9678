/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot allocator takes from the top of each range downwards, and from the highest range that
 * has room: the rest of a range stays one run, and low memory stays free for devices that can
 * address nothing else.
 */
#include "vm/vm_boot.h"

#include "arch/bootinfo.h"
#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/string.h"

/* Only the boot CPU is here, and only before there is anybody else: no lock. */
static struct {
	const struct boot_info *info;
	vm_paddr_t top[BOOT_RANGES_MAX]; /* of range i, [start, top) is still there */
	bool handed_over;
} boot;

void vm_boot_init(void)
{
	boot.info = arch_boot_info();
	boot.handed_over = false;
	CHECK_LE(boot.info->range_count, BOOT_RANGES_MAX);
	for (unsigned i = 0; i < boot.info->range_count; i++)
		boot.top[i] = boot.info->ranges[i].end;
}

static bool range_take(unsigned i, size_t bytes, size_t align, vm_paddr_t *pa)
{
	vm_paddr_t start = boot.info->ranges[i].start;
	vm_paddr_t at;

	if (bytes > boot.top[i] - start)
		return false;
	at = align_down(boot.top[i] - bytes, align);
	if (at < start)
		return false;
	boot.top[i] = at;
	*pa = at;
	return true;
}

static uint64_t largest_rest(void)
{
	uint64_t largest = 0;

	for (unsigned i = 0; i < boot.info->range_count; i++) {
		uint64_t rest = boot.top[i] - boot.info->ranges[i].start;

		if (rest > largest)
			largest = rest;
	}
	return largest;
}

void *vm_boot_alloc(size_t bytes, size_t align, const char *what)
{
	vm_paddr_t pa;

	CHECK(boot.info != NULL && is_pow2(align));
	if (boot.handed_over)
		panic("boot memory for %s was asked for after the page allocator took over", what);
	for (unsigned i = boot.info->range_count; i-- > 0;)
		if (range_take(i, bytes, align, &pa))
			return memset(arch_physmap(pa), 0, bytes);
	panic("too little memory: %s needs %zu bytes, the largest free range has %llu", what, bytes,
	      (unsigned long long)largest_rest());
}

void vm_boot_hand_over(void (*give)(vm_paddr_t start, vm_paddr_t end, unsigned domain))
{
	CHECK(!boot.handed_over);
	boot.handed_over = true;
	for (unsigned i = 0; i < boot.info->range_count; i++) {
		const struct boot_range *range = &boot.info->ranges[i];
		vm_paddr_t end = trunc_page(boot.top[i]);

		if (range->start < end)
			give(range->start, end, range->domain);
	}
}

uint64_t vm_boot_taken_bytes(void)
{
	uint64_t taken = 0;

	for (unsigned i = 0; i < boot.info->range_count; i++)
		taken += boot.info->ranges[i].end - trunc_page(boot.top[i]);
	return taken;
}
