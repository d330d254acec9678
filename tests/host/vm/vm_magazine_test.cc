/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_magazine.h"

#include "tests/host/vm/pages_fixture.h"
#include "vm/vm_page_internal.h"

namespace quire
{
namespace
{

class VmMagazineTest : public PagesTest
{
      protected:
	VmMagazineTest()
	{
		config_with_holes();
	}

	static struct vm_magazine_stats stats(unsigned cpu)
	{
		struct vm_magazine_stats s;

		vm_magazine_stats(cpu, &s);
		return s;
	}

	static std::vector<vm_page_t> alloc(unsigned domain, unsigned n)
	{
		std::vector<vm_page_t> pages;

		while (pages.size() < n) {
			pages.push_back(vm_magazine_alloc(domain, 0));
			EXPECT_NE(pages.back(), nullptr);
		}
		return pages;
	}

	/* What a magazine of the domain is filled with. */
	static unsigned rounds_of(unsigned domain)
	{
		return atomic32_load(&vm_magazine_cache(domain, VM_MAGAZINE_ANY)->rounds,
				     MO_RELAXED);
	}

	static uint64_t depot_of(enum vm_magazine_kind kind)
	{
		return mag_cache_depot_cached(vm_magazine_cache(0, kind));
	}

	static bool is_zero(vm_page_t m)
	{
		for (unsigned i = 0; i < PAGE_SIZE; i++)
			if (bytes_of(m)[i] != 0)
				return false;
		return true;
	}

	static void free_pages_of(std::vector<vm_page_t> *pages)
	{
		for (vm_page_t m : *pages)
			vm_page_free(m);
		pages->clear();
	}

	static void free_all(std::vector<vm_page_t> *pages)
	{
		for (vm_page_t m : *pages)
			vm_magazine_free(m);
		pages->clear();
	}
};

TEST_F(VmMagazineTest, OneMissBringsAMagazineOfHits)
{
	config_one_range(64 * MIB);
	restart();
	unsigned rounds = rounds_of(0);
	std::vector<vm_page_t> pages = alloc(0, rounds);

	EXPECT_GE(rounds, 32u);
	EXPECT_EQ(stats(0).alloc_misses, 1u);
	EXPECT_EQ(stats(0).alloc_hits, rounds - 1u);
	EXPECT_EQ(stats(0).cached, 0u);
	free_all(&pages);
	EXPECT_EQ(stats(0).free_hits, (uint64_t)rounds);
	EXPECT_EQ(stats(0).free_misses, 0u);
	EXPECT_EQ(stats(0).cached, (uint64_t)rounds);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, PagesGoThroughTheDepotToOtherCpus)
{
	config_one_range(64 * MIB);
	config.cpus = 2;
	restart();
	unsigned rounds = rounds_of(0);
	std::vector<vm_page_t> pages = alloc(0, 4 * rounds);
	uint64_t in_phys;

	on_cpu(1, [&] { free_all(&pages); });
	EXPECT_GE(vm_magazine_depot_cached(), rounds);
	EXPECT_EQ(vm_magazine_cached(), 4 * rounds);
	in_phys = free_pages();
	pages = alloc(0, 2 * rounds);
	EXPECT_EQ(free_pages(), in_phys);
	EXPECT_TRUE(audit_ok());
	free_all(&pages);
}

TEST_F(VmMagazineTest, AtTheEdgeOfAMagazineCallsHit)
{
	config_one_range(64 * MIB);
	restart();
	std::vector<vm_page_t> pages = alloc(0, rounds_of(0) * 4);
	uint64_t misses;

	free_all(&pages);
	misses = stats(0).alloc_misses + stats(0).free_misses;
	for (unsigned i = 0; i < 1000; i++) {
		pages = alloc(0, 1 + i % 2);
		free_all(&pages);
	}
	EXPECT_LE(stats(0).alloc_misses + stats(0).free_misses, misses + 2);
	EXPECT_TRUE(audit_ok());
}

/* --- Zero pages --- */

TEST_F(VmMagazineTest, AnIdleCpuMakesZeroPages)
{
	config_one_range(64 * MIB);
	config.fill_ram = true;
	restart();
	unsigned made = 0;

	EXPECT_EQ(vm_magazine_alloc_zero(0), nullptr);
	while (vm_magazine_zero_one()) {
		made++;
		ASSERT_LE(made, vm_phys_total_pages(0) / 64);
	}
	EXPECT_GE(made, 16u);
	EXPECT_EQ(stats(0).zeroed + depot_of(VM_MAGAZINE_ZERO), made);
	EXPECT_TRUE(audit_ok());
	for (unsigned i = 0; i < made; i++) {
		vm_page_t m =
		    vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);

		ASSERT_NE(m, nullptr);
		EXPECT_EQ(m->flags, PG_ZERO);
		EXPECT_TRUE(is_zero(m));
		vm_page_free(m);
	}
	EXPECT_EQ(stats(0).zeroed + depot_of(VM_MAGAZINE_ZERO), 0u);
	EXPECT_TRUE(vm_magazine_zero_one());
	EXPECT_TRUE(audit_ok());
}

/* A page that was written while it was used is not said to be zero afterwards. */
TEST_F(VmMagazineTest, AUsedPageIsNotKnownZero)
{
	vm_page_t m;

	ASSERT_TRUE(vm_magazine_zero_one());
	m = vm_magazine_alloc_zero(0);
	ASSERT_NE(m, nullptr);
	bytes_of(m)[100] = 1;
	vm_page_free(m);
	EXPECT_EQ(m->flags & PG_ZERO, 0);
	EXPECT_EQ(vm_magazine_alloc_zero(0), nullptr);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, ZeroPagesServeEverybodyBeforeAnAllocationFails)
{
	std::vector<vm_page_t> pages, all;

	while (vm_magazine_zero_one())
		;
	uint64_t zeroed = vm_magazine_cached();
	ASSERT_GT(zeroed, 0u);
	all = take_all();
	for (uint64_t i = 0; i < zeroed; i++) {
		pages.push_back(vm_page_alloc(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ));
		ASSERT_NE(pages.back(), nullptr);
	}
	EXPECT_EQ(vm_page_alloc(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ), nullptr);
	give_back(&all);
	for (vm_page_t m : pages)
		vm_page_free(m);
}

TEST_F(VmMagazineTest, NothingIsZeroedAheadWhereMemoryIsShort)
{
	std::vector<vm_page_t> all = take_all();

	EXPECT_FALSE(vm_magazine_zero_one());
	give_back(&all);
	EXPECT_TRUE(vm_magazine_zero_one());
}

/* --- Domains --- */

TEST_F(VmMagazineTest, ACpuIsServedFromItsOwnDomainFirst)
{
	config.cpus = 3;
	config.cpu_domains[1] = 1;
	restart();
	for (unsigned cpu = 0; cpu < 3; cpu++)
		run_on(cpu, [cpu] {
			std::vector<vm_page_t> pages;

			for (unsigned i = 0; i < 20; i++) {
				pages.push_back(
				    vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ));
				EXPECT_EQ(pages.back()->domain, cpu == 1 ? 1 : 0);
			}
			free_pages_of(&pages);
		});
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, PagesGoHomeWhereverTheyAreFreed)
{
	config.cpus = 2;
	config.cpu_domains[1] = 1;
	restart();
	std::vector<vm_page_t> pages = alloc(0, 30);

	on_cpu(1, [&] { free_pages_of(&pages); });
	EXPECT_TRUE(audit_ok());
	on_cpu(1, [] {
		for (unsigned i = 0; i < 20; i++)
			EXPECT_EQ(
			    vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ)->domain, 1);
	});
}

TEST_F(VmMagazineTest, OtherDomainsServeWhenTheOwnOneHasNothing)
{
	std::vector<vm_page_t> all = take_all(), pages;
	vm_page_t m = nullptr;

	for (vm_page_t page : all)
		if (page->domain == 1)
			m = page;
	vm_phys_free(m, 0);
	EXPECT_EQ(vm_page_alloc(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ), m);
	give_back(&all);
}

TEST_F(VmMagazineTest, StatesFollowThePage)
{
	vm_page_t m = vm_magazine_alloc(1, 0);

	EXPECT_EQ(m->state, VM_PAGE_ALLOCATED);
	EXPECT_EQ(m->domain, 1);
	vm_magazine_free(m);
	EXPECT_EQ(m->state, VM_PAGE_MAGAZINE);
	vm_magazine_drain();
	EXPECT_EQ(m->state, VM_PAGE_FREE);
}

TEST_F(VmMagazineTest, PagesStayInTheirDomain)
{
	std::vector<vm_page_t> pages = alloc(0, 20), others = alloc(1, 20);

	for (unsigned i = 0; i < 20; i++) {
		EXPECT_EQ(pages[i]->domain, 0);
		EXPECT_EQ(others[i]->domain, 1);
	}
	free_all(&pages);
	free_all(&others);
	EXPECT_TRUE(audit_ok());
	for (unsigned i = 0; i < 20; i++)
		EXPECT_EQ(vm_magazine_alloc(i % 2, 0)->domain, i % 2);
}

TEST_F(VmMagazineTest, DrainGivesBackEverything)
{
	Blocks before = blocks();
	std::vector<vm_page_t> pages = alloc(0, 50), others = alloc(1, 50);
	uint64_t cached;

	free_all(&pages);
	free_all(&others);
	cached = vm_magazine_cached();
	EXPECT_GT(cached, 0u);
	EXPECT_EQ(vm_magazine_drain(), cached);
	EXPECT_EQ(vm_magazine_drain(), 0u);
	EXPECT_EQ(blocks(), before);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, DrainReachesEveryCpu)
{
	config.cpus = 4;
	restart();
	Blocks before = blocks();

	for (unsigned cpu = 0; cpu < 4; cpu++) {
		run_on(cpu, [] {
			std::vector<vm_page_t> pages = alloc(arch_cpu_id() % 2, 3);

			free_all(&pages);
		});
		EXPECT_GE(stats(cpu).cached, 1u);
	}
	EXPECT_TRUE(audit_ok());
	on_cpu(3, [] { vm_magazine_drain(); });
	for (unsigned cpu = 0; cpu < 4; cpu++)
		EXPECT_EQ(stats(cpu).cached, 0u);
	EXPECT_EQ(blocks(), before);
}

TEST_F(VmMagazineTest, FloorStaysInVmPhys)
{
	uint64_t floor = free_pages() - 3;
	std::vector<vm_page_t> pages;

	while (vm_page_t m = vm_magazine_alloc(0, floor))
		pages.push_back(m);
	EXPECT_EQ(pages.size(), 3u);
	EXPECT_EQ(free_pages(), floor);
	free_all(&pages);
}

TEST_F(VmMagazineTest, BatchesShrinkAsMemoryRunsOut)
{
	uint64_t reserved = vm_page_limits.free_reserved;
	std::vector<vm_page_t> all = take_all();
	vm_page_t m;

	/* Ten pages more than every class may have. */
	for (uint64_t i = 0; i < reserved + 10; i++) {
		vm_phys_free(all.back(), 0);
		all.pop_back();
	}
	m = vm_magazine_alloc(all.back()->domain, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(stats(0).cached, 10u / 2 - 1) << "half of what is above the reserve, at most";
	vm_magazine_free(m);
	vm_magazine_drain();
	for (unsigned i = 0; i < 10; i++)
		all.push_back(vm_magazine_alloc(all.back()->domain, reserved));
	vm_magazine_drain();
	m = vm_magazine_alloc(all.back()->domain, 0);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(stats(0).cached, 0u) << "what is for other classes is in no magazine";
	all.push_back(m);
	give_back(&all);
}

TEST_F(VmMagazineTest, AllMagazinesHoldAtMostASmallPartOfRam)
{
	for (unsigned cpus : {1u, 2u, 8u, 13u}) {
		for (uint64_t mib : {2u, 4u, 16u, 64u}) {
			uint64_t most;

			config_one_range(mib * MIB);
			config.cpus = cpus;
			restart();
			most = vm_phys_total_pages(0) / 64;
			on_all_cpus([] {
				std::vector<vm_page_t> pages;

				for (unsigned i = 0; i < 80; i++)
					if (vm_page_t m = vm_magazine_alloc(0, 0))
						pages.push_back(m);
				free_all(&pages);
			});
			EXPECT_LE(pages_in(VM_PAGE_MAGAZINE), most) << cpus << " " << mib;
			EXPECT_TRUE(audit_ok());
		}
	}
}

TEST_F(VmMagazineTest, WithoutRoomForMagazinesPagesComeFromVmPhys)
{
	config_one_range(1 * MIB);
	config.cpus = 8;
	restart();
	uint64_t before = free_pages();
	vm_page_t m = vm_magazine_alloc(0, 0);

	ASSERT_NE(m, nullptr);
	EXPECT_EQ(free_pages(), before - 1);
	vm_magazine_free(m);
	EXPECT_EQ(free_pages(), before);
	EXPECT_EQ(vm_magazine_drain(), 0u);
}

/* --- One CPU hoards, another starves --- */

class VmMagazineHoardTest : public VmMagazineTest
{
      protected:
	void hoard()
	{
		config_one_range(64 * MIB);
		config.cpus = 3;
		restart();
		for (unsigned cpu : {1u, 2u})
			on_cpu(cpu, [] {
				std::vector<vm_page_t> pages = alloc(0, 100);

				free_all(&pages);
				while (vm_magazine_zero_one())
					;
			});
		ASSERT_GE(stats(1).cached + stats(2).cached, 64u);
	}

	static std::vector<vm_page_t> alloc_all()
	{
		std::vector<vm_page_t> pages;

		while (vm_page_t m = vm_page_alloc(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ))
			pages.push_back(m);
		return pages;
	}
};

TEST_F(VmMagazineHoardTest, AThreadGetsEveryPageThatThereIs)
{
	hoard();
	uint64_t there = vm_page_free_count();
	std::vector<vm_page_t> pages = alloc_all();

	EXPECT_EQ(pages.size(), there);
	EXPECT_EQ(vm_magazine_cached(), 0u);
	free_pages_of(&pages);
	EXPECT_EQ(vm_page_free_count(), there);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineHoardTest, ARunIsMadeOfWhatOthersHaveCached)
{
	hoard();
	std::vector<vm_page_t> all = take_all();
	vm_page_t run = vm_page_alloc_contig(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ, 4, 0,
					     UINT64_MAX, PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);

	EXPECT_NE(run, nullptr);
	for (unsigned i = 0; run != nullptr && i < 4; i++)
		vm_page_free(run + i);
	give_back(&all);
}

/* With a spinlock held it gets its own and the depot's; and then the rest, with the lock dropped.
 */
TEST_F(VmMagazineHoardTest, WhoCannotWaitForOthersIsToldWhetherToTryAgain)
{
	struct spinlock lock = SPINLOCK_INIT("test", LOCK_RANK_MAP);

	hoard();
	uint64_t there = vm_page_free_count(), others = stats(1).cached + stats(2).cached;

	spin_lock(&lock);
	std::vector<vm_page_t> pages = alloc_all();
	EXPECT_FALSE(vm_page_reclaim_for(VM_ALLOC_INTERRUPT, 1));
	spin_unlock(&lock);
	EXPECT_EQ(pages.size(), there - others);
	EXPECT_EQ(vm_magazine_cached(), others);
	EXPECT_TRUE(vm_page_reclaim_for(VM_ALLOC_INTERRUPT, 1));
	EXPECT_FALSE(vm_page_reclaim_for(VM_ALLOC_INTERRUPT, 1)) << "nothing is cached any more";
	std::vector<vm_page_t> rest = alloc_all();
	EXPECT_EQ(rest.size(), others);
	free_pages_of(&pages);
	free_pages_of(&rest);
}

TEST_F(VmMagazineHoardTest, WherePagesAreLeftNobodyIsDisturbed)
{
	hoard();
	uint64_t sent = host_ipi_sent(ARCH_IPI_CALL);

	EXPECT_FALSE(vm_page_reclaim_for(VM_ALLOC_SYSTEM, 10));
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_CALL), sent);
	EXPECT_GE(vm_magazine_cached(), 64u);
}

TEST_F(VmMagazineTest, WhoCountsIsNotDisturbedByIdleCpus)
{
	vm_magazine_pause();
	EXPECT_FALSE(vm_magazine_idle());
	EXPECT_FALSE(vm_magazine_zero_one());
	vm_magazine_pause();
	vm_magazine_resume();
	EXPECT_FALSE(vm_magazine_zero_one());
	vm_magazine_resume();
	EXPECT_TRUE(vm_magazine_zero_one());
}

/* With time, what nobody uses goes back. */
TEST_F(VmMagazineTest, IdleCachesShrink)
{
	config_one_range(64 * MIB);
	restart();
	std::vector<vm_page_t> pages = alloc(0, 200);
	unsigned rounds = rounds_of(0);

	free_all(&pages);
	uint64_t depot = vm_magazine_depot_cached();
	ASSERT_GT(depot, 0u);
	for (unsigned i = 0; i < 3; i++)
		vm_magazine_age();
	EXPECT_LT(rounds_of(0), rounds);
	EXPECT_LT(vm_magazine_depot_cached(), depot);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, UnknownCpuHasEmptyStatistics)
{
	EXPECT_EQ(stats(400).cached, 0u);
	EXPECT_EQ(stats(400).alloc_hits, 0u);
}

TEST_F(VmMagazineTest, AuditSeesWhatIsBroken)
{
	vm_page_t m = vm_magazine_alloc(0, 0);

	vm_magazine_free(m);
	EXPECT_TRUE(audit_ok());
	m->state = VM_PAGE_ALLOCATED;
	EXPECT_FALSE(audit_ok());
	vm_magazine_free(m); /* now it is there twice */
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("a second time"), std::string::npos) << *report_text();
}

TEST_F(VmMagazineTest, AuditSeesEachFieldOfAPage)
{
	vm_page_t m = vm_magazine_alloc(0, 0);
	auto expect_found = [](auto *field, auto value, const char *text) {
		auto before = *field;

		*field = static_cast<decltype(before)>(value);
		EXPECT_FALSE(audit_ok());
		EXPECT_NE(report_text()->find(text), std::string::npos) << *report_text();
		*field = before;
	};

	vm_page_poison(m);
	vm_magazine_free(m);
	expect_found(&m->domain, 1, "of domain 1 is kept for 0");
	expect_found(&m->object, kernel_object, "is in use");
	expect_found(&m->wire_count, 1, "is in use");
	expect_found(&m->order, 0, "is in use");
	bytes_of(m)[0] ^= 1;
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("was written at offset 0"), std::string::npos);
	bytes_of(m)[0] ^= 1;
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, PageInUseIsRefused)
{
	vm_page_t m = vm_magazine_alloc(0, 0);

	m->wire_count = 1;
	EXPECT_DEATH(vm_magazine_free(m), "check failed");
	m->wire_count = 0;
	vm_magazine_free(m);
	EXPECT_DEATH(vm_magazine_free(m), "check failed");
}

} // namespace
} // namespace quire
