// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page moves to another frame under a lock, and whoever finds it moved frees the old frame: the
 * lock is held until the old translation is gone, for it is what says that the move is over.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
vm_paddr_t next_frame;
struct atomic32 lock, moved;

struct atomic64 *next_word()
{
	return static_cast<struct atomic64 *>(arch_physmap(next_frame));
}

void create()
{
	page.create(0);
	next_frame = explore_frame();
	explore_watch(next_word(), sizeof(*next_word()), "word of the next frame");
	explore_watch(&lock, sizeof(lock), "lock");
	explore_watch(&moved, sizeof(moved), "moved");
}

void reset()
{
	page.map();
	next_word()->value = MappedPage::FIRST_LIFE;
}

bool lock_try()
{
	return atomic32_exchange(&lock, 1, MO_ACQUIRE) == 0;
}

void lock_drop()
{
	atomic32_store(&lock, 0, MO_RELEASE);
}

void run_mover()
{
	page.use();
	if (!lock_try())
		return;
	arch_pte_exchange(page.leaf, (page.present() & ~PTE_ADDRESS) | next_frame);
	atomic32_store(&moved, 1, MO_RELAXED);
	if (PLANTED(move_unlocked_early))
		lock_drop();
	arch_tlb_invalidate_page(page.va);
	if (!PLANTED(move_unlocked_early))
		lock_drop();
	page.use();
}

void run_freer()
{
	if (!lock_try())
		return;
	if (atomic32_load(&moved, MO_RELAXED) != 0) {
		arch_tlb_invalidate_page(page.va); /* what this one has read ahead */
		page.give_away();
	}
	lock_drop();
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_mover();
	else
		run_freer();
}

const struct explore_scenario litmus_moved_page = {
    .name = "litmus_moved_page",
    .about = "a page moves under a lock, and its old frame is freed",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_moved_page)

} // namespace
} // namespace quire
