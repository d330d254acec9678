// SPDX-License-Identifier: BSD-2-Clause
/* A page is taken away from readers who use it all the time, and is somebody else's at once. */
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;

void create()
{
	keep_shootdown_lines();
	page.create(0);
}

void reset()
{
	page.map();
}

void run(unsigned cpu)
{
	page.use();
	if (cpu == 0)
		return page.unmap_and_give_away();
	page.use();
	page.use();
}

/* A CPU may use the page until it has acknowledged, whatever it was doing. */
void nmi()
{
	page.use_now();
}

const struct explore_scenario shootdown_free = {
    .name = "shootdown_free",
    .about = "a page is unmapped and given away while two CPUs read it",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .nmi = nmi,
};
EXPLORE_REGISTER(shootdown_free)

} // namespace
} // namespace quire
