/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of uma.h that allocate: in the direct map, in runs of pages, in kmem_map. */
#include "tests/host/vm/nth_failure.h"
#include "vm/uma.h"

namespace quire
{

namespace
{

/* The zone itself is made before anything fails, and goes when nothing does. */
NthCase zone_case(const char *name, size_t size)
{
	NthCase made;

	made.name = name;
	made.prepare = [size](NthBench &bench) {
		bench.zone = uma_zcreate("nth", size, nullptr, nullptr, nullptr, nullptr,
					 UMA_ALIGN_PTR, UMA_ZONE_NODEBUG);
		ASSERT_NE(bench.zone, nullptr);
	};
	made.cleanup = [](NthBench &bench) { EXPECT_TRUE(uma_zdestroy(bench.zone)); };
	return made;
}

NthCase alloc_case(const char *name, size_t size, int flags)
{
	NthCase made = zone_case(name, size);

	made.certain = (flags & M_WAITOK) != 0;
	made.call = [flags](NthBench &bench) {
		return (bench.item = uma_zalloc(bench.zone, flags)) != nullptr;
	};
	made.undo = [](NthBench &bench) {
		uma_zfree(bench.zone, bench.item);
		uma_zone_reclaim(bench.zone);
	};
	return made;
}

/* What was made before the failure is of use, and stays until it is reclaimed. */
NthCase prealloc_case(const char *name, size_t size, int items)
{
	NthCase made = zone_case(name, size);

	made.call = [items](NthBench &bench) {
		bool worked = uma_prealloc(bench.zone, items) >= items;

		if (!worked)
			uma_zone_reclaim(bench.zone);
		return worked;
	};
	made.undo = [](NthBench &bench) { uma_zone_reclaim(bench.zone); };
	return made;
}

NthCase create_case()
{
	NthCase made;

	made.name = "uma_zcreate";
	made.call = [](NthBench &bench) {
		bench.zone = uma_zcreate("nth", 100, nullptr, nullptr, nullptr, nullptr, 7, 0);
		return bench.zone != nullptr;
	};
	made.undo = [](NthBench &bench) { EXPECT_TRUE(uma_zdestroy(bench.zone)); };
	return made;
}

NthCase large_case(const char *name, int flags)
{
	NthCase made;

	made.name = name;
	made.certain = (flags & M_WAITOK) != 0;
	made.call = [flags](NthBench &bench) {
		return (bench.item = uma_large_malloc(50000, flags)) != nullptr;
	};
	made.undo = [](NthBench &bench) { uma_large_free(bench.item); };
	return made;
}

} // namespace

std::vector<NthCase> nth_cases_zones()
{
	return {
	    create_case(),
	    alloc_case("uma_zalloc_nowait", 100, M_NOWAIT),
	    alloc_case("uma_zalloc_waitok", 100, M_WAITOK),
	    alloc_case("uma_zalloc_reserve", 2048, M_NOWAIT | M_USE_RESERVE),
	    alloc_case("uma_zalloc_page_nowait", PAGE_SIZE, M_NOWAIT),
	    alloc_case("uma_zalloc_page_waitok", PAGE_SIZE, M_WAITOK),
	    alloc_case("uma_zalloc_large_nowait", 9 * PAGE_SIZE, M_NOWAIT),
	    alloc_case("uma_zalloc_large_waitok", 9 * PAGE_SIZE, M_WAITOK),
	    prealloc_case("uma_prealloc", 200, 100),
	    prealloc_case("uma_prealloc_large", 3 * PAGE_SIZE, 6),
	    large_case("uma_large_malloc_nowait", M_NOWAIT),
	    large_case("uma_large_malloc_waitok", M_WAITOK),
	};
}

} // namespace quire
