// SPDX-License-Identifier: BSD-2-Clause
/*
 * A batch of the quarantine: closed, THEN given its generation, and released once.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { OWNER, OTHER, USER };

MappedPage pages[2];
Generations generations;

void create()
{
	pages[0].create(0);
	pages[1].create(2);
	generations.create(0);
}

void reset()
{
	for (const MappedPage &page : pages)
		page.map();
}

/* Of two pages; the second one is late if the batch is closed before it. */
void run_owner()
{
	uint32_t wanted = 0;

	arch_pte_exchange(pages[0].leaf, 0);
	if (PLANTED(batch_closed_late))
		wanted = generations.begin();
	arch_pte_exchange(pages[1].leaf, 0);
	if (!PLANTED(batch_closed_late))
		wanted = generations.begin();
	arch_tlb_flush();
	if (!generations.has_seen(1, wanted))
		return;
	pages[0].give_away();
	pages[1].give_away();
}

void run_batch(unsigned cpu)
{
	if (cpu == OWNER)
		return run_owner();
	pages[0].use();
	pages[1].use();
	generations.catch_up(cpu);
	pages[1].use();
}

const struct explore_scenario litmus_batch = {
    .name = "litmus_batch",
    .about = "two pages wait for one generation",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run_batch,
};
EXPLORE_REGISTER(litmus_batch)

struct atomic32 waiting, released; /* batches */

void create_release()
{
	generations.create(0);
	waiting.value = 0;
	explore_watch(&waiting, sizeof(waiting), "waiting batch");
	explore_watch(&released, sizeof(released), "released batches");
}

/* The owner, or somebody who needs memory. */
void release(uint32_t wanted)
{
	uint32_t batch = wanted;

	if (wanted == 0 || !generations.has_seen(USER, wanted))
		return;
	if (PLANTED(batch_released_twice)) {
		if (atomic32_load(&waiting, MO_ACQUIRE) != batch)
			return;
		atomic32_store(&waiting, 0, MO_RELEASE);
	} else if (!atomic32_cas(&waiting, &batch, 0, MO_ACQ_REL)) {
		return;
	}
	atomic32_add(&released, 1, MO_RELAXED);
}

void run_release(unsigned cpu)
{
	if (cpu == USER)
		return generations.catch_up(USER);
	if (cpu == OWNER)
		atomic32_store(&waiting, generations.begin(), MO_RELEASE);
	release(atomic32_load(&waiting, MO_ACQUIRE));
}

void check_release()
{
	if (released.value > 1)
		explore_fail("a batch was released %u times", released.value);
	if (released.value + (waiting.value != 0) != 1)
		explore_fail("the batch is lost");
}

const struct explore_scenario litmus_batch_release = {
    .name = "litmus_batch_release",
    .about = "two CPUs release one batch",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create_release,
    .run = run_release,
    .check = check_release,
};
EXPLORE_REGISTER(litmus_batch_release)

} // namespace
} // namespace quire
