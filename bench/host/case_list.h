/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of cases, by what the subjects stand for. Every program makes its list here, so that a
 * name means the same sizes and the same order of requests in all of them.
 */
#ifndef QUIRE_BENCH_HOST_CASE_LIST_H
#define QUIRE_BENCH_HOST_CASE_LIST_H

#include "bench/host/shapes.h"

namespace bench
{

enum : size_t { LIST_PAGE = 4096 };

/* What the loops cost by themselves; it is in all other figures. */
inline void add_empty_cases(std::vector<Case> *cases)
{
	add_shapes(cases, "empty", Nothing(), LIST_PAGE);
}

/* One page of memory. */
template <typename Subject> void add_page_cases(std::vector<Case> *cases, Subject page)
{
	add_shapes(cases, "page", page, LIST_PAGE);
	cases->push_back(handover_case("page.handover", page, LIST_PAGE));
}

/* Whole pages in a row: any number of them. */
template <typename Subject> void add_kmem_cases(std::vector<Case> *cases, Subject kmem)
{
	add_shapes(cases, "kmem1", kmem, LIST_PAGE);
	for (size_t pages : {4, 16}) {
		std::string family = "kmem" + std::to_string(pages);
		size_t size = pages * LIST_PAGE;

		cases->push_back(shape_case<Pair<Subject>>(family + ".pair", kmem, size));
		cases->push_back(shape_case<Batch<Subject, 64>>(family + ".batch64", kmem, size));
	}
	cases->push_back(random_case("kmem.random", kmem, LIST_PAGE, LIST_PAGE, 16 * LIST_PAGE));
	cases->push_back(handover_case("kmem1.handover", kmem, LIST_PAGE));
}

/* Items of one size, from an allocator that knows it beforehand. */
template <typename Subject> void add_zone_cases(std::vector<Case> *cases, Subject zone, size_t size)
{
	std::string family = "zone" + std::to_string(size);

	add_shapes(cases, family, zone, size);
	cases->push_back(handover_case(family + ".handover", zone, size));
}

/*
 * Memory of any size. Most calls say it as a constant, so those of one size come as subjects that
 * do; `any` takes what it is told.
 */
template <typename S64, typename S256, typename S4096, typename Any>
void add_malloc_cases(std::vector<Case> *cases, S64 s64, S256 s256, S4096 s4096, Any any)
{
	add_shapes(cases, "malloc64", s64, 64);
	add_shapes(cases, "malloc256", s256, 256);
	add_shapes(cases, "malloc4096", s4096, 4096);
	cases->push_back(random_case("malloc.random", any, 8, 16, 2048));
	cases->push_back(handover_case("malloc256.handover", s256, 256));
}

} // namespace bench

#endif
