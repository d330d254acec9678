/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/meter/lines.h"

#include <stddef.h>
#include <sys/mman.h>

/* written never goes back to false, so it needs no order against holders. */
struct line {
	uint64_t holders; /* bit n: CPU n */
	uint64_t written;
};

static struct line *lines;

bool lines_init(void)
{
	size_t size = (size_t)(LINES_RAM_MAX >> LINE_SHIFT) * sizeof(struct line);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	lines = memory;
	return true;
}

static bool line_load(struct line *line, uint64_t self)
{
	if (__atomic_load_n(&line->holders, __ATOMIC_RELAXED) & self)
		return false;
	__atomic_fetch_or(&line->holders, self, __ATOMIC_RELAXED);
	return __atomic_load_n(&line->written, __ATOMIC_RELAXED) != 0;
}

static bool line_store(struct line *line, uint64_t self)
{
	uint64_t holders = __atomic_load_n(&line->holders, __ATOMIC_RELAXED);

	if (__atomic_load_n(&line->written, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&line->written, 1, __ATOMIC_RELAXED);
	if (holders == self)
		return false;
	holders = __atomic_exchange_n(&line->holders, self, __ATOMIC_RELAXED);
	return (holders & ~self) != 0;
}

bool lines_access(unsigned cpu, uint64_t address, bool store)
{
	struct line *line = &lines[address >> LINE_SHIFT];
	uint64_t self = UINT64_C(1) << cpu;

	return store ? line_store(line, self) : line_load(line, self);
}
