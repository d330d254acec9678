/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries for those who register in the classic way and bring no memory. There is no allocator
 * below this layer, and few handlers in a kernel: a table serves.
 */
#include "kernel/registry/eventhandler_private.h"

#include "smp/spinlock.h"

/* Guarded by the lock: who has an entry. What is in it belongs to its list. */
static struct spinlock own_lock = SPINLOCK_INIT("event handler entries", LOCK_RANK_EVENT);
static struct eventhandler_entry own_entries[EVENTHANDLER_OWN_ENTRIES];
static bool own_taken[EVENTHANDLER_OWN_ENTRIES];

static struct eventhandler_entry *own_take(void)
{
	struct eventhandler_entry *entry = NULL;

	spin_lock(&own_lock);
	for (unsigned i = 0; i < EVENTHANDLER_OWN_ENTRIES && entry == NULL; i++) {
		if (own_taken[i])
			continue;
		own_taken[i] = true;
		entry = &own_entries[i];
	}
	spin_unlock(&own_lock);
	return entry;
}

void eventhandler_own_release(struct eventhandler_entry *entry)
{
	if (entry < own_entries || entry >= own_entries + EVENTHANDLER_OWN_ENTRIES)
		return;
	spin_lock(&own_lock);
	own_taken[entry - own_entries] = false;
	spin_unlock(&own_lock);
}

eventhandler_tag eventhandler_register_own(struct eventhandler_list *list,
					   void (*function)(void *arg), void *arg, int priority)
{
	struct eventhandler_entry *entry = own_take();

	if (entry == NULL)
		return NULL;
	return eventhandler_register(list, entry, function, arg, priority);
}
