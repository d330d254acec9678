/* SPDX-License-Identifier: BSD-2-Clause */
/* The cases of quire_bench. The machine must be booted when they are made, and still be there. */
#ifndef QUIRE_BENCH_HOST_QUIRE_CASES_H
#define QUIRE_BENCH_HOST_QUIRE_CASES_H

#include "bench/host/case.h"

namespace bench
{

std::vector<Case> quire_cases();

/* Its parts: pages and kernel memory, zones, malloc(9). */
void add_quire_pages(std::vector<Case> *cases);
void add_quire_zones(std::vector<Case> *cases);
void add_quire_malloc(std::vector<Case> *cases);

} // namespace bench

#endif
