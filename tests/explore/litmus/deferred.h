/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What litmus programs of the deferred shootdown share: the newest generation, and what each CPU
 * says of itself. The rules are those of smp/tlb.h; each program breaks one of them in its own
 * text, so these steps are single.
 */
#ifndef QUIRE_TESTS_EXPLORE_LITMUS_DEFERRED_H
#define QUIRE_TESTS_EXPLORE_LITMUS_DEFERRED_H

#include "arch/atomic.h"
#include "arch/mmu.h"
#include "tests/explore/scenario.h"

namespace quire
{

struct Generations {
	/* In create(); `first` is what all begin with. */
	void create(uint32_t first)
	{
		newest.value = first;
		for (struct atomic32 &one : seen)
			one.value = first;
		explore_watch(&newest, sizeof(newest), "newest generation");
		explore_watch(seen, sizeof(seen), "seen generations");
		explore_watch(lazy, sizeof(lazy), "lazy");
	}

	/* The caller has cleared the entries. */
	uint32_t begin()
	{
		return atomic32_add(&newest, 1, MO_SEQ_CST) + 1;
	}

	uint32_t read() const
	{
		return atomic32_load(&newest, MO_SEQ_CST);
	}

	/* The caller has flushed after it read `generation`. */
	void publish(unsigned cpu, uint32_t generation)
	{
		atomic32_store(&seen[cpu], generation, MO_RELEASE);
	}

	void catch_up(unsigned cpu)
	{
		uint32_t reached = read();

		if (reached == atomic32_load(&seen[cpu], MO_RELAXED))
			return;
		arch_tlb_flush();
		publish(cpu, reached);
	}

	bool has_seen(unsigned cpu, uint32_t wanted) const
	{
		return (int32_t)(atomic32_load(&seen[cpu], MO_ACQUIRE) - wanted) >= 0;
	}

	bool is_lazy(unsigned cpu) const
	{
		return atomic32_load(&lazy[cpu], MO_SEQ_CST) != 0;
	}

	bool has_passed(unsigned cpu, uint32_t wanted) const
	{
		return is_lazy(cpu) || has_seen(cpu, wanted);
	}

	void lazy_enter(unsigned cpu)
	{
		atomic32_store(&lazy[cpu], 1, MO_RELEASE);
	}

	void lazy_leave(unsigned cpu)
	{
		atomic32_exchange(&lazy[cpu], 0, MO_SEQ_CST);
		catch_up(cpu);
	}

	struct atomic32 newest, seen[3], lazy[3];
};

} // namespace quire

#endif
