/* SPDX-License-Identifier: BSD-2-Clause */
/* Many pages at once, and the stashes of page magazines. */
#include "tests/host/vm/pages_fixture.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page_internal.h"

namespace quire
{
namespace
{

class VmMagazineManyTest : public PagesTest
{
      protected:
	/* So much that each CPU has a stash. */
	void large(unsigned cpus)
	{
		config_one_range(256 * MIB);
		config.cpus = cpus;
		restart();
		ASSERT_GE(cache(0)->stash_limit, 1u);
	}

	static const struct mag_cache *cache(unsigned domain)
	{
		return vm_magazine_cache(domain, VM_MAGAZINE_ANY);
	}

	static std::vector<vm_page_t> alloc(unsigned domain, unsigned want)
	{
		std::vector<vm_page_t> pages(want);

		pages.resize(vm_magazine_alloc_many(domain, 0, pages.data(), want));
		return pages;
	}

	static void free_many(std::vector<vm_page_t> *pages)
	{
		vm_magazine_free_many(pages->data(), (unsigned)pages->size());
		pages->clear();
	}

	static void expect_allocated_once(const std::vector<vm_page_t> &pages)
	{
		std::set<vm_page_t> once(pages.begin(), pages.end());

		EXPECT_EQ(once.size(), pages.size());
		for (vm_page_t m : pages)
			EXPECT_EQ(m->state, VM_PAGE_ALLOCATED);
	}
};

TEST_F(VmMagazineManyTest, ManyComeFromThePhysicalAllocatorAndStayInTheMagazines)
{
	large(1);
	std::vector<vm_page_t> pages = alloc(0, 500);

	ASSERT_EQ(pages.size(), 500u);
	expect_allocated_once(pages);
	std::set<vm_page_t> before(pages.begin(), pages.end());
	free_many(&pages);
	EXPECT_EQ(vm_magazine_cached(), 500u);
	EXPECT_TRUE(audit_ok());
	for (unsigned i = 0; i < 10; i++) {
		uint64_t in_phys = free_pages();

		pages = alloc(0, 500);
		EXPECT_EQ(free_pages(), in_phys);
		for (vm_page_t m : pages)
			EXPECT_EQ(before.count(m), 1u);
		free_many(&pages);
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineManyTest, SinglePagesAndManyAreTheSamePages)
{
	large(1);
	std::vector<vm_page_t> pages = alloc(0, 100);

	for (vm_page_t m : pages)
		vm_magazine_free(m);
	EXPECT_EQ(vm_magazine_cached(), 100u);
	pages = alloc(0, 60);
	while (pages.size() < 100)
		pages.push_back(vm_magazine_alloc(0, 0));
	EXPECT_EQ(vm_magazine_cached(), 0u);
	expect_allocated_once(pages);
	free_many(&pages);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineManyTest, ThereAreNoMoreThanThereAre)
{
	config_one_range(8 * MIB);
	restart();
	std::vector<vm_page_t> pages = alloc(0, 4096), more;

	EXPECT_GT(pages.size(), 0u);
	EXPECT_LT(pages.size(), 4096u);
	EXPECT_EQ(free_pages(), 0u);
	expect_allocated_once(pages);
	EXPECT_EQ(alloc(0, 1).size(), 0u);
	free_many(&pages);
	(void)vm_magazine_drain();
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineManyTest, TheFloorIsKept)
{
	config_one_range(8 * MIB);
	restart();
	std::vector<vm_page_t> pages(4096);
	uint64_t floor = free_pages() / 2;

	pages.resize(vm_magazine_alloc_many(0, floor, pages.data(), 4096));
	EXPECT_EQ(free_pages(), floor);
	free_many(&pages);
}

TEST_F(VmMagazineManyTest, PagesOfSeveralDomainsGoHome)
{
	config_one_range(64 * MIB);
	config.ranges[1] = {65 * MIB, 129 * MIB, 1};
	config.range_count = 2;
	restart();
	std::vector<vm_page_t> pages;

	for (unsigned i = 0; i < 3; i++)
		for (unsigned domain : {1u, 0u})
			for (vm_page_t m : alloc(domain, 7))
				pages.push_back(m);
	ASSERT_EQ(pages.size(), 42u);
	free_many(&pages);
	EXPECT_EQ(mag_cache_cached(cache(0)), 21u);
	EXPECT_EQ(mag_cache_cached(cache(1)), 21u);
	EXPECT_TRUE(audit_ok());
}

/* Each CPU frees what it allocates, many pages at a time: nobody meets anybody. */
TEST_F(VmMagazineManyTest, BatchesOfEachCpuStayThere)
{
	large(2);
	std::set<vm_page_t> own[2];
	unsigned n = (1 + cache(0)->stash_limit) * cache(0)->rounds_limit;

	for (unsigned round = 0; round < 5; round++)
		for (unsigned cpu = 0; cpu < 2; cpu++)
			run_on(cpu, [&] {
				std::vector<vm_page_t> pages;

				for (unsigned i = 0; i < n; i++)
					pages.push_back(vm_page_alloc(
					    nullptr, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ));
				own[cpu].insert(pages.begin(), pages.end());
				for (vm_page_t m : pages)
					vm_page_free(m);
			});
	EXPECT_EQ(vm_magazine_depot_cached(), 0u);
	for (unsigned cpu = 0; cpu < 2; cpu++)
		EXPECT_LE(own[cpu].size(), n + cache(0)->rounds_limit);
	for (vm_page_t m : own[0])
		EXPECT_EQ(own[1].count(m), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineManyTest, AnIdleCpuLetsGoOfItsStash)
{
	large(1);
	std::vector<vm_page_t> pages = alloc(0, 500);

	free_many(&pages);
	ASSERT_EQ(vm_magazine_depot_cached(), 0u);
	for (unsigned i = 0; i < 20; i++) {
		host_clock_advance(1500000000);
		(void)vm_magazine_idle();
	}
	EXPECT_LE(mag_cache_cached(cache(0)), 3u * MAG_ROUNDS);
	EXPECT_TRUE(audit_ok());
}

/* What other CPUs have in stashes is found by whoever has nothing left. */
TEST_F(VmMagazineManyTest, NoAllocationFailsWhileAStashHasPages)
{
	large(2);
	std::vector<vm_page_t> hoard, rest;

	on_cpu(1, [&] {
		hoard = alloc(0, 500);
		free_many(&hoard);
	});
	arch_irq_enable();
	for (vm_page_t m; (m = vm_page_alloc(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ));)
		rest.push_back(m);
	EXPECT_EQ(vm_magazine_cached(), 0u);
	EXPECT_EQ(free_pages(), 0u);
	for (vm_page_t m : rest)
		vm_page_free(m);
	EXPECT_TRUE(audit_ok());
}

} // namespace
} // namespace quire
