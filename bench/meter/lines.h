/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who holds which cache line, if every CPU's cache were infinite and every line 64 bytes.
 *
 * A line is held by the CPUs that accessed it since it was last written by another one. A transfer
 * is an access to a line that has ever been written and that this CPU does not hold, or a write to
 * a line that another CPU holds. So a first touch, and any number of readers of what nobody wrote,
 * cost nothing: this counts what CPUs do to each other, not misses to memory.
 *
 * Lines go by the address of the RAM byte (physical), not by virtual addresses: caches are tagged
 * so, a kernel sees one page at several addresses (direct map, kernel map), and an address that
 * is given a new page is not the old line.
 *
 * Context: any number of threads; each call is atomic by itself.
 */
#ifndef QUIRE_BENCH_METER_LINES_H
#define QUIRE_BENCH_METER_LINES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LINE_SHIFT = 6,
	LINE_SIZE = 1 << LINE_SHIFT,
	LINES_CPUS_MAX = 64,
};

/* RAM that the table covers; memory is taken for what is touched only. */
#define LINES_RAM_MAX (UINT64_C(1) << 36)

/* False, with errno set, if the address space for the table is not to be had. */
bool lines_init(void);

/* Whether this access is a transfer. address must lie below LINES_RAM_MAX, cpu below 64. */
bool lines_access(unsigned cpu, uint64_t address, bool store);

#ifdef __cplusplus
}
#endif

#endif
