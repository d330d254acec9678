// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several CPUs shoot down at once: each waits for the others and answers them meanwhile. A request
 * that arrives while another one is served must be served as well, and none twice.
 */
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
	shootdown_audit(complain);
}

/* CPUs 0 and 1 ask, CPU 2 is asked by both and uses both pages. */
void run_two(unsigned cpu)
{
	pages[0].use();
	pages[1].use();
	if (cpu < 2)
		pages[cpu].unmap_and_give_away();
	else
		pages[0].use();
}

const struct explore_scenario shootdown_two = {
    .name = "shootdown_two",
    .about = "two CPUs shoot down at once, a third uses both pages",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_two,
    .check = check,
};
EXPLORE_REGISTER(shootdown_two)

/* Each uses the next one's page and takes its own away. */
void run_three(unsigned cpu)
{
	pages[(cpu + 1) % 3].use();
	pages[cpu].unmap_and_give_away();
}

const struct explore_scenario shootdown_three = {
    .name = "shootdown_three",
    .about = "three CPUs shoot down at once, each uses the page of another",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_three,
    .check = check,
};
EXPLORE_REGISTER(shootdown_three)

/* One CPU asks twice in a row: its line is used again as soon as the first request is answered. */
void run_again(unsigned cpu)
{
	pages[0].use();
	pages[1].use();
	if (cpu != 0)
		return;
	pages[0].unmap_and_give_away();
	pages[1].unmap_and_give_away();
}

const struct explore_scenario shootdown_again = {
    .name = "shootdown_again",
    .about = "a CPU asks for one page and at once for another",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_again,
    .check = check,
};
EXPLORE_REGISTER(shootdown_again)

} // namespace
} // namespace quire
