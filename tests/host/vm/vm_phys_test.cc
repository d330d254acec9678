/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments, blocks and batches. */
#include "tests/host/vm/vm_phys_fixture.h"

namespace quire
{
namespace
{

TEST_F(VmPhysTest, EveryPageOfRamHasADescriptorAndNothingElseHas)
{
	const struct boot_info *info = arch_boot_info();

	for (vm_paddr_t pa = 0; pa < 20 * MIB; pa += PAGE_SIZE) {
		bool is_ram = false;
		vm_page_t m = PHYS_TO_VM_PAGE(pa + 123);

		for (unsigned i = 0; i < info->range_count; i++)
			is_ram |= pa >= info->ranges[i].start && pa < info->ranges[i].end;
		ASSERT_EQ(m != nullptr, is_ram) << std::hex << pa;
		if (m != nullptr) {
			ASSERT_EQ(VM_PAGE_TO_PHYS(m), pa);
		}
	}
	EXPECT_EQ(PHYS_TO_VM_PAGE(UINT64_MAX), nullptr);
}

TEST_F(VmPhysTest, WhatTheBootAllocatorTookIsBootMemoryAndTheRestIsFree)
{
	uint64_t total = vm_phys_total_pages(0) + vm_phys_total_pages(1);

	EXPECT_EQ(pages_in(VM_PAGE_BOOT), atop(vm_boot_taken_bytes()));
	EXPECT_EQ(pages_in(VM_PAGE_FREE), total - atop(vm_boot_taken_bytes()));
	EXPECT_GE(ptoa(pages_in(VM_PAGE_BOOT)), total * sizeof(struct vm_page));
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, RangesOfOneDomainThatTouchAreOneSegment)
{
	config.ranges[0] = {1 * MIB, 3 * MIB, 0};
	config.ranges[1] = {3 * MIB, 5 * MIB, 0};
	config.range_count = 2;
	restart();
	ASSERT_EQ(arch_boot_info()->ranges[arch_boot_info()->range_count - 1].end, 5 * MIB);
	EXPECT_EQ(vm_phys_segment(vm_phys_segment_count() - 1)->end, 5 * MIB);
	for (unsigned i = 1; i < vm_phys_segment_count(); i++)
		EXPECT_LT(vm_phys_segment(i - 1)->end, vm_phys_segment(i)->start);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, BlocksOfEachOrderAreAlignedInTheirDomainAndAllocated)
{
	for (unsigned domain = 0; domain < 2; domain++) {
		for (unsigned order = 0; order <= 7; order++) {
			vm_page_t m = vm_phys_alloc(domain, order);

			ASSERT_NE(m, nullptr) << order;
			EXPECT_EQ(VM_PAGE_TO_PHYS(m) % (PAGE_SIZE << order), 0u);
			EXPECT_EQ(m->domain, domain);
			for (unsigned i = 0; i < 1u << order; i++)
				EXPECT_EQ(m[i].state, VM_PAGE_ALLOCATED);
			EXPECT_TRUE(audit_ok());
			vm_phys_free(m, order);
		}
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, ExhaustionComesBackToTheExactInitialState)
{
	Blocks before = blocks();
	uint64_t free_before = free_pages();
	std::vector<vm_page_t> pages = take_all();

	EXPECT_EQ(pages.size(), free_before);
	EXPECT_EQ(free_pages(), 0u);
	EXPECT_EQ(vm_phys_alloc(0, 0), nullptr);
	EXPECT_EQ(vm_phys_alloc_contig(1, 0, UINT64_MAX, 1, 0), nullptr);
	EXPECT_TRUE(audit_ok());
	std::shuffle(pages.begin(), pages.end(), std::mt19937_64(config.seed));
	give_back(&pages);
	EXPECT_EQ(blocks(), before);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, DomainsThatTouchAreNotJoined)
{
	/* 6 MiB is the seam: a block across it would be aligned and free. */
	std::vector<vm_page_t> pages = take_all();

	give_back(&pages);
	EXPECT_EQ(PHYS_TO_VM_PAGE(6 * MIB - PAGE_SIZE)->domain, 0);
	EXPECT_EQ(PHYS_TO_VM_PAGE(6 * MIB)->domain, 1);
	EXPECT_EQ(vm_phys_alloc_contig(2, 6 * MIB - PAGE_SIZE, 6 * MIB + PAGE_SIZE, 1, 0), nullptr);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, BatchGivesWhatThereIs)
{
	std::vector<vm_page_t> pages(vm_phys_free_pages(1) + 10);
	uint64_t there = vm_phys_free_pages(1);

	EXPECT_EQ(vm_phys_alloc_batch(1, pages.data(), 7), 7u);
	EXPECT_EQ(vm_phys_alloc_batch(1, pages.data() + 7, (unsigned)there), there - 7);
	EXPECT_EQ(vm_phys_alloc_batch(1, pages.data(), 1), 0u);
	EXPECT_EQ(vm_phys_alloc_batch(0, pages.data(), 0), 0u);
	pages.resize(there);
	std::sort(pages.begin(), pages.end());
	EXPECT_EQ(std::unique(pages.begin(), pages.end()), pages.end());
	give_back(&pages);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, BatchOfSeveralDomainsGoesHome)
{
	uint64_t before[2] = {vm_phys_free_pages(0), vm_phys_free_pages(1)};
	std::vector<vm_page_t> pages(40);

	for (unsigned i = 0; i < 40; i++)
		ASSERT_EQ(vm_phys_alloc_batch(i / 3 % 2, &pages[i], 1), 1u);
	give_back(&pages);
	EXPECT_EQ(vm_phys_free_pages(0), before[0]);
	EXPECT_EQ(vm_phys_free_pages(1), before[1]);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, BatchLeavesTheFloorOfTheWholeMachine)
{
	uint64_t total = free_pages();
	std::vector<vm_page_t> pages(total);
	uint64_t floor = vm_phys_free_pages(1) + 5;

	unsigned got = vm_phys_alloc_batch_above(0, pages.data(), (unsigned)total, floor);
	EXPECT_EQ(got, total - floor);
	EXPECT_EQ(free_pages(), floor);
	EXPECT_EQ(vm_phys_alloc_batch_above(1, pages.data(), 1, floor), 0u);
	EXPECT_EQ(vm_phys_alloc_contig_above(1, 0, UINT64_MAX, 1, 0, floor), nullptr);
	EXPECT_EQ(vm_phys_alloc_batch_above(1, pages.data() + got, 1, floor - 1), 1u);
	pages.resize(got + 1);
	give_back(&pages);
	EXPECT_EQ(free_pages(), total);
}

/*
 * Against the set of pages that are out: nothing is given twice, and a request fails only when no
 * aligned block of free pages exists anywhere in the domain.
 */
class BuddyModel
{
      public:
	explicit BuddyModel(uint64_t seed) : random_(seed)
	{
	}

	void step()
	{
		bool grow = random_() % 1000 < bias_;

		if (random_() % 5000 == 0)
			bias_ = 300 + random_() % 450;
		if (grow || held_.empty())
			alloc();
		else
			release();
	}

	void release_all()
	{
		while (!held_.empty())
			release();
	}

      private:
	struct Held {
		vm_page_t m;
		unsigned order;
		uint64_t npages; /* of a run, else 0 */
	};

	void alloc()
	{
		unsigned domain = random_() % 2, order = std::min(random_() % 12, random_() % 12);
		vm_page_t m = vm_phys_alloc(domain, order);

		if (m == nullptr) {
			ASSERT_FALSE(block_exists(domain, order)) << domain << " " << order;
			return;
		}
		ASSERT_EQ(m->domain, domain);
		ASSERT_EQ(VM_PAGE_TO_PHYS(m) % (PAGE_SIZE << order), 0u);
		own(m, 1u << order);
		held_.push_back({m, order, 0});
	}

	void release()
	{
		size_t i = random_() % held_.size();
		Held held = held_[i];
		uint64_t npages = (uint64_t)1 << held.order;

		held_[i] = held_.back();
		held_.pop_back();
		for (uint64_t k = 0; k < npages; k++)
			owned_[atop(VM_PAGE_TO_PHYS(held.m)) + k] = false;
		/* Sometimes page by page, sometimes from the middle. */
		if (random_() % 4 == 0) {
			uint64_t cut = random_() % (npages + 1);

			vm_phys_free_contig(held.m + cut, npages - cut);
			vm_phys_free_contig(held.m, cut);
		} else {
			vm_phys_free(held.m, held.order);
		}
	}

	void own(vm_page_t m, unsigned npages)
	{
		for (unsigned i = 0; i < npages; i++) {
			vm_paddr_t pa = VM_PAGE_TO_PHYS(m) + ptoa(i);

			ASSERT_EQ(PHYS_TO_VM_PAGE(pa), m + i);
			ASSERT_FALSE(owned_[atop(pa)]) << std::hex << pa;
			owned_[atop(pa)] = true;
		}
	}

	bool block_exists(unsigned domain, unsigned order)
	{
		vm_size_t size = PAGE_SIZE << order;

		for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
			const struct vm_phys_segment *s = vm_phys_segment(i);

			for (vm_paddr_t pa = align_up(s->start, size);
			     s->domain == domain && pa + size <= s->end; pa += size)
				if (block_free(pa, size))
					return true;
		}
		return false;
	}

	bool block_free(vm_paddr_t pa, vm_size_t size)
	{
		for (vm_paddr_t p = pa; p < pa + size; p += PAGE_SIZE)
			if (owned_[atop(p)] || PHYS_TO_VM_PAGE(p)->state == VM_PAGE_BOOT)
				return false;
		return true;
	}

	std::mt19937_64 random_;
	uint64_t bias_ = 600;
	std::vector<Held> held_;
	std::vector<bool> owned_ = std::vector<bool>(atop(32 * MIB));
};

TEST_F(VmPhysTest, RandomBlocksAgreeWithASetOfPages)
{
	Blocks before = blocks();
	BuddyModel model(config.seed);

	for (unsigned i = 1; i <= 200000; i++) {
		ASSERT_NO_FATAL_FAILURE(model.step());
		if (i % 2048 == 0) {
			ASSERT_TRUE(audit_ok()) << "operation " << i;
		}
	}
	model.release_all();
	EXPECT_EQ(blocks(), before);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, NoBlockIsLargerThanTheLargestOrder)
{
	const unsigned last = VM_PHYS_ORDERS - 1;
	const uint64_t size = PAGE_SIZE << last;

	/* The image and boot memory lie in the second, which is larger. */
	config.ranges[0] = {8 * size, 13 * size, 0};
	config.ranges[1] = {16 * size, 24 * size, 1};
	config.range_count = 2;
	restart();
	EXPECT_EQ(blocks()[0][last], 5u);
	EXPECT_EQ(ptoa(vm_phys_free_pages(0)), 5 * size);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, RangesThatTouchInOneDomainAreOneSegment)
{
	config.ranges[0] = {1 * MIB, 3 * MIB, 0};
	config.ranges[1] = {3 * MIB, 5 * MIB, 0};
	config.ranges[2] = {5 * MIB, 9 * MIB, 1};
	config.range_count = 3;
	restart();

	EXPECT_EQ(vm_phys_segment(0)->start, 1 * MIB);
	EXPECT_EQ(vm_phys_segment(0)->end, 5 * MIB);
	EXPECT_EQ(vm_phys_segment(1)->domain, 1u);
	/* A run across the seam. */
	vm_page_t m = vm_phys_alloc_contig(16, 3 * MIB - 8 * PAGE_SIZE, 3 * MIB + 8 * PAGE_SIZE,
					   PAGE_SIZE, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(VM_PAGE_TO_PHYS(m), 3 * MIB - 8 * PAGE_SIZE);
	vm_phys_free_contig(m, 16);
	EXPECT_TRUE(audit_ok());
}

} // namespace
} // namespace quire
