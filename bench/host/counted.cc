/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/host/counted.h"

extern "C" void bench_counted(bench::Worker *worker, size_t ops)
{
	worker->run(ops);
	/* Not a tail call: callgrind must see the function return. */
	__asm__ volatile("" : : : "memory");
}
