/* SPDX-License-Identifier: BSD-2-Clause */
/* The caches before the allocators: ranges of kmem_map, magazines of pages and of zones' items. */
#include "tests/host/vm/nth_failure.h"
#include "vm/uma.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_magazine.h"

namespace quire
{

namespace
{

constexpr vm_size_t CACHED = ptoa(2);
constexpr size_t MANY = 200; /* more than the magazines of one CPU hold */

/* The caches are on for as long as a case takes, and empty before and after it. */
void caches_on(NthBench &)
{
	kmem_cache_enable(true);
}

void caches_off(NthBench &)
{
	kmem_cache_enable(false);
}

NthCase range_case(const char *name, int flags)
{
	NthCase made;

	made.name = name;
	made.certain = (flags & M_WAITOK) != 0;
	made.prepare = caches_on;
	made.cleanup = caches_off;
	made.call = [=](NthBench &bench) {
		bench.addr = kmem_malloc(kmem_map, CACHED, flags);
		if (bench.addr == 0)
			kmem_cache_drain(); /* what it brought in for the next ones */
		return bench.addr != 0;
	};
	made.undo = [](NthBench &bench) {
		kmem_free(kmem_map, bench.addr, CACHED);
		kmem_cache_drain();
	};
	return made;
}

/* A free puts a range into the cache, for which a magazine is wanted; without one it is unmapped.
 */
NthCase range_free_case(const char *name, size_t count)
{
	NthCase made;

	made.name = name;
	made.certain = true;
	made.prepare = [=](NthBench &bench) {
		caches_on(bench);
		for (size_t i = 0; i < count; i++) {
			vm_offset_t addr = kmem_malloc(kmem_map, CACHED, M_NOWAIT);

			ASSERT_NE(addr, 0u);
			bench.items.push_back(reinterpret_cast<void *>(addr));
		}
	};
	made.call = [](NthBench &bench) {
		for (void *item : bench.items)
			kmem_free(kmem_map, reinterpret_cast<vm_offset_t>(item), CACHED);
		bench.items.clear();
		kmem_cache_drain();
		return true;
	};
	made.cleanup = caches_off;
	return made;
}

NthCase switch_case()
{
	NthCase made;

	made.name = "kmem_cache_enable";
	made.certain = true;
	made.call = [](NthBench &bench) {
		caches_on(bench);
		caches_off(bench);
		/* So that there is something to fail. */
		bench.addr = kmem_alloc_nofault(kernel_map, PAGE_SIZE);
		if (bench.addr != 0)
			kmem_free(kernel_map, bench.addr, PAGE_SIZE);
		return true;
	};
	return made;
}

/* Pages in and out, more than the magazines hold, so that full and empty ones are exchanged. */
NthCase pages_case(const char *name, int req)
{
	NthCase made;

	made.name = name;
	made.call = [=](NthBench &bench) {
		vm_page_t m = nullptr;

		for (size_t i = 0; i < MANY; i++) {
			m = vm_page_alloc(nullptr, 0, req | VM_ALLOC_NOOBJ);
			if (m == nullptr)
				break;
			bench.items.push_back(m);
		}
		for (void *item : bench.items)
			vm_page_free(static_cast<vm_page_t>(item));
		bench.items.clear();
		vm_magazine_drain();
		return m != nullptr;
	};
	return made;
}

/* The same of a zone's items. */
NthCase items_case(const char *name, size_t size)
{
	NthCase made;

	made.name = name;
	made.prepare = [size](NthBench &bench) {
		bench.zone = uma_zcreate("nth", size, nullptr, nullptr, nullptr, nullptr,
					 UMA_ALIGN_PTR, UMA_ZONE_NODEBUG);
		ASSERT_NE(bench.zone, nullptr);
	};
	made.call = [](NthBench &bench) {
		void *item = nullptr;

		for (size_t i = 0; i < MANY; i++) {
			item = uma_zalloc(bench.zone, M_NOWAIT);
			if (item == nullptr)
				break;
			bench.items.push_back(item);
		}
		for (void *one : bench.items)
			uma_zfree(bench.zone, one);
		bench.items.clear();
		uma_zone_reclaim(bench.zone);
		return item != nullptr;
	};
	made.cleanup = [](NthBench &bench) { EXPECT_TRUE(uma_zdestroy(bench.zone)); };
	return made;
}

NthCase reclaim_case()
{
	NthCase made = items_case("uma_reclaim", 300);

	made.certain = true;
	made.call = [](NthBench &bench) {
		void *item = uma_zalloc(bench.zone, M_NOWAIT);

		if (item != nullptr)
			uma_zfree(bench.zone, item);
		uma_reclaim();
		return true;
	};
	return made;
}

} // namespace

std::vector<NthCase> nth_cases_caches()
{
	return {
	    range_case("kmem_malloc_cached_nowait", M_NOWAIT),
	    range_case("kmem_malloc_cached_zeroed", M_NOWAIT | M_ZERO),
	    range_case("kmem_malloc_cached_waitok", M_WAITOK),
	    range_free_case("kmem_free_cached", 40),
	    switch_case(),
	    pages_case("vm_page_alloc_many", VM_ALLOC_NORMAL),
	    pages_case("vm_page_alloc_many_zeroed", VM_ALLOC_NORMAL | VM_ALLOC_ZERO),
	    items_case("uma_zalloc_many", 100),
	    items_case("uma_zalloc_many_pages", PAGE_SIZE),
	    reclaim_case(),
	};
}

} // namespace quire
