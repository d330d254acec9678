/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_phys.h"

#include <algorithm>
#include <cstring>

#include "lib/bits.h"
#include "tests/host/vm/pages_fixture.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_phys_internal.h"

namespace quire
{
namespace
{

class VmPhysTest : public PagesTest
{
      protected:
	VmPhysTest()
	{
		config_with_holes();
	}

	/* Is every page of the run free? It may not leave its segment. */
	static bool all_free(const struct vm_phys_segment *segment, vm_paddr_t start,
			     uint64_t bytes)
	{
		if (start < segment->start || start >= segment->end || segment->end - start < bytes)
			return false;
		for (vm_paddr_t pa = start; pa < start + bytes; pa += PAGE_SIZE)
			if (PHYS_TO_VM_PAGE(pa)->state != VM_PAGE_FREE)
				return false;
		return true;
	}
};

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

/* --- Runs --- */

struct RunRequest {
	unsigned long npages;
	vm_paddr_t low, high;
	vm_size_t alignment, boundary;
};

bool run_satisfies(const RunRequest &want, vm_paddr_t start)
{
	vm_size_t size = ptoa(want.npages);

	return start >= want.low && start + size <= want.high && start % want.alignment == 0 &&
	       (want.boundary == 0 || start / want.boundary == (start + size - 1) / want.boundary);
}

class VmPhysRunTest : public VmPhysTest
{
      protected:
	/* Page by page over all of memory. */
	static bool run_exists(const RunRequest &want)
	{
		for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
			const struct vm_phys_segment *s = vm_phys_segment(i);

			for (vm_paddr_t pa = s->start; pa < s->end; pa += PAGE_SIZE)
				if (run_satisfies(want, pa) && all_free(s, pa, ptoa(want.npages)))
					return true;
		}
		return false;
	}

	static vm_page_t alloc(const RunRequest &want)
	{
		return vm_phys_alloc_contig(want.npages, want.low, want.high, want.alignment,
					    want.boundary);
	}

	RunRequest random_request()
	{
		RunRequest want = {1 + random() % (random() % 8 == 0 ? 600 : 24), 0, UINT64_MAX,
				   (vm_size_t)1 << (random() % 20), 0};

		if (random() % 2 == 0)
			want.boundary = (vm_size_t)1 << (12 + random() % 10);
		if (random() % 2 == 0)
			want.low = random() % (19 * MIB);
		if (random() % 2 == 0)
			want.high = want.low + 1 + random() % (8 * MIB);
		return want;
	}

	std::mt19937_64 random{1};
};

TEST_F(VmPhysRunTest, RandomRunsAgreeWithASearchPageByPage)
{
	Blocks before = blocks();
	std::vector<std::pair<vm_page_t, unsigned long>> held;

	for (unsigned i = 1; i <= 30000; i++) {
		RunRequest want = random_request();
		uint64_t free_before = free_pages();
		bool valid = want.boundary == 0 || want.boundary >= ptoa(want.npages);
		bool exists = valid && run_exists(want);
		vm_page_t m = alloc(want);

		ASSERT_EQ(m != nullptr, exists)
		    << i << ": " << want.npages << " pages in [" << want.low << ", " << want.high
		    << ") aligned to " << want.alignment << ", boundary " << want.boundary;
		if (m != nullptr) {
			ASSERT_TRUE(run_satisfies(want, VM_PAGE_TO_PHYS(m)));
			ASSERT_EQ(free_pages(), free_before - want.npages);
			for (unsigned long k = 0; k < want.npages; k++)
				ASSERT_EQ(m[k].state, VM_PAGE_ALLOCATED);
			held.emplace_back(m, want.npages);
		}
		/* Pieces of runs go back, so that memory gets full of holes. */
		if (!held.empty() && (m == nullptr || random() % 3 == 0)) {
			size_t k = random() % held.size();
			unsigned long n = 1 + random() % held[k].second;

			vm_phys_free_contig(held[k].first, n);
			held[k].first += n;
			held[k].second -= n;
			if (held[k].second == 0) {
				held[k] = held.back();
				held.pop_back();
			}
		}
		if (i % 512 == 0) {
			ASSERT_TRUE(audit_ok()) << i;
		}
	}
	for (auto &run : held)
		vm_phys_free_contig(run.first, run.second);
	EXPECT_EQ(blocks(), before);
}

TEST_F(VmPhysRunTest, RunsSpanFreeBlocks)
{
	std::vector<vm_page_t> pages = take_all();
	vm_paddr_t first = 4 * MIB + 3 * PAGE_SIZE;
	vm_page_t m;

	/* 4 MiB + 3 pages to 4 MiB + 9 pages: blocks of 1, 4 and 1 pages. */
	vm_phys_free_contig(PHYS_TO_VM_PAGE(first), 6);
	m = vm_phys_alloc_contig(6, 0, UINT64_MAX, 1, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(VM_PAGE_TO_PHYS(m), first);
	vm_phys_free_contig(m, 6);
	m = vm_phys_alloc_contig(5, first + 1, UINT64_MAX, 1, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(VM_PAGE_TO_PHYS(m), first + PAGE_SIZE);
	EXPECT_EQ(free_pages(), 1u);
	EXPECT_EQ(vm_phys_alloc_contig(2, 0, UINT64_MAX, 1, 0), nullptr);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysRunTest, LowestAddressComesFirst)
{
	std::vector<vm_page_t> pages = take_all();
	vm_paddr_t places[] = {5 * MIB, 4 * MIB + 64 * KIB, 4 * MIB + 256 * KIB};
	vm_page_t m;

	for (vm_paddr_t pa : places)
		vm_phys_free_contig(PHYS_TO_VM_PAGE(pa), 8);
	m = vm_phys_alloc_contig(4, 0, UINT64_MAX, 1, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(VM_PAGE_TO_PHYS(m), 4 * MIB + 64 * KIB);
}

TEST_F(VmPhysRunTest, OtherDomainsServeWhenTheFirstCannot)
{
	uint64_t there = vm_phys_free_pages(0);
	std::vector<vm_page_t> pages(there);
	vm_page_t m;

	ASSERT_EQ(vm_phys_alloc_batch(0, pages.data(), (unsigned)there), there);
	m = vm_phys_alloc_contig(16, 0, UINT64_MAX, 1, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(m->domain, 1);
}

TEST_F(VmPhysRunTest, BadRequestsAreRefused)
{
	const RunRequest bad[] = {
	    {0, 0, UINT64_MAX, 1, 0},                       /* nothing */
	    {1, 5 * MIB, 5 * MIB, 1, 0},                    /* empty range */
	    {1, 5 * MIB, 4 * MIB, 1, 0},                    /* upside down */
	    {1, 0, UINT64_MAX, 0, 0},                       /* alignments */
	    {1, 0, UINT64_MAX, 3 * PAGE_SIZE, 0},           /* that are not */
	    {1, 0, UINT64_MAX, 1, 3 * PAGE_SIZE},           /* powers of two */
	    {2, 0, UINT64_MAX, 1, PAGE_SIZE},               /* boundary below size */
	    {1, 0, UINT64_MAX, 1, PAGE_SIZE / 2},           /* the same */
	    {UINT64_MAX, 0, UINT64_MAX, 1, 0},              /* size wraps */
	    {(1UL << 52) + 1, 0, UINT64_MAX, 1, 0},         /* size wraps to a page */
	    {1, 0, UINT64_MAX, UINT64_C(1) << 63, 0},       /* nothing is there */
	    {1, UINT64_MAX - 1, UINT64_MAX, PAGE_SIZE, 0},  /* aligning wraps */
	    {2, 5 * MIB, 5 * MIB + 2 * PAGE_SIZE - 1, 1, 0} /* one byte short */
	};
	uint64_t before = free_pages();

	for (const RunRequest &want : bad)
		EXPECT_EQ(alloc(want), nullptr) << &want - bad;
	EXPECT_EQ(free_pages(), before);
	EXPECT_TRUE(audit_ok());
}

/*
 * The walk over a full segment lets go of the lock after each 256 pages. A run that an interrupt
 * frees at this moment, around the place where the walk stands, is found all the same.
 */
TEST_F(VmPhysRunTest, WalkSeesBlocksThatFormUnderIt)
{
	struct Interrupt {
		unsigned moments;
		vm_page_t run;
	} interrupt = {};

	config.ranges[0] = {2 * MIB, 10 * MIB, 0};
	config.range_count = 1;
	config.image_size = 64 * KIB + 3 * PAGE_SIZE;
	restart();
	std::vector<vm_page_t> pages = take_all();
	vm_paddr_t stop = vm_phys_segment(0)->start + 256 * PAGE_SIZE;

	ASSERT_EQ(stop % (8 * PAGE_SIZE), 3 * PAGE_SIZE);
	interrupt.run = PHYS_TO_VM_PAGE(align_down(stop, 8 * PAGE_SIZE));
	/* As many free pages as are wanted, but apart, or nobody would begin to walk. */
	for (unsigned i = 0; i < 8; i++)
		vm_phys_free(PHYS_TO_VM_PAGE(8 * MIB + 2 * i * PAGE_SIZE), 0);
	host_set_watch(
	    [](enum arch_hook_kind kind, const volatile void *, void *ctx) {
		    auto *i = static_cast<Interrupt *>(ctx);

		    /* Number 0 is when the lock is first taken. */
		    if (kind == ARCH_HOOK_IRQ && spin_held_count() == 0 && i->moments++ == 1)
			    vm_phys_free_contig(i->run, 8);
	    },
	    &interrupt);
	vm_page_t m = vm_phys_alloc_contig(8, 0, UINT64_MAX, 1, 0);
	host_set_watch(nullptr, nullptr);
	EXPECT_GT(interrupt.moments, 1u);
	EXPECT_EQ(m, interrupt.run);
}

/* Blocks of the highest order join to runs that no single block could hold. */
TEST_F(VmPhysRunTest, RunsMayBeLargerThanTheLargestBlock)
{
	unsigned long npages = (1ul << (VM_PHYS_ORDERS - 1)) + 5;
	vm_page_t m;

	config.ranges[0] = {2 * GIB, 5 * GIB, 0};
	config.range_count = 1;
	restart();
	m = vm_phys_alloc_contig(npages, 0, UINT64_MAX, GIB, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(VM_PAGE_TO_PHYS(m) % GIB, 0u);
	EXPECT_TRUE(audit_ok());
	vm_phys_free_contig(m, npages);
	EXPECT_TRUE(audit_ok());
}

/* --- Misuse and failure --- */

using VmPhysDeathTest = VmPhysTest;

TEST_F(VmPhysDeathTest, DoubleFreeIsNamed)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	vm_phys_free(m, 0);
	EXPECT_DEATH(vm_phys_free(m, 0), "freed twice");
}

TEST_F(VmPhysDeathTest, PartOfAFreeBlockCannotBeFreedAgain)
{
	vm_page_t m = vm_phys_alloc(0, 4);

	vm_phys_free(m, 4);
	EXPECT_DEATH(vm_phys_free_contig(m + 3, 2), "freed twice");
}

TEST_F(VmPhysDeathTest, WiredPageCannotBeFreed)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	m->wire_count = 1;
	EXPECT_DEATH(vm_phys_free(m, 0), "wire count 1");
}

TEST_F(VmPhysDeathTest, MisalignedBlockCannotBeFreed)
{
	vm_page_t m = vm_phys_alloc(0, 2);

	EXPECT_DEATH(vm_phys_free(m + 1, 1), "check failed");
}

TEST_F(VmPhysDeathTest, RunPastItsSegmentCannotBeFreed)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	EXPECT_DEATH(vm_phys_free_contig(m, 1 << 20), "check failed");
}

TEST_F(VmPhysTest, EveryEntryFailsWhenToldAndChangesNothing)
{
	struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, nullptr};
	Blocks before = blocks();
	vm_page_t m;

	host_fault_arm(&plan);
	EXPECT_EQ(vm_phys_alloc(0, 0), nullptr);
	EXPECT_EQ(vm_phys_alloc_batch(0, &m, 1), 0u);
	EXPECT_EQ(vm_phys_alloc_contig(1, 0, UINT64_MAX, 1, 0), nullptr);
	EXPECT_EQ(host_fault_failures(), 3u);
	EXPECT_EQ(host_fault_site_count(), 3u);
	host_fault_disarm();
	EXPECT_EQ(blocks(), before);
}

/* --- The audit itself --- */

TEST_F(VmPhysTest, AuditSeesWhatIsBroken)
{
	vm_page_t m = vm_phys_alloc(0, 3);
	uint8_t order;

	m->state = VM_PAGE_FREE; /* free, but in no block */
	EXPECT_FALSE(audit_ok());
	m->state = VM_PAGE_ALLOCATED;
	m[1].order = 2; /* a head, but on no list */
	EXPECT_FALSE(audit_ok());
	m[1].order = VM_PAGE_NO_ORDER;
	EXPECT_TRUE(audit_ok());

	vm_phys_free(m, 3);
	m[2].state = VM_PAGE_ALLOCATED; /* in a block, but not free */
	EXPECT_FALSE(audit_ok());
	m[2].state = VM_PAGE_FREE;
	m[2].wire_count = 1;
	EXPECT_FALSE(audit_ok());
	m[2].wire_count = 0;
	m = TAILQ_FIRST(&vm_phys_domain_of(0)->free[0]);
	ASSERT_NE(m, nullptr);
	order = m->order;
	m->order = 5; /* on the list of another order */
	EXPECT_FALSE(audit_ok());
	m->order = order;
	vm_phys_domain_of(0)->blocks[0]++;
	EXPECT_FALSE(audit_ok());
	vm_phys_domain_of(0)->blocks[0]--;
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, AuditSeesEachFieldOfABlock)
{
	struct vm_phys_domain *d = vm_phys_domain_of(0);
	unsigned order = 1;
	auto expect_found = [](auto *field, auto value, const char *text) {
		auto before = *field;

		*field = static_cast<decltype(before)>(value);
		EXPECT_FALSE(audit_ok());
		EXPECT_NE(report_text()->find(text), std::string::npos) << *report_text();
		*field = before;
	};

	while (order < VM_PHYS_ORDERS && TAILQ_EMPTY(&d->free[order]))
		order++;
	ASSERT_LT(order, (unsigned)VM_PHYS_ORDERS);
	vm_page_t m = TAILQ_FIRST(&d->free[order]);

	expect_found(&m[1].order, 0, "inside a free block has order 0");
	expect_found(&m[1].wire_count, 1, "has wire count 1");
	expect_found(&m[1].object, kernel_object, "has wire count 0, object");
	expect_found(&m->domain, 1, "of domain 1 is on a list of domain 0");
	expect_found(&m->phys_addr, m->phys_addr + PAGE_SIZE, "is not aligned in its segment");
	expect_found(&m[1].phys_addr, m->phys_addr, "is that of page");
	expect_found(&m[1].segment, 7, "is that of page");
	expect_found(&d->nonempty, 0, "misjudges whether it has blocks of order");
	expect_found(&d->total_pages, d->total_pages + 1, "descriptors, its count says");
	expect_found(&d->total_pages, 0, "descriptors, its count says 0");
	atomic64_add(&d->free_pages, 1, MO_RELAXED);
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("free pages, its blocks hold"), std::string::npos);
	atomic64_sub(&d->free_pages, 1, MO_RELAXED);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, AuditSeesAWriteToAFreePage)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	vm_page_poison(m);
	vm_phys_free(m, 0);
	EXPECT_TRUE(audit_ok());
	bytes_of(m)[PAGE_SIZE - 1] ^= 1;
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("was written: offset 4088"), std::string::npos);

	/* One that is said to be zero must be. */
	memset(bytes_of(m), 0, PAGE_SIZE);
	m->flags = PG_ZERO;
	EXPECT_TRUE(audit_ok());
	bytes_of(m)[0] = 1;
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("offset 0 holds 0x1, expected 0"), std::string::npos);
	bytes_of(m)[0] = 0;
	m->flags = 0;
}

TEST_F(VmPhysTest, AuditSeesBuddiesThatWereNotJoined)
{
	vm_page_t m = vm_phys_alloc(0, 1);
	struct vm_phys_domain *d = vm_phys_domain_of(0);

	/* Both halves go on the list of order 0, one by one and behind the allocator's back. */
	for (unsigned i = 0; i < 2; i++) {
		m[i].state = VM_PAGE_FREE;
		m[i].order = 0;
		TAILQ_INSERT_HEAD(&d->free[0], &m[i], link);
	}
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("was not joined with its buddy"), std::string::npos);
	for (unsigned i = 0; i < 2; i++) {
		TAILQ_REMOVE(&d->free[0], &m[i], link);
		m[i].state = VM_PAGE_ALLOCATED;
		m[i].order = VM_PAGE_NO_ORDER;
	}
	EXPECT_TRUE(audit_ok());
	vm_phys_free(m, 1);
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
