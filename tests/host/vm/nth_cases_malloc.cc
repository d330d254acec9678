/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc(9): all of malloc.h that allocates, in classes, across them, and beyond the largest. */
#include <cstring>

#include "kernel/malloc/malloc.h"
#include "tests/host/vm/nth_failure.h"

namespace quire
{

namespace
{

MALLOC_DEFINE(M_NTH, "nth", "pieces of the test");

constexpr size_t LARGE = 5 * PAGE_SIZE;

/* Slabs and cached items are of use, and stay until they are reclaimed. */
void drop(NthBench &bench)
{
	kern_free(bench.item, M_NTH);
	bench.item = nullptr;
	uma_reclaim();
}

NthCase malloc_case(const char *name, size_t size, int flags)
{
	NthCase made;

	made.name = name;
	made.certain = (flags & M_WAITOK) != 0;
	made.call = [=](NthBench &bench) {
		return (bench.item = kern_malloc(size, M_NTH, flags)) != nullptr;
	};
	made.undo = drop;
	return made;
}

/* The old piece keeps its contents when there is no memory for the new one. */
NthCase realloc_case(const char *name, size_t from, size_t to, int flags)
{
	NthCase made;

	made.name = name;
	made.certain = (flags & M_WAITOK) != 0;
	made.prepare = [=](NthBench &bench) {
		bench.item = kern_malloc(from, M_NTH, M_NOWAIT);
		ASSERT_NE(bench.item, nullptr);
		if (from <= MALLOC_CLASS_MAX)
			memset(bench.item, 0x5a, from);
		else
			host_fill((vm_offset_t)bench.item, 0x5a, from);
	};
	made.call = [=](NthBench &bench) {
		void *moved = kern_realloc(bench.item, to, M_NTH, flags);
		unsigned char first = 0;
		size_t size = moved != nullptr ? to : from;
		void *now = moved != nullptr ? moved : bench.item;

		if (size <= MALLOC_CLASS_MAX)
			first = *static_cast<unsigned char *>(now);
		else
			host_load((vm_offset_t)now, &first, 1);
		EXPECT_EQ(first, 0x5a);
		if (moved == nullptr)
			return false;
		bench.item = moved;
		return true;
	};
	made.cleanup = drop;
	return made;
}

/* The old piece is gone either way. */
NthCase reallocf_case(const char *name, size_t from, size_t to)
{
	NthCase made;

	made.name = name;
	made.call = [=](NthBench &bench) {
		void *old = kern_malloc(from, M_NTH, M_NOWAIT);

		if (old == nullptr)
			return false;
		bench.item = kern_reallocf(old, to, M_NTH, M_NOWAIT);
		if (bench.item == nullptr)
			uma_reclaim();
		return bench.item != nullptr;
	};
	made.undo = drop;
	return made;
}

/* Frees need no memory, though a magazine for what is freed may have to be found. */
NthCase free_case(const char *name, size_t size, size_t count)
{
	NthCase made;

	made.name = name;
	made.certain = true;
	made.prepare = [=](NthBench &bench) {
		for (size_t i = 0; i < count; i++) {
			bench.items.push_back(kern_malloc(size, M_NTH, M_NOWAIT));
			ASSERT_NE(bench.items.back(), nullptr);
		}
	};
	made.call = [=](NthBench &bench) {
		for (void *item : bench.items)
			kern_free(item, M_NTH);
		bench.items.clear();
		/* So that there is something to fail: what was freed goes, and one is wanted. */
		uma_reclaim();
		kern_free(kern_malloc(size, M_NTH, M_NOWAIT), M_NTH);
		return true;
	};
	made.cleanup = [](NthBench &) { uma_reclaim(); };
	return made;
}

} // namespace

std::vector<NthCase> nth_cases_malloc()
{
	return {
	    malloc_case("malloc_smallest_nowait", 1, M_NOWAIT),
	    malloc_case("malloc_class_nowait", 500, M_NOWAIT | M_ZERO),
	    malloc_case("malloc_class_waitok", 500, M_WAITOK),
	    malloc_case("malloc_largest_class_nowait", MALLOC_CLASS_MAX, M_NOWAIT),
	    malloc_case("malloc_largest_class_waitok", MALLOC_CLASS_MAX, M_WAITOK | M_ZERO),
	    malloc_case("malloc_reserve", 1000, M_NOWAIT | M_USE_RESERVE),
	    malloc_case("malloc_large_nowait", LARGE, M_NOWAIT),
	    malloc_case("malloc_large_waitok", LARGE, M_WAITOK | M_ZERO),
	    realloc_case("realloc_to_another_class", 100, 1000, M_NOWAIT),
	    realloc_case("realloc_to_large", 100, LARGE, M_NOWAIT),
	    realloc_case("realloc_from_large", LARGE, 100, M_NOWAIT),
	    realloc_case("realloc_large_to_larger", LARGE, 4 * LARGE, M_NOWAIT),
	    realloc_case("realloc_waitok", 100, LARGE, M_WAITOK),
	    reallocf_case("reallocf_to_another_class", 100, 1000),
	    reallocf_case("reallocf_to_large", 100, LARGE),
	    free_case("free_many", 200, 300),
	    free_case("free_large", LARGE, 12),
	};
}

} // namespace quire
