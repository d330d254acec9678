/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/percpu.h"

#include "lib/check.h"
#include "lib/string.h"

/* Written once, by the boot CPU while it is alone; so reading it is no shared access. */
bool percpu_ready;

/* The boot CPU needs its area before any allocator exists. */
static struct percpu boot_area;

/* A bit for each line of the areas that is given out. */
enum { LINE_WORDS = PERCPU_LINES / 64 };
static struct atomic64 lines_used[LINE_WORDS];

_Static_assert(PERCPU_LINES % 64 == 0, "whole words");

/* Atomic, as a CPU that never came loses its area while others run. */
static struct atomic_ptr areas[MAXCPU];

struct percpu *percpu_of(unsigned cpu)
{
	if (cpu >= MAXCPU)
		return NULL;
	return (struct percpu *)atomic_ptr_load(&areas[cpu], MO_ACQUIRE);
}

void percpu_init(struct percpu *area, unsigned cpu)
{
	CHECK_LT(cpu, MAXCPU);
	CHECK_EQ((uintptr_t)area % CACHE_LINE, 0);
	area->arch.self = &area->arch;
	area->arch.cpu = cpu;
	area->vm_pages = PERCPU_ZERO_OFFSET;
	/* Pairs with the acquire in percpu_of. */
	atomic_ptr_store(&areas[cpu], area, MO_RELEASE);
}

void percpu_forget(unsigned cpu)
{
	atomic_ptr_store(&areas[cpu], NULL, MO_RELEASE);
}

void percpu_init_boot(void)
{
	/* What the backend keeps there, and what has happened so far, moves along. */
	struct arch_percpu head = *arch_percpu();

	memset(areas, 0, sizeof(areas));
	memset(lines_used, 0, sizeof(lines_used));
	atomic64_store(&lines_used[0], 1, MO_RELAXED); /* PERCPU_ZERO_OFFSET */
	memset(&boot_area, 0, sizeof(boot_area));
	boot_area.arch = head;
	percpu_init(&boot_area, 0);
	arch_percpu_install(&boot_area.arch);
	percpu_ready = true;
}

/* --- Lines --- */

static uint32_t line_offset(unsigned line)
{
	return (uint32_t)(offsetof(struct percpu, lines) + line * sizeof(struct percpu_line));
}

/* The first place for `mask` in a word of which the bits in `used` are taken; 64: none. */
static unsigned line_place(uint64_t used, uint64_t mask, unsigned count)
{
	for (unsigned bit = 0; bit + count <= 64; bit++)
		if ((used & mask << bit) == 0)
			return bit;
	return 64;
}

uint32_t percpu_lines_alloc(unsigned count)
{
	uint64_t mask = ((uint64_t)1 << count) - 1;

	CHECK(count >= 1 && count <= PERCPU_LINES_MAX);
	for (unsigned word = 0; word < LINE_WORDS; word++) {
		uint64_t used = atomic64_load(&lines_used[word], MO_RELAXED);
		unsigned bit;

		while ((bit = line_place(used, mask, count)) < 64)
			/* Acquire: pairs with the release in percpu_lines_free. */
			if (atomic64_cas(&lines_used[word], &used, used | mask << bit, MO_ACQUIRE))
				return line_offset(word * 64 + bit);
	}
	return 0;
}

static void lines_clear(uint32_t offset, unsigned count)
{
	for (unsigned cpu = 0; cpu < MAXCPU; cpu++)
		if (percpu_of(cpu) != NULL)
			memset(percpu_at_cpu(cpu, offset), 0, count * sizeof(struct percpu_line));
}

void percpu_lines_free(uint32_t offset, unsigned count)
{
	unsigned line =
	    (offset - (uint32_t)offsetof(struct percpu, lines)) / sizeof(struct percpu_line);
	uint64_t mask = (((uint64_t)1 << count) - 1) << (line % 64);

	CHECK_LE(line + count, PERCPU_LINES);
	CHECK_EQ(line_offset(line), offset);
	lines_clear(offset, count);
	if ((atomic64_and(&lines_used[line / 64], ~mask, MO_RELEASE) & mask) != mask)
		panic("percpu: lines at offset %u are given back, but not all were given out",
		      offset);
}

unsigned percpu_lines_used(void)
{
	unsigned used = 0;

	for (unsigned word = 0; word < LINE_WORDS; word++) {
		uint64_t bits = atomic64_load(&lines_used[word], MO_RELAXED);

		for (; bits != 0; bits &= bits - 1)
			used++;
	}
	return used - 1;
}

void *percpu_at_cpu(unsigned cpu, uint32_t offset)
{
	struct percpu *area = percpu_of(cpu);

	return area != NULL ? (char *)area + offset : NULL;
}
