/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/host/peer_cases.h"

#include <cstdlib>

#include "bench/host/case_list.h"

namespace bench
{

namespace
{

struct Malloc : PlainMemory {
	Block alloc(size_t size) const
	{
		return std::malloc(size);
	}
	void free(Block block, size_t) const
	{
		std::free(block);
	}
};

template <size_t SIZE> struct SizedMalloc : Malloc {
	Block alloc(size_t) const
	{
		return std::malloc(SIZE);
	}
};

} // namespace

std::vector<Case> peer_cases()
{
	std::vector<Case> cases;
	Malloc heap;

	add_empty_cases(&cases);
	add_page_cases(&cases, heap);
	add_kmem_cases(&cases, heap);
	for (size_t size : {64, 256, 4096})
		add_zone_cases(&cases, heap, size);
	add_malloc_cases(&cases, SizedMalloc<64>(), SizedMalloc<256>(), SizedMalloc<4096>(), heap);
	return cases;
}

} // namespace bench
