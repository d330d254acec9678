/* SPDX-License-Identifier: BSD-2-Clause */
/* What callgrind counts, by this name. */
#ifndef QUIRE_BENCH_HOST_COUNTED_H
#define QUIRE_BENCH_HOST_COUNTED_H

#include "bench/host/case.h"

/* worker->run(ops). Never inlined, so that the name is there. */
extern "C" void bench_counted(bench::Worker *worker, size_t ops);

#endif
