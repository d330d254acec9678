/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc(9) as a subject. Up to a page its memory lies in the direct map. */
#include "bench/host/case_list.h"
#include "bench/host/quire_cases.h"
#include "kernel/malloc/malloc.h"

namespace bench
{

namespace
{

MALLOC_DEFINE(M_BENCH, "bench", "blocks of the benchmark");

struct Heap : PlainMemory {
	Block alloc(size_t size) const
	{
		return kern_malloc(size, M_BENCH, M_NOWAIT);
	}
	void free(Block block, size_t) const
	{
		kern_free(block, M_BENCH);
	}
};

/* The size is known where malloc is called. */
template <size_t SIZE> struct SizedHeap : Heap {
	Block alloc(size_t) const
	{
		return kern_malloc(SIZE, M_BENCH, M_NOWAIT);
	}
};

} // namespace

void add_quire_malloc(std::vector<Case> *cases)
{
	add_malloc_cases(cases, SizedHeap<64>(), SizedHeap<256>(), SizedHeap<4096>(), Heap());
}

} // namespace bench
