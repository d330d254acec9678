/* SPDX-License-Identifier: BSD-2-Clause */
/* One CPU's part in the stress: items, patterns, and handing over. */
#include "kernel/pattern.h"
#include "kernel/stress/stress.h"

#include "arch/cpu.h"
#include "kernel/sched/thread.h"
#include "lib/check.h"

/* One step in so many hands an item to another CPU; one in so many looks at one a second time. */
enum { HAND_OVER_EVERY = 4, INSPECT_EVERY = 6 };

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). */
uint64_t stress_random(struct stress_worker *worker, uint64_t limit)
{
	uint64_t z = worker->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % limit;
}

/* --- Patterns --- */

void stress_fill(struct stress_item *item, uint64_t seed)
{
	item->seed = seed;
	pattern_fill(item->addr, item->size, seed);
}

/* addr is where this CPU sees the item: its own address, or another one for the same memory. */
void stress_check(struct stress_worker *worker, const struct stress_item *item, vm_offset_t addr,
		  const char *how)
{
	vm_offset_t bad = pattern_check(addr, item->size, item->seed);
	uint64_t found;

	worker->bytes += item->size;
	if (bad == 0)
		return;
	found = *(const volatile uint64_t *)bad;
	stress_error("%s %#lx (%lu bytes): cpu %u, %s, at %#lx expected %#lx, found %#lx",
		     item->kind->name, (unsigned long)item->addr, (unsigned long)item->size,
		     arch_cpu_id(), how, (unsigned long)bad,
		     (unsigned long)pattern_word((bad - addr) / sizeof(found), item->seed),
		     (unsigned long)found);
}

/* --- Items --- */

static void item_make(struct stress_worker *worker, struct stress_item *item)
{
	const struct stress_kind *kind = stress_pick_kind(stress_random(worker, 1u << 20));

	if (!kind->make(worker, item)) {
		worker->short_of_memory++;
		return;
	}
	item->kind = kind;
	worker->held_bytes += item->size;
	stress_fill(item, stress_random(worker, UINT64_MAX));
}

static void item_drop(struct stress_worker *worker, struct stress_item *item)
{
	stress_check(worker, item, item->addr, "before it is freed");
	worker->held_bytes -= item->size;
	item->kind->drop(item);
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
	if (slot->kind == NULL && worker->held_bytes < worker->quota_bytes)
		*slot = item;
	else
		item_drop(worker, &item);
}

/* --- Steps --- */

static void step_on_item(struct stress_worker *worker, struct stress_item *item)
{
	if (stress_random(worker, INSPECT_EVERY) == 0) {
		stress_check(worker, item, item->addr, "looking again");
		if (item->kind->inspect != NULL)
			item->kind->inspect(worker, item);
	} else if (stress_random(worker, HAND_OVER_EVERY) == 0) {
		item_hand_over(worker, item);
	} else {
		item_drop(worker, item);
	}
}

static void step(struct stress_worker *worker)
{
	struct stress_item *item = &worker->items[stress_random(worker, STRESS_ITEMS)];
	const struct stress_act *act = stress_pick_act(worker);

	worker->steps++;
	inbox_serve(worker, item);
	if (act != NULL)
		act->act(worker, item->kind != NULL ? item : NULL);
	else if (item->kind != NULL)
		step_on_item(worker, item);
	else if (worker->held_bytes < worker->quota_bytes)
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
	while (!stress_stopped())
		step(worker);
}
