/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event handlers: functions that are called when something happens, in the order of their
 * priorities, with the interface of FreeBSD's EVENTHANDLER(9).
 *
 * A handler may sleep, invoke events, and register and deregister handlers, itself included. The
 * memory of a registration is the caller's: this layer lies below every allocator.
 */
#ifndef QUIRE_KERNEL_REGISTRY_EVENTHANDLER_H
#define QUIRE_KERNEL_REGISTRY_EVENTHANDLER_H

#include <bsd/sys/queue.h>

#include "lib/types.h"
#include "smp/spinlock.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	EVENTHANDLER_PRI_FIRST = 0,
	EVENTHANDLER_PRI_ANY = 10000,
	EVENTHANDLER_PRI_LAST = 20000,
};

/* (l) the list's lock  (c) constant while registered */
struct eventhandler_entry {
	TAILQ_ENTRY(eventhandler_entry) link; /* (l) */
	void (*function)(void *arg);          /* (c) */
	void *arg;                            /* (c) */
	int priority;                         /* (c) lower is earlier */
	uint64_t serial;                      /* (c) the number of this registration */
};
typedef struct eventhandler_entry *eventhandler_tag;

struct eventhandler_invocation; /* one that goes on; private to eventhandler.c */

struct eventhandler_list {
	const char *name; /* (c) */
	struct spinlock lock;
	TAILQ_HEAD(, eventhandler_entry) entries;      /* (l) by priority, then by serial */
	TAILQ_HEAD(, eventhandler_invocation) running; /* (l) */
	uint64_t serial;                               /* (l) of the latest registration */
	unsigned waiting;                              /* (l) threads that wait in deregister */
	uint64_t invocations;                          /* (l) so far: statistics */
};

/* The list that belongs to an event, defined once by its owner. `type` is for the reader. */
#define EVENTHANDLER_DECLARE(event, type) extern struct eventhandler_list event##_eventhandlers
#define EVENTHANDLER_DEFINE(event)                                                                 \
	struct eventhandler_list event##_eventhandlers = {                                         \
	    #event,                                                                                \
	    SPINLOCK_INIT(#event, LOCK_RANK_EVENT),                                                \
	    TAILQ_HEAD_INITIALIZER(event##_eventhandlers.entries),                                 \
	    TAILQ_HEAD_INITIALIZER(event##_eventhandlers.running),                                 \
	    0,                                                                                     \
	    0,                                                                                     \
	    0}

/*
 * Calls function(arg) at every invocation that begins from now on, after the handlers of the same
 * priority that are there. The entry needs no initialisation; it must stay until deregistered.
 * Panics if it is registered in this list already. Any context. Returns the entry.
 */
eventhandler_tag eventhandler_register(struct eventhandler_list *list,
				       struct eventhandler_entry *entry,
				       void (*function)(void *arg), void *arg, int priority);
#define EVENTHANDLER_REGISTER_ENTRY(event, entry, function, arg, priority)                         \
	eventhandler_register(&event##_eventhandlers, (entry), (function), (arg), (priority))

/* The same with an entry of the registry's own, of which there are EVENTHANDLER_OWN_ENTRIES for
 * all events together; NULL, and nothing registered, when they are all in use. The classic form. */
enum { EVENTHANDLER_OWN_ENTRIES = 64 };
eventhandler_tag eventhandler_register_own(struct eventhandler_list *list,
					   void (*function)(void *arg), void *arg, int priority);
#define EVENTHANDLER_REGISTER(event, function, arg, priority)                                      \
	eventhandler_register_own(&event##_eventhandlers, (function), (arg), (priority))

/*
 * No invocation calls it from now on; returns when none is in it any more. Then the entry's memory
 * is the caller's again, and nothing reads it.
 *
 * From inside the handler, the calls that this thread is in are not waited for, nor those whose
 * threads are in this function, or have been, from inside the handler as well. So a handler may
 * deregister itself even while other CPUs are in it and do the same.
 *
 * A tag that is not registered (any more) is only waited for: a handler that deregisters itself
 * may race with its owner. Two handlers that deregister each other at the same moment wait for
 * ever. Thread context; sleeps; the caller holds nothing that the handler may wait for.
 */
void eventhandler_deregister(struct eventhandler_list *list, eventhandler_tag tag);
#define EVENTHANDLER_DEREGISTER(event, tag) eventhandler_deregister(&event##_eventhandlers, (tag))

/*
 * Calls all handlers that are registered now, unless they are deregistered before their turn; by
 * priority, one after the other. Handlers registered meanwhile are not called, so an invocation
 * ends whatever they do. The same event may be invoked from several CPUs and from its handlers.
 * Thread context; no lock of rank LOCK_RANK_EVENT or above held; sleeps if a handler does.
 */
void eventhandler_invoke(struct eventhandler_list *list);
#define EVENTHANDLER_INVOKE(event) eventhandler_invoke(&event##_eventhandlers)

#ifdef __cplusplus
}
#endif

#endif
