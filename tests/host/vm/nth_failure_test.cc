/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every public function that allocates: each allocation inside of it fails in turn, once, for good,
 * and together with a second one further on. What a failed call leaves must be what was there
 * before; nothing leaks; afterwards the call works. On a fresh machine, where pools and magazines
 * are empty and more can fail, and on one that has done it all before.
 */
#include "tests/host/vm/nth_failure.h"

#include <random>
#include <set>

#include "kernel/malloc/malloc.h"
#include "tests/host/vm/fault_sites.h"

namespace
{

using quire::NthBench;
using quire::NthCase;
using quire::NthState;

std::vector<NthCase> all_cases()
{
	std::vector<NthCase> cases;

	for (auto list : {quire::nth_cases_kern, quire::nth_cases_map, quire::nth_cases_pages,
			  quire::nth_cases_zones, quire::nth_cases_malloc, quire::nth_cases_caches})
		for (const NthCase &one : list())
			cases.push_back(one);
	return cases;
}

enum : uint64_t {
	POINTS_MIN = 10000, /* allocations that were made to fail, in all cases together */
	POINTS_OF_CASE = 2, /* in each case: once and for good */
	ATTEMPTS_MAX = 2000,
	FAILURES_MAX = 200, /* then "for good" ends: some calls wait as long as it takes */
	PAIRS_OF_CASE = 24, /* drawn from a seed */
};

/* Which allocations fail. */
struct Failures {
	uint64_t nth = 0; /* 0: none */
	bool for_good = false;
	uint64_t second = 0; /* so many allocations behind the nth; 0: no second one */
};

class NthFailureTest : public quire::VmTest, public ::testing::WithParamInterface<NthCase>
{
      protected:
	static void TearDownTestSuite()
	{
		std::set<std::string> all(std::begin(quire::fault_sites),
					  std::end(quire::fault_sites));

		if (cases_run != all_cases().size())
			return; /* only some were asked for */
		EXPECT_EQ(failed_sites, all);
		EXPECT_GE(points, POINTS_MIN);
		RecordProperty("fault_points", std::to_string(points));
		EXPECT_GT(pairs, all_cases().size());
		printf("%llu allocations failed, %llu of them in pairs; %zu places\n",
		       (unsigned long long)points, (unsigned long long)pairs * 2, all.size());
	}

	void boot_small()
	{
		struct host_config config = {};

		config.cpus = 1;
		config.ranges[0] = {0, 12 << 20, 0};
		config.range_count = 1;
		map_sizes_ = {4 << 20, 2 << 20, 2 << 20, 2 << 20};
		boot(config);
		malloc_startup();
	}

	/* Runs on a machine of its own for each attempt, or on one for all. */
	void fail_each(bool fresh, bool for_good)
	{
		bool reached = true;

		for (uint64_t nth = 1; reached && !HasFailure(); nth++) {
			SCOPED_TRACE(std::string(GetParam().name) + " nth " + std::to_string(nth) +
				     (for_good ? " for good" : " once") +
				     (fresh ? ", fresh" : ", used"));
			ASSERT_LT(nth, ATTEMPTS_MAX);
			if (fresh || nth == 1)
				boot_small();
			if (!fresh && nth == 1)
				attempt({}, false); /* so that pools and tables are there */
			reached = attempt({nth, for_good, 0}, !fresh);
			if (fresh)
				shut_down();
		}
		shut_down();
	}

	/* Pairs of failures, on a used machine: the first anywhere, the second up to ten behind it.
	 */
	void fail_pairs(uint64_t seed)
	{
		std::mt19937_64 random(seed);
		uint64_t calls;

		boot_small();
		attempt({}, false);
		attempt({}, false);
		calls = host_fault_calls();
		for (unsigned i = 0; calls != 0 && i < PAIRS_OF_CASE && !HasFailure(); i++) {
			Failures pair = {1 + random() % calls, false, 1 + random() % 10};

			SCOPED_TRACE(std::string(GetParam().name) + " nth " +
				     std::to_string(pair.nth) + " and " +
				     std::to_string(pair.second) + " behind it");
			/* Not exact: the first failure may lead to other pages, with other tables.
			 */
			attempt(pair, false);
		}
		shut_down();
	}

	/* True when the nth allocation was there to fail. */
	bool attempt(const Failures &failures, bool exact)
	{
		const NthCase &test = GetParam();
		NthState base = NthState::now(), before;
		NthBench bench;
		bool worked, reached;

		if (test.prepare)
			test.prepare(bench);
		before = NthState::now();
		worked = call(bench, failures, &reached);
		if (worked && test.undo)
			test.undo(bench);
		if (!test.keeps_pages && (!worked || (test.undo && !test.once))) {
			EXPECT_EQ(before.text(exact), NthState::now().text(exact));
		}
		EXPECT_TRUE(worked || reached);
		EXPECT_TRUE(worked || !test.certain);
		if (!worked)
			works_now(bench);
		if (test.cleanup)
			test.cleanup(bench);
		if (!test.once) {
			EXPECT_EQ(base.text(exact), NthState::now().text(exact));
		}
		EXPECT_TRUE(audit_ok());
		points += reached;
		return reached;
	}

	static bool call(NthBench &bench, const Failures &failures, bool *reached)
	{
		struct host_fault_plan plan = {};
		bool worked;

		plan.policy = failures.nth == 0   ? HOST_FAULT_OBSERVE
			      : failures.for_good ? HOST_FAULT_FROM_NTH
						  : HOST_FAULT_NTH;
		plan.nth = failures.nth;
		second_ = failures.second;
		first_failed_ = false;
		host_set_watch(after_failures, nullptr);
		host_fault_arm(&plan);
		worked = GetParam().call(bench);
		host_fault_disarm();
		host_set_watch(nullptr, nullptr);
		*reached = first_failed_ || host_fault_failures() != 0;
		pairs += first_failed_ && host_fault_failures() != 0;
		points += first_failed_ && host_fault_failures() != 0;
		remember_sites();
		return worked;
	}

	/* Ends a shortage that would go on for ever, and brings about the second of a pair. */
	static void after_failures(enum arch_hook_kind, const volatile void *, void *)
	{
		struct host_fault_plan plan = {};

		if (host_fault_failures() >= FAILURES_MAX)
			host_fault_disarm();
		if (second_ == 0 || first_failed_ || host_fault_failures() == 0)
			return;
		remember_sites(); /* arming forgets them */
		first_failed_ = true;
		plan.policy = HOST_FAULT_NTH;
		plan.nth = second_;
		host_fault_arm(&plan);
	}

	static void remember_sites()
	{
		struct host_fault_site site;

		for (size_t i = 0; i < host_fault_site_count(); i++)
			if (host_fault_site_get(i, &site) && site.failures != 0)
				failed_sites.insert(site.name);
	}

	static void works_now(NthBench &bench)
	{
		if (!GetParam().outside_maps) {
			EXPECT_TRUE(audit_ok());
		}
		EXPECT_TRUE(GetParam().call(bench));
		if (GetParam().undo)
			GetParam().undo(bench);
	}

	static inline std::set<std::string> failed_sites;
	static inline uint64_t points, pairs;
	static inline uint64_t second_;
	static inline bool first_failed_;
	static inline size_t cases_run;
};

TEST_P(NthFailureTest, LeavesEverythingAsItWasAndWorksAfterwards)
{
	uint64_t before = points;

	fail_each(true, false);
	fail_each(true, true);
	if (!GetParam().once) {
		fail_each(false, false);
		fail_each(false, true);
	}
	EXPECT_GE(points - before, +POINTS_OF_CASE);
	if (!GetParam().once)
		fail_pairs(1);
	cases_run++;
}

/* What the boot cannot do without: each failure is a panic that names itself. */
class NthFailureBootDeathTest : public quire::VmTest
{
      protected:
	/* Runs fn with the nth allocation failing, in a process of its own. */
	static void dies_clearly(uint64_t nth, const char *site, const std::function<void()> &fn,
				 const char *message)
	{
		EXPECT_DEATH(
		    {
			    struct host_fault_plan plan = {};

			    plan.policy = HOST_FAULT_NTH;
			    plan.nth = nth;
			    plan.site = site;
			    host_fault_arm(&plan);
			    fn();
			    fprintf(stderr, "it went on\n");
			    abort();
		    },
		    message)
		    << site << " " << nth;
	}

	static uint64_t count_calls(const std::function<void()> &fn)
	{
		struct host_fault_plan plan = {};

		plan.policy = HOST_FAULT_OBSERVE;
		host_fault_arm(&plan);
		fn();
		host_fault_disarm();
		return host_fault_calls();
	}

	static void create_machine()
	{
		struct host_config config = {};

		config.cpus = 1;
		host_machine_create(&config);
		smp_init();
	}
};

TEST_F(NthFailureBootDeathTest, InitOfKernelMapAndZeroRegion)
{
	uint64_t calls;

	create_machine();
	calls = count_calls(vm_init);
	host_machine_destroy();
	EXPECT_GT(calls, 5u);
	create_machine();
	/* Before there is a map at all, the pool of its entries says so. */
	for (uint64_t nth = 1; nth <= calls; nth++)
		dies_clearly(nth, nullptr, vm_init, "kmem_init: |check failed|it went on");
	dies_clearly(1, "vm_page_alloc", vm_init, "kmem_init: no page for the zero region");
	dies_clearly(1, "vm_map_insert", vm_init,
		     "kmem_init: the kernel image cannot be put into kernel_map");
	dies_clearly(2, "vm_map_insert", vm_init, "kmem_init: no addresses for the zero region");
	host_machine_destroy();
}

TEST_F(NthFailureBootDeathTest, SubmapsOfTheKernelMap)
{
	auto make_maps = [] {
		struct vm_kern_map_sizes sizes = {1 << 20, 1 << 20, 1 << 20, 1 << 20};

		vm_kern_maps_init(&sizes);
	};
	auto suballoc = [] {
		vm_offset_t min, max;

		kmem_suballoc(kernel_map, &min, &max, SUPERPAGE_SIZE, true);
	};
	uint64_t calls;

	boot(1);
	calls = count_calls(make_maps);
	EXPECT_GT(calls, 8u);
	for (uint64_t nth = 1; nth <= calls; nth++)
		dies_clearly(nth, nullptr, make_maps, "kmem_suballoc: |it went on");
	dies_clearly(1, "vm_map_insert", suballoc, "kmem_suballoc: no range of");
	dies_clearly(1, "vm_map_create", suballoc, "kmem_suballoc: no memory for a map");
}

INSTANTIATE_TEST_SUITE_P(Calls, NthFailureTest, ::testing::ValuesIn(all_cases()),
			 [](const ::testing::TestParamInfo<NthCase> &info) {
				 return std::string(info.param.name);
			 });

} // namespace
