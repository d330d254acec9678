/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs of pages with conditions: vm_phys_alloc_contig. */
#include "tests/host/vm/vm_phys_fixture.h"

namespace quire
{
namespace
{

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

} // namespace
} // namespace quire
