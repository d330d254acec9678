// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page is unmapped and waits until every CPU has flushed at its own time, or is made to; then it
 * is somebody else's. Numbers of generations wrap after two.
 */
#include "smp/tlb.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage pages[3];

void create()
{
	keep_shootdown_lines();
	for (unsigned i = 0; i < 3; i++)
		pages[i].create(2 * i); /* no neighbours */
}

void reset()
{
	for (const MappedPage &page : pages)
		page.map();
}

void complain(const char *line)
{
	explore_fail("%s", line);
}

void check()
{
	(void)shootdown_audit(complain);
}

/* What passed once has passed for ever. */
void give_away_when_passed(const MappedPage &page, tlb_generation_t generation)
{
	bool passed = tlb_generation_passed(generation);

	for (unsigned looks = explore_choose(8); !passed && looks > 0; looks--)
		passed = tlb_generation_passed(generation);
	if (!passed)
		tlb_generation_force(generation, SHOOTDOWN_FORCED);
	if (!tlb_generation_passed(generation))
		explore_fail("generation %#lx has passed, and then has not",
			     (unsigned long)generation);
	page.give_away();
}

void free_page(const MappedPage &page)
{
	tlb_generation_t generation;

	arch_pte_write(page.leaf, 0);
	generation = tlb_generation_begin();
	tlb_catch_up();
	give_away_when_passed(page, generation);
}

void use_and_tick(unsigned cpu)
{
	pages[cpu % 2].use();
	tlb_catch_up();
	pages[0].use();
	pages[2].use();
}

void run_one(unsigned cpu)
{
	if (cpu != 0)
		return use_and_tick(cpu);
	pages[0].use();
	free_page(pages[0]);
}

/* A CPU may use the page until it has flushed, whatever it was doing. */
void nmi()
{
	for (const MappedPage &page : pages)
		page.use_now();
}

const struct explore_scenario tlb_generation = {
    .name = "tlb_generation",
    .about = "a page waits for its generation while two CPUs use it and tick",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_one,
    .check = check,
    .nmi = nmi,
};
EXPLORE_REGISTER(tlb_generation)

/* Three numbers are used, of which the last is 0. */
void run_wrap(unsigned cpu)
{
	pages[1 - cpu % 2].use();
	if (cpu >= 2)
		return use_and_tick(cpu);
	free_page(pages[cpu]);
	pages[2].use();
	if (cpu == 0)
		free_page(pages[2]);
}

const struct explore_scenario tlb_wrap = {
    .name = "tlb_wrap",
    .about = "two CPUs free pages, and each other's generations wrap",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_wrap,
    .check = check,
};
EXPLORE_REGISTER(tlb_wrap)

/* The same as tlb_wrap with so many that only chance brings two of them together. */
const struct explore_scenario tlb_eight = {
    .name = "tlb_eight",
    .about = "two of eight CPUs free pages, six use them and tick",
    .cpus = 8,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_wrap,
    .check = check,
    .nmi = nmi,
};
EXPLORE_REGISTER(tlb_eight)

} // namespace
} // namespace quire
