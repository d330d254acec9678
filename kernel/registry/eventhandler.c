/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/registry: what the layers above announce to each other by name. Events here, named values
 * in sysctl.c.
 *
 * An invocation is a record on the stack of its thread: where it is, and where it goes next. The
 * record is on a list under the lock of the event, the handler runs without that lock. So
 *
 * - whoever takes an entry out of the list moves on the invocations that were to go there next.
 *   Nothing points to the entry afterwards except the records of those who are in it, and these
 *   only compare the address. No entry stays behind half dead, and no count can be wrong.
 * - whoever deregisters sees which threads are in the entry, and so can tell its own calls.
 *
 * Registrations have ascending numbers. An invocation leaves out those later than itself: a handler
 * that deregisters and registers itself is not called twice, nor for ever.
 */
#include "kernel/registry/eventhandler_private.h"

#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "smp/preempt.h"

/* (c) constant  (l) the list's lock */
struct eventhandler_invocation {
	const struct thread *thread;        /* (c) */
	uint64_t latest;                    /* (c) registrations after this are not called */
	struct eventhandler_entry *next;    /* (l) */
	struct eventhandler_entry *current; /* (l) whose function runs, or NULL; may be gone */
	bool leaving;                       /* (l) has deregistered `current` from inside it */
	TAILQ_ENTRY(eventhandler_invocation) link; /* (l) */
};

/* Before the first of a higher priority number: stable. */
static void insert_locked(struct eventhandler_list *list, struct eventhandler_entry *entry)
{
	struct eventhandler_entry *other, *after = NULL;

	TAILQ_FOREACH (other, &list->entries, link) {
		if (other == entry)
			panic("event \"%s\": handler %p registered twice", list->name, entry);
		if (after == NULL && other->priority > entry->priority)
			after = other;
	}
	if (after != NULL)
		TAILQ_INSERT_BEFORE(after, entry, link);
	else
		TAILQ_INSERT_TAIL(&list->entries, entry, link);
}

eventhandler_tag eventhandler_register(struct eventhandler_list *list,
				       struct eventhandler_entry *entry,
				       void (*function)(void *arg), void *arg, int priority)
{
	CHECK(function != NULL);
	spin_lock(&list->lock);
	entry->priority = priority;
	insert_locked(list, entry);
	entry->function = function;
	entry->arg = arg;
	entry->serial = ++list->serial;
	spin_unlock(&list->lock);
	return entry;
}

static bool registered_locked(const struct eventhandler_list *list, eventhandler_tag tag)
{
	const struct eventhandler_entry *entry;

	TAILQ_FOREACH (entry, &list->entries, link)
		if (entry == tag)
			return true;
	return false;
}

static void remove_locked(struct eventhandler_list *list, struct eventhandler_entry *entry)
{
	struct eventhandler_invocation *invocation;

	TAILQ_FOREACH (invocation, &list->running, link)
		if (invocation->next == entry)
			invocation->next = TAILQ_NEXT(entry, link);
	TAILQ_REMOVE(&list->entries, entry, link);
}

static void wake_waiting_locked(const struct eventhandler_list *list,
				const struct eventhandler_entry *entry)
{
	if (list->waiting != 0)
		wakeup(entry);
}

/* If this thread is in the entry, nobody who is in it as well need wait for it: returns true. */
static bool leave_locked(struct eventhandler_list *list, const struct eventhandler_entry *entry)
{
	struct eventhandler_invocation *invocation;
	bool inside = false;

	TAILQ_FOREACH (invocation, &list->running, link) {
		if (invocation->current != entry || invocation->thread != thread_current())
			continue;
		invocation->leaving = true;
		inside = true;
	}
	if (inside)
		wake_waiting_locked(list, entry);
	return inside;
}

static bool must_wait_locked(const struct eventhandler_list *list,
			     const struct eventhandler_entry *entry, bool inside)
{
	const struct eventhandler_invocation *invocation;

	TAILQ_FOREACH (invocation, &list->running, link)
		if (invocation->current == entry && !(inside && invocation->leaving))
			return true;
	return false;
}

void eventhandler_deregister(struct eventhandler_list *list, eventhandler_tag tag)
{
	bool inside, removed;

	sleep_check("eventhandler_deregister");
	spin_lock(&list->lock);
	removed = registered_locked(list, tag);
	if (removed)
		remove_locked(list, tag);
	inside = leave_locked(list, tag);
	while (must_wait_locked(list, tag, inside)) {
		list->waiting++;
		(void)sleep_on_spin(tag, &list->lock, "end of an event handler", SLEEP_FOREVER);
		list->waiting--;
	}
	spin_unlock(&list->lock);
	if (removed)
		eventhandler_own_release(tag);
}

static struct eventhandler_entry *advance_locked(struct eventhandler_invocation *invocation)
{
	struct eventhandler_entry *entry = invocation->next;

	while (entry != NULL && entry->serial > invocation->latest)
		entry = TAILQ_NEXT(entry, link);
	if (entry != NULL)
		invocation->next = TAILQ_NEXT(entry, link);
	return entry;
}

/* Drops the lock meanwhile; then the entry may be gone, and its address is only a channel. */
static void call_locked(struct eventhandler_list *list, struct eventhandler_invocation *invocation,
			struct eventhandler_entry *entry)
{
	void (*function)(void *arg) = entry->function;
	void *arg = entry->arg;

	invocation->current = entry;
	invocation->leaving = false;
	spin_unlock(&list->lock);
	function(arg);
	spin_lock(&list->lock);
	invocation->current = NULL;
	wake_waiting_locked(list, entry);
}

void eventhandler_invoke(struct eventhandler_list *list)
{
	struct eventhandler_invocation self = {.thread = thread_current()};
	struct eventhandler_entry *entry;

	sleep_check("eventhandler_invoke");
	spin_lock(&list->lock);
	list->invocations++;
	self.latest = list->serial;
	self.next = TAILQ_FIRST(&list->entries);
	TAILQ_INSERT_HEAD(&list->running, &self, link);
	while ((entry = advance_locked(&self)) != NULL)
		call_locked(list, &self, entry);
	TAILQ_REMOVE(&list->running, &self, link);
	spin_unlock(&list->lock);
}
