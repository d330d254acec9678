/* SPDX-License-Identifier: BSD-2-Clause */
/* One CPU's part in the stress: items, patterns, and handing over. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/stress/scenario.h"
#include "lib/check.h"
#include "vm/vm_malloc_flags.h"

enum {
	INSPECT_EVERY = 6, /* one step on an item in so many looks at it a second time */
	WAIT_EVERY = 8,
	SHARE_PERCENT = 25, /* of a worker's share: holding more, it does not wait for memory */
	PAUSE_NS = 50 * 1000 * 1000,
};

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). */
uint64_t stress_random(struct stress_worker *worker, uint64_t limit)
{
	uint64_t z = worker->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % limit;
}

static uint64_t quota(const struct stress_worker *worker, unsigned percent)
{
	return worker->share_bytes / 100 * percent;
}

/*
 * Those who wait hold little, and those who hold much go on giving back: so never do all wait for
 * what they hold among them.
 */
int stress_wait_flag(struct stress_worker *worker)
{
	bool may_wait = stress_choice_now()->scenario.may_wait &&
			worker->held_bytes < quota(worker, SHARE_PERCENT);

	return stress_random(worker, WAIT_EVERY) == 0 && may_wait ? M_WAITOK : M_NOWAIT;
}

/* --- What takes longest --- */

static void time_end(struct stress_worker *worker, enum stress_timed what, const char *name,
		     uint64_t start_ns)
{
	uint64_t ns = arch_clock_ns() - start_ns;

	if (ns > worker->worst[what].ns)
		worker->worst[what] = (struct stress_worst){ns, name, worker->cpu};
}

/* --- Patterns --- */

void stress_fill(struct stress_item *item, uint64_t seed)
{
	item->seed = seed;
	item->filled_by = arch_cpu_id();
	pattern_fill(item->addr, item->size, seed);
}

/* addr is where this CPU sees the item: its own address, or another one for the same memory. */
void stress_check(struct stress_worker *worker, const struct stress_item *item, vm_offset_t addr,
		  const char *how)
{
	uint64_t found = 0;
	vm_offset_t bad = pattern_find(addr, item->size, item->seed, &found);

	worker->bytes += item->size;
	if (bad == 0)
		return;
	stress_error("%s %#lx (%lu bytes, filled by cpu %u): cpu %u, %s, at %#lx expected %#lx, "
		     "found %#lx",
		     item->kind->name, (unsigned long)item->addr, (unsigned long)item->size,
		     item->filled_by, arch_cpu_id(), how, (unsigned long)bad,
		     (unsigned long)pattern_word((bad - addr) / sizeof(found), item->seed),
		     (unsigned long)found);
}

void stress_check_zero(const struct stress_item *item, const char *what)
{
	const volatile uint64_t *words = (const volatile uint64_t *)item->addr;

	for (vm_size_t i = 0; i < item->size / sizeof(*words); i++) {
		uint64_t word = words[i];

		if (word == 0)
			continue;
		stress_error("%s %#lx (%lu bytes): cpu %u at %#lx expected 0, found %#lx", what,
			     (unsigned long)item->addr, (unsigned long)item->size, arch_cpu_id(),
			     (unsigned long)&words[i], (unsigned long)word);
		return;
	}
}

/* --- Items --- */

static void item_make(struct stress_worker *worker, struct stress_item *item)
{
	const struct stress_kind *kind =
	    stress_pick_kind(stress_choice_now(), stress_random(worker, 1u << 20));
	uint64_t start = arch_clock_ns();
	bool made = kind->make(worker, item);

	time_end(worker, STRESS_MAKE, kind->name, start);
	if (!made) {
		worker->short_of_memory++;
		return;
	}
	item->kind = kind;
	worker->held_bytes += item->size;
	stress_fill(item, stress_random(worker, UINT64_MAX));
}

static void item_drop(struct stress_worker *worker, struct stress_item *item)
{
	const struct stress_kind *kind = item->kind;
	uint64_t start;

	stress_check(worker, item, item->addr, "before it is freed");
	worker->held_bytes -= item->size;
	start = arch_clock_ns();
	kind->drop(item);
	time_end(worker, STRESS_DROP, kind->name, start);
	item->kind = NULL;
}

/* --- Handing over --- */

static bool inbox_put(struct stress_worker *to, const struct stress_item *item)
{
	bool room;

	spin_lock(&to->lock);
	room = to->inbox_count < STRESS_INBOX;
	if (room)
		to->inbox[to->inbox_count++] = *item;
	spin_unlock(&to->lock);
	return room;
}

static bool inbox_take(struct stress_worker *worker, struct stress_item *item)
{
	bool any;

	spin_lock(&worker->lock);
	any = worker->inbox_count > 0;
	if (any)
		*item = worker->inbox[--worker->inbox_count];
	spin_unlock(&worker->lock);
	return any;
}

static void item_hand_over(struct stress_worker *worker, struct stress_item *item)
{
	unsigned to = (unsigned)stress_random(worker, worker->count);

	if (to == worker->index || !inbox_put(stress_worker_of(to), item))
		return;
	worker->held_bytes -= item->size;
	worker->gone++;
	item->kind = NULL;
}

/* What others left here is checked by this CPU, and given back by it or kept. */
static void inbox_serve(struct stress_worker *worker, struct stress_item *slot)
{
	struct stress_item item;

	if (!inbox_take(worker, &item))
		return;
	worker->held_bytes += item.size;
	stress_check(worker, &item, item.addr, "after another cpu handed it over");
	if (slot->kind == NULL && worker->held_bytes < quota(worker, SHARE_PERCENT))
		*slot = item;
	else
		item_drop(worker, &item);
}

/* --- Steps --- */

static void step_on_item(struct stress_worker *worker, struct stress_item *item,
			 const struct stress_scenario *scenario)
{
	if (stress_random(worker, INSPECT_EVERY) == 0) {
		stress_check(worker, item, item->addr, "looking again");
		if (item->kind->inspect != NULL)
			item->kind->inspect(worker, item);
	} else if (stress_random(worker, scenario->hand_over_every) == 0) {
		item_hand_over(worker, item);
	} else {
		item_drop(worker, item);
	}
}

static void step_act(struct stress_worker *worker, const struct stress_act *act,
		     struct stress_item *item)
{
	uint64_t start = arch_clock_ns();

	act->act(worker, item->kind != NULL ? item : NULL);
	time_end(worker, STRESS_ACT, act->name, start);
}

static void step(struct stress_worker *worker)
{
	struct stress_item *item = &worker->items[stress_random(worker, STRESS_ITEMS)];
	const struct stress_choice *choice = stress_choice_now();
	const struct stress_act *act = stress_pick_act(choice, worker);

	worker->steps++;
	inbox_serve(worker, item);
	if (act != NULL)
		step_act(worker, act, item);
	else if (item->kind != NULL)
		step_on_item(worker, item, &choice->scenario);
	else if (worker->held_bytes < quota(worker, choice->scenario.memory_percent))
		item_make(worker, item);
}

/* After the last step of all workers, for nobody puts anything into an inbox then. */
void stress_worker_empty(struct stress_worker *worker)
{
	struct stress_item item;

	while (inbox_take(worker, &item)) {
		worker->held_bytes += item.size;
		item_drop(worker, &item);
	}
	for (unsigned i = 0; i < STRESS_ITEMS; i++)
		if (worker->items[i].kind != NULL)
			item_drop(worker, &worker->items[i]);
	CHECK_EQ(worker->held_bytes, 0);
}

void stress_worker_run(struct stress_worker *worker)
{
	while (!stress_stopped()) {
		if (stress_paused())
			thread_sleep_ns(PAUSE_NS);
		else
			step(worker);
	}
}
