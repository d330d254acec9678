/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/spinlock.h"

#include "lib/check.h"
#include "lib/planted.h"
#include "smp/lock_order.h"
#include "smp/patience.h"
#include "smp/percpu.h"
#include "smp/preempt.h"

/*
 * A section under a spinlock is a few microseconds, so ten seconds mean that something is wrong,
 * even where an emulator takes a virtual CPU away for a while.
 */
#define SPIN_WARN_NS  (10 * NS_PER_SECOND)
#define SPIN_PANIC_NS (60 * NS_PER_SECOND)

/*
 * Locks do not count before the per-CPU areas exist, when one CPU runs and interrupts are off,
 * nor on a CPU that panics. Neither is shared, so neither needs an atomic access.
 */
static bool spin_ignored(void)
{
	return unlikely(!percpu_ready || percpu_self()->spin_broken);
}

static uint32_t spin_me(void)
{
	return arch_cpu_id() + 1;
}

static void spin_set_site(struct spinlock *lock, const char *site)
{
	/* The type has no const; whoever reads it gives it back. */
	atomic_ptr_store(&lock->site, (void *)(uintptr_t)site, MO_RELAXED);
}

void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank, unsigned flags)
{
	atomic32_store(&lock->owner, 0, MO_RELAXED);
	lock->rank = (uint16_t)rank;
	lock->nests = (uint16_t)flags;
	lock->name = name;
	lock->contended = 0;
	spin_set_site(lock, "nowhere");
}

/* Acquire pairs with the release in spin_unlock. */
static bool spin_try(struct spinlock *lock)
{
	uint32_t expected = 0;

	if (PLANTED(lock_in_two_steps)) {
		expected = atomic32_load(&lock->owner, MO_RELAXED);
		if (expected == 0)
			atomic32_store(&lock->owner, spin_me(), MO_RELAXED);
		return expected == 0;
	}
	return atomic32_cas(&lock->owner, &expected, spin_me(), MO_ACQUIRE);
}

static void spin_warn(const struct spinlock *lock, uint32_t owner, const char *site)
{
	/* The line itself needs the locks of the log. */
	if (lock->rank >= LOCK_RANK_LOG)
		return;
	kprintf("spinlock \"%s\": cpu %u waits at %s for cpu %u, which took it at %s\n", lock->name,
		arch_cpu_id(), site, owner - 1, spin_site(lock));
}

static void spin_wait_turn(struct spinlock *lock, struct patience *patience, const char *site)
{
	uint32_t owner = atomic32_load(&lock->owner, MO_RELAXED);

	if (owner == spin_me())
		panic("spinlock \"%s\" taken twice by cpu %u: at %s, and first at %s", lock->name,
		      arch_cpu_id(), site, spin_site(lock));
	if (owner == 0)
		return;
	switch (patience_turn(patience)) {
	case PATIENCE_WAIT:
		return;
	case PATIENCE_WARN:
		spin_warn(lock, owner, site);
		return;
	case PATIENCE_OUT:
		panic("spinlock \"%s\": cpu %u gives up at %s, cpu %u took it at %s", lock->name,
		      arch_cpu_id(), site, owner - 1, spin_site(lock));
	}
}

/* Apart, so that a lock that is free costs no more than it must. */
static __attribute__((noinline)) void spin_wait(struct spinlock *lock, const char *site)
{
	struct patience patience;

	patience_start(&patience, SPIN_WARN_NS, SPIN_PANIC_NS);
	do
		spin_wait_turn(lock, &patience, site);
	while (atomic32_load(&lock->owner, MO_RELAXED) != 0 || !spin_try(lock));
	lock->contended++;
}

static inline __attribute__((always_inline)) void
spin_record(struct spinlock *lock, const char *site, bool irq_was_enabled)
{
	struct percpu *self = percpu_self();

	if (self->spin_depth == 0)
		self->spin_irq_was_enabled = irq_was_enabled;
	if (self->spin_depth >= SPIN_HELD_MAX)
		panic("cpu %u holds %u spinlocks and takes \"%s\" at %s", arch_cpu_id(),
		      self->spin_depth, lock->name, site);
	self->spin_held[self->spin_depth++] = lock;
	spin_set_site(lock, site);
}

void spin_lock_at(struct spinlock *lock, const char *site)
{
	struct lock_use use = {lock, lock->rank, lock->nests != 0, lock->name, site};
	bool irq_was_enabled;

	if (spin_ignored())
		return;
	irq_was_enabled = arch_irq_save();
	lock_order_check(&use);
	if (!spin_try(lock))
		spin_wait(lock, site);
	spin_record(lock, site, irq_was_enabled);
}

bool spin_trylock_at(struct spinlock *lock, const char *site)
{
	bool irq_was_enabled;

	if (spin_ignored())
		return true;
	irq_was_enabled = arch_irq_save();
	if (!spin_try(lock)) {
		arch_irq_restore(irq_was_enabled);
		return false;
	}
	spin_record(lock, site, irq_was_enabled);
	return true;
}

/* Takes the lock off the list; most often it is the last one. */
static void spin_erase(struct percpu *self, const struct spinlock *lock)
{
	unsigned i = --self->spin_depth;
	const struct spinlock *above = self->spin_held[i];

	while (above != lock) {
		const struct spinlock *next = self->spin_held[--i];

		self->spin_held[i] = above;
		above = next;
	}
}

void spin_unlock(struct spinlock *lock)
{
	struct percpu *self;

	if (spin_ignored())
		return;
	if (!spin_owned(lock))
		panic(
		    "spinlock \"%s\" released by cpu %u, which does not hold it (last taken at %s)",
		    lock->name, arch_cpu_id(), spin_site(lock));
	self = percpu_self();
	spin_erase(self, lock);
	/* From here on somebody else may free the lock's memory. */
	atomic32_store(&lock->owner, 0, MO_RELEASE);
	if (self->spin_depth == 0 && self->spin_irq_was_enabled) {
		arch_irq_enable();
		preempt_check();
	}
}

bool spin_owned(const struct spinlock *lock)
{
	if (spin_ignored())
		return true;
	return atomic32_load(&lock->owner, MO_RELAXED) == spin_me();
}

unsigned spin_held_count(void)
{
	return spin_ignored() ? 0 : percpu_self()->spin_depth;
}

void spin_break_all(void)
{
	arch_irq_disable();
	if (percpu_ready)
		percpu_self()->spin_broken = true;
}
