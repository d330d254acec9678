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
	std::vector<vm_page_t> pages = alloc(0, VM_MAGAZINE_ROUNDS);

	EXPECT_EQ(stats(0).alloc_misses, 1u);
	EXPECT_EQ(stats(0).alloc_hits, VM_MAGAZINE_ROUNDS - 1u);
	EXPECT_EQ(stats(0).cached, 0u);
	free_all(&pages);
	EXPECT_EQ(stats(0).free_hits, (uint64_t)VM_MAGAZINE_ROUNDS);
	EXPECT_EQ(stats(0).free_misses, 0u);
	EXPECT_EQ(stats(0).cached, (uint64_t)VM_MAGAZINE_ROUNDS);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmMagazineTest, BothMagazinesAreUsedBeforeAnExchange)
{
	config_one_range(64 * MIB);
	restart();
	std::vector<vm_page_t> pages = alloc(0, 2 * VM_MAGAZINE_ROUNDS);
	struct vm_magazine_stats before;

	free_all(&pages);
	before = stats(0);
	EXPECT_EQ(before.cached, 2u * VM_MAGAZINE_ROUNDS);
	pages = alloc(0, 2 * VM_MAGAZINE_ROUNDS);
	free_all(&pages);
	EXPECT_EQ(stats(0).alloc_misses, before.alloc_misses);
	EXPECT_EQ(stats(0).free_misses, before.free_misses);
}

TEST_F(VmMagazineTest, AtTheEdgeOfAMagazineOnlyEveryNthCallMisses)
{
	config_one_range(64 * MIB);
	restart();
	std::vector<vm_page_t> pages = alloc(0, VM_MAGAZINE_ROUNDS * 4);
	uint64_t misses;

	free_all(&pages);
	misses = stats(0).alloc_misses + stats(0).free_misses;
	for (unsigned i = 0; i < 1000; i++) {
		pages = alloc(0, 1 + i % 2);
		free_all(&pages);
	}
	EXPECT_EQ(stats(0).alloc_misses + stats(0).free_misses, misses);
	EXPECT_TRUE(audit_ok());
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
	cached = stats(0).cached;
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
	vm_page_t m = vm_magazine_alloc(0, free_pages() - 10);

	ASSERT_NE(m, nullptr);
	EXPECT_EQ(stats(0).cached, 10u / 2 - 1) << "half of what is above the floor, at most";
	vm_magazine_free(m);
	vm_magazine_drain();
	m = vm_magazine_alloc(0, free_pages() - 1);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(stats(0).cached, 0u);
	vm_magazine_free(m);
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
	m->pindex = 5; /* some other CPU's */
	EXPECT_FALSE(audit_ok());
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
