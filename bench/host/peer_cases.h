/* SPDX-License-Identifier: BSD-2-Clause */
/* The cases of peer_bench: the same as those of quire_bench, on malloc(). */
#ifndef QUIRE_BENCH_HOST_PEER_CASES_H
#define QUIRE_BENCH_HOST_PEER_CASES_H

#include "bench/host/case.h"

namespace bench
{

std::vector<Case> peer_cases();

} // namespace bench

#endif
