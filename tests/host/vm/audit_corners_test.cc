/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Audits, condition by condition: each half of a rule is broken alone, and the audit must say so;
 * the number that it returns is that of its lines.
 */
#include "tests/host/vm/pageable_fixture.h"
#include "vm/mag_cache_private.h"
#include "vm/uma_private.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

namespace quire
{

class AuditCornersTest : public PageableTest
{
      protected:
	void SetUp() override
	{
		boot(1);
	}

	template <typename Audit> static std::string said(Audit audit)
	{
		std::string text;

		audit_lines()->clear();
		unsigned broken = audit();

		EXPECT_EQ(broken, audit_lines()->size());
		for (const std::string &line : *audit_lines())
			text += line + "\n";
		return text;
	}

	/* With the field at that value for a moment, the audit says `text`. */
	template <typename Audit, typename T, typename V>
	static void expect_found(Audit audit, T *field, V value, const char *text)
	{
		T before = *field;

		ASSERT_EQ(said(audit), "");
		*field = static_cast<T>(value);
		EXPECT_NE(said(audit).find(text), std::string::npos) << said(audit) << text;
		*field = before;
		EXPECT_EQ(said(audit), "");
	}
};

/* --- Magazines --- */

TEST_F(AuditCornersTest, EachFieldOfACpusMagazines)
{
	uma_set_debug(false);
	uma_zone_t z = uma_zcreate("things", 64, nullptr, nullptr, nullptr, nullptr, 7, 0);
	std::vector<void *> items;

	for (unsigned i = 0; i < 300; i++)
		items.push_back(uma_zalloc(z, M_NOWAIT));
	for (void *item : items)
		uma_zfree(z, item);
	struct mag_cpu *part = mag_cpu_self(&z->cache);
	auto audit = [&] { return mag_cache_audit(&z->cache, audit_collect); };

	ASSERT_NE(part->loaded, nullptr);
	ASSERT_NE(part->previous, nullptr);
	expect_found(audit, &part->stack.count.value, MAG_ROUNDS + 1, " items");
	expect_found(audit, &part->stack.capacity.value, MAG_ROUNDS + 1, " items");
	expect_found(audit, &part->previous, part->loaded, "has one magazine twice");
	expect_found(audit, &part->loaded, part->previous, "uses a magazine not its own");
	expect_found(audit, &part->loaded, nullptr, "items and no magazine");
	expect_found(audit, &part->reserve.value, part->reserve.value + 1, "items in reserve");
	expect_found(audit, &part->stash_mags, part->stash_mags + 1, "magazines in a chain");
	expect_found(audit, &part->spare_mags, part->spare_mags + 1, "magazines in a chain");

	/* Without a magazine there is nothing, not even a place. */
	auto stack = part->stack;
	auto loaded = part->loaded;

	part->loaded = nullptr;
	part->stack.count.value = part->stack.capacity.value = 0;
	EXPECT_NE(said(audit).find("and no magazine"), std::string::npos);
	part->stack.slots = nullptr;
	EXPECT_EQ(said(audit), "");
	part->stack.capacity.value = 1;
	EXPECT_NE(said(audit).find("and no magazine"), std::string::npos);
	part->stack = stack;
	part->loaded = loaded;
	EXPECT_EQ(said(audit), "");
	uma_set_debug(true);
}

/* --- Blocks of free pages --- */

TEST_F(AuditCornersTest, PlacesOfFreeBlocks)
{
	struct vm_phys_domain *d = vm_phys_domain_of(0);
	unsigned order = VM_PHYS_ORDERS - 1;
	auto audit = [] { return vm_phys_audit(0, audit_collect); };

	while (order > 0 && TAILQ_EMPTY(&d->free[order]))
		order--;
	vm_page_t m = TAILQ_FIRST(&d->free[order]);
	const struct vm_phys_segment *segment = vm_phys_segment(m->segment);
	vm_size_t size = vm_phys_order_size(order);

	ASSERT_GT(order, 0u);
	expect_found(audit, &m->phys_addr, m->phys_addr + PAGE_SIZE, "is not aligned");
	expect_found(audit, &m->phys_addr, trunc_page(segment->start) / size * size - size,
		     "is not aligned in its segment");
	expect_found(audit, &m->phys_addr, segment->end / size * size,
		     "is not aligned in its segment");
}

/* --- Pageable memory --- */

TEST_F(AuditCornersTest, EachFieldOfAPageableRangesPage)
{
	vm_offset_t addr = alloc(4);
	auto audit = [] { return vm_pageable_audit(audit_collect); };

	host_store64(addr, 1);
	vm_page_t m = PHYS_TO_VM_PAGE(pmap_kextract(addr));

	ASSERT_NE(m, nullptr);
	expect_found(audit, &m->wire_count, 1, "page of pageable");
	expect_found(audit, &m->oflags, m->oflags | VPO_BUSY, "page of pageable");
	expect_found(audit, &m->valid, 0, "page of pageable");
	expect_found(audit, &m->state, VM_PAGE_BOOT, "page of pageable");
	expect_found(audit, &m->phys_addr, m->phys_addr + PAGE_SIZE, "its page is");
	EXPECT_EQ(said(audit), "");
	vm_object_t object = m->object;

	m->object = nullptr;
	EXPECT_NE(said(audit).find("are anonymous, map entries lead to"), std::string::npos);
	m->object = object;
	free(addr, 4);
	EXPECT_EQ(said(audit), "");
}

/* --- Maps --- */

TEST_F(AuditCornersTest, SubmapsAtBothEndsAndNeighboursWithAnObject)
{
	auto audit = [] { return vm_map_audit(kernel_map, audit_collect); };
	vm_offset_t min = pipe_map->min_offset;

	pipe_map->min_offset = min - PAGE_SIZE;
	EXPECT_NE(said(audit).find("does not cover pipe_map exactly"), std::string::npos);
	pipe_map->min_offset = min;
	EXPECT_EQ(said(audit), "");

	vm_offset_t addr = kmem_alloc(kernel_map, ptoa(8));

	ASSERT_NE(addr, 0u);
	EXPECT_EQ(vm_map_protect(kernel_map, addr, addr + ptoa(4), VM_PROT_READ, false),
		  KERN_SUCCESS);
	vm_map_entry_t first = nullptr, second = nullptr;

	vm_map_lock(kernel_map);
	EXPECT_TRUE(vm_map_lookup_entry(kernel_map, addr, &first));
	EXPECT_TRUE(vm_map_lookup_entry(kernel_map, addr + ptoa(4), &second));
	vm_map_unlock(kernel_map);
	ASSERT_NE(first, second);
	auto now = first->protection;

	first->protection = second->protection;
	EXPECT_NE(said(audit).find("are equal, but not merged"), std::string::npos);
	first->offset += PAGE_SIZE; /* another place of the object: not equal */
	EXPECT_EQ(said(audit), "");
	first->offset -= PAGE_SIZE;
	first->protection = now;
	EXPECT_EQ(said(audit), "");
	EXPECT_EQ(vm_map_protect(kernel_map, addr, addr + ptoa(4), VM_PROT_RW, false),
		  KERN_SUCCESS);
	kmem_free(kernel_map, addr, ptoa(8));
}

/* --- How many pages should be free --- */

TEST_F(AuditCornersTest, WatermarksAreTheOnesOfTheRule)
{
	uint64_t total = 0, sum_min = 0, sum_high = 0;

	for (unsigned d = 0; d < vm_phys_domain_count(); d++)
		total += vm_phys_total_pages(d);
	for (unsigned d = 0; d < vm_phys_domain_count(); d++) {
		struct vm_watermarks marks;
		uint64_t pages = vm_phys_total_pages(d), gap = pages / 256;

		gap = gap < 8 ? 8 : gap > 4096 ? 4096 : gap;
		vm_pageout_watermarks(d, &marks);
		EXPECT_EQ(marks.min, (vm_page_limits.free_reserved * pages + total - 1) / total);
		EXPECT_GT(marks.min, 0u);
		EXPECT_EQ(marks.low, marks.min + gap);
		EXPECT_EQ(marks.high, marks.min + 2 * gap);
		EXPECT_EQ(vm_watermarks_below_low(d), vm_phys_free_pages(d) < marks.low);
		sum_min += marks.min;
		sum_high += marks.high;
	}
	EXPECT_GE(sum_min, vm_page_limits.free_reserved);
	EXPECT_EQ(vm_watermarks_deficit_max(), sum_high);
}

} // namespace quire
