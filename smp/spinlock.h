/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks: for what interrupts also touch, and for sections of a few dozen instructions.
 *
 * There is one kind. Taking one disables interrupts on this CPU until the last one held is
 * released, so that no lock can be taken both with interrupts on and from an interrupt (the
 * deadlock that mixed use invites), and the holder cannot be preempted. Two rules follow: a
 * holder never sleeps, and a holder never waits for another CPU to answer, so that spinning with
 * interrupts off is bounded by the holders' own work. Both are checked.
 *
 * The lock is a test-and-test-and-set word rather than a queue: under an emulator a queue hands
 * the lock to virtual CPUs that are not running.
 */
#ifndef QUIRE_SMP_SPINLOCK_H
#define QUIRE_SMP_SPINLOCK_H

#include "arch/atomic.h"
#include "lib/types.h"
#include "smp/lock_rank.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (o) written by the owner only, while it holds the lock  (c) constant after init */
struct spinlock {
	struct atomic32 owner; /* CPU number + 1, or 0 when free */
	uint16_t rank;         /* (c) enum lock_rank */
	uint16_t nests;        /* (c) LOCK_NESTS: may be taken while one of equal rank is held */
	const char *name;      /* (c) */
	struct atomic_ptr
	    site;           /* (o) const char *: "file:line" of the acquisition, in debug builds */
	uint64_t contended; /* (o) acquisitions that had to wait: statistics */
};

enum { LOCK_NESTS = 1 };

#define SPINLOCK_INIT(lock_name, lock_rank)                                                        \
	{                                                                                          \
		{0}, (lock_rank), 0, (lock_name), {0}, 0                                           \
	}

void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank, unsigned flags);

#define SPIN_STRING2(x)    #x
#define SPIN_STRING(x)     SPIN_STRING2(x)
#define spin_lock(lock)    spin_lock_at((lock), __FILE__ ":" SPIN_STRING(__LINE__))
#define spin_trylock(lock) spin_trylock_at((lock), __FILE__ ":" SPIN_STRING(__LINE__))

/* Any context. Disables interrupts; a CPU that waits too long names the lock and its owner. */
void spin_lock_at(struct spinlock *lock, const char *site);
bool spin_trylock_at(struct spinlock *lock, const char *site) QUIRE_MUST_CHECK;

/* Releases; interrupts come back when it was this CPU's last one. Panics if not the owner. */
void spin_unlock(struct spinlock *lock);

/* Does this CPU hold it? */
bool spin_owned(const struct spinlock *lock);

/* Where it was taken last, for people; the owner may change meanwhile. */
static inline const char *spin_site(const struct spinlock *lock)
{
	return (const char *)atomic_ptr_load(&lock->site, MO_RELAXED);
}

/* Spinlocks that this CPU holds now. */
unsigned spin_held_count(void);

/* Panic calls this: from here on this CPU takes every lock without waiting. */
void spin_break_all(void);

#ifdef __cplusplus
}
#endif

#endif
