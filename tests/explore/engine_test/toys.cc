/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of a few steps whose schedules can be counted by hand, for the tests of the engine. */
#include "arch/atomic.h"
#include "arch/cpu.h"
#include "arch/ipi.h"
#include "arch/mmu.h"
#include "smp/shootdown.h"
#include "smp/spinlock.h"
#include "tests/explore/scenario.h"

namespace
{

/* --- An increment that is not atomic --- */

struct atomic32 counter;

void lost_reset()
{
	atomic32_store(&counter, 0, MO_RELAXED);
}

void lost_run(unsigned)
{
	uint32_t value = atomic32_load(&counter, MO_RELAXED);

	atomic32_store(&counter, value + 1, MO_RELAXED);
}

void lost_check()
{
	if (atomic32_load(&counter, MO_RELAXED) != 2)
		explore_fail("an increment was lost");
}

void counter_create()
{
	explore_watch(&counter, sizeof(counter), "counter");
}

/* --- The same, right, and with more to do --- */

void sound_run(unsigned)
{
	for (unsigned i = 0; i < 10; i++)
		atomic32_add(&counter, 1, MO_RELAXED);
}

void sound_check()
{
	if (atomic32_load(&counter, MO_RELAXED) != 30)
		explore_fail("%u", atomic32_load(&counter, MO_RELAXED));
}

/* --- CPUs that have nothing in common: three steps each --- */

struct atomic32 own[3];

void apart_create()
{
	explore_watch(own, sizeof(own), "own");
}

void apart_run(unsigned cpu)
{
	for (unsigned i = 0; i < 3; i++)
		atomic32_add(&own[cpu], 1, MO_RELAXED);
}

/* --- Store buffering: Dekker's entry --- */

struct atomic32 flags[2], found[2];

void flags_create()
{
	explore_watch(flags, sizeof(flags), "flags");
	explore_watch(found, sizeof(found), "found");
}

void flags_reset()
{
	for (unsigned i = 0; i < 2; i++) {
		atomic32_store(&flags[i], 0, MO_RELAXED);
		atomic32_store(&found[i], 0, MO_RELAXED);
	}
}

void dekker_run(unsigned cpu)
{
	atomic32_store(&flags[cpu], 1, MO_RELEASE);
	atomic32_store(&found[cpu], atomic32_load(&flags[1 - cpu], MO_ACQUIRE), MO_RELAXED);
}

void dekker_fenced_run(unsigned cpu)
{
	atomic32_exchange(&flags[cpu], 1, MO_SEQ_CST);
	atomic32_store(&found[cpu], atomic32_load(&flags[1 - cpu], MO_ACQUIRE), MO_RELAXED);
}

void dekker_check()
{
	if (atomic32_load(&found[0], MO_RELAXED) == 0 && atomic32_load(&found[1], MO_RELAXED) == 0)
		explore_fail("both entered");
}

/* --- Message passing: neither stores nor loads change their order --- */

void message_run(unsigned cpu)
{
	if (cpu == 0) {
		atomic32_store(&flags[0], 1, MO_RELAXED);
		atomic32_store(&flags[1], 1, MO_RELAXED);
	} else {
		atomic32_store(&found[0], atomic32_load(&flags[1], MO_RELAXED), MO_RELAXED);
		atomic32_store(&found[1], atomic32_load(&flags[0], MO_RELAXED), MO_RELAXED);
	}
}

void message_check()
{
	if (atomic32_load(&found[0], MO_RELAXED) == 1 && atomic32_load(&found[1], MO_RELAXED) == 0)
		explore_fail("the message came before what it tells of");
}

/* --- Own stores are found by own loads --- */

void forward_run(unsigned cpu)
{
	atomic32_store(&flags[cpu], cpu + 1, MO_RELAXED);
	if (atomic32_load(&flags[cpu], MO_RELAXED) != cpu + 1)
		explore_fail("cpu %u does not find its own store", cpu);
}

/* --- A wait loop, and its partner --- */

void wait_run(unsigned cpu)
{
	if (cpu == 0) {
		atomic32_store(&flags[0], 1, MO_RELEASE);
		return;
	}
	while (atomic32_load(&flags[0], MO_ACQUIRE) == 0)
		arch_cpu_relax();
	atomic32_store(&found[0], 1, MO_RELAXED);
}

void wait_check()
{
	if (atomic32_load(&found[0], MO_RELAXED) != 1)
		explore_fail("the wait ended too early");
}

void never_run(unsigned cpu)
{
	while (atomic32_load(&flags[1 - cpu], MO_ACQUIRE) == 0)
		arch_cpu_relax();
	atomic32_store(&flags[cpu], 1, MO_RELEASE);
}

/*
 * A bug of depth 3: CPU 1 must look after the fourth store and before the fifth, and again when
 * CPU 0 has come to the seventh. One change of priorities is not enough: whoever is stopped in the
 * middle goes on only when the other has finished, or is stopped as well.
 */
struct atomic32 stage;

void deep_create()
{
	explore_watch(&stage, sizeof(stage), "stage");
	flags_create();
}

void deep_reset()
{
	atomic32_store(&stage, 0, MO_RELAXED);
	flags_reset();
}

void deep_run(unsigned cpu)
{
	if (cpu == 0) {
		for (uint32_t i = 1; i <= 10; i++)
			atomic32_store(&stage, i, MO_RELAXED);
		return;
	}
	if (atomic32_load(&stage, MO_RELAXED) != 4)
		return;
	if (atomic32_load(&stage, MO_RELAXED) >= 7)
		explore_fail("stage 4 was seen, and then a late one");
}

/* --- Interrupts that cannot be masked --- */

struct atomic32 masked;

void nmi_reset()
{
	atomic32_store(&masked, 0, MO_RELAXED);
}

void nmi_run(unsigned cpu)
{
	if (cpu != 0)
		return;
	arch_irq_disable();
	atomic32_store(&masked, 1, MO_RELAXED);
	explore_step();
	atomic32_store(&masked, 0, MO_RELAXED);
	arch_irq_enable();
}

void nmi_handler()
{
	if (arch_irq_enabled())
		explore_fail("interrupts are on in an NMI");
	if (arch_cpu_id() == 0 && atomic32_load(&masked, MO_RELAXED) == 1)
		explore_fail("NMI with interrupts off");
}

/* --- An interrupt that is late --- */

void late_create()
{
	flags_create();
	arch_ipi_set_handler(ARCH_IPI_CALL, [] { atomic32_store(&flags[1], 1, MO_RELAXED); });
}

void late_run(unsigned cpu)
{
	if (cpu == 1) {
		arch_ipi_send(0, ARCH_IPI_CALL);
		atomic32_store(&flags[0], 1, MO_RELAXED);
		return;
	}
	if (atomic32_load(&flags[0], MO_RELAXED) == 1 && atomic32_load(&flags[1], MO_RELAXED) == 0)
		explore_fail("the interrupt came after the store that followed it");
}

/* --- Reading ahead: a translation that nobody asked for --- */

enum : vm_offset_t { AHEAD_VA = VM_MIN_KERNEL_ADDRESS };
pte_t *ahead_leaf;
vm_paddr_t ahead_page;

void ahead_create()
{
	ahead_leaf = explore_leaf(AHEAD_VA);
	ahead_page = explore_frame();
}

void ahead_reset()
{
	arch_pte_write(ahead_leaf, ahead_page | PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX);
}

/* CPU 1 never touches the page after its flush, so only the walker itself can bring it back. */
void ahead_run(unsigned cpu)
{
	if (cpu == 0)
		return;
	arch_tlb_invalidate_page(AHEAD_VA);
	arch_pte_exchange(ahead_leaf, 0);
}

void ahead_check()
{
	arch_page_released(ahead_page, 1);
}

/* --- A lock, and plain memory under it --- */

struct spinlock lock;
unsigned plain;

void lock_create()
{
	spin_init(&lock, "toy", LOCK_RANK_LOG, 0);
	explore_keep(&lock, sizeof(lock));
	explore_keep(&plain, sizeof(plain));
}

void lock_run(unsigned)
{
	for (unsigned i = 0; i < 2; i++) {
		spin_lock(&lock);
		plain++;
		spin_unlock(&lock);
	}
}

void lock_check()
{
	if (plain != 6)
		explore_fail("%u", plain);
}

/* --- State that reset() forgets --- */

unsigned forgotten;

void forgets_run(unsigned cpu)
{
	if (cpu == 0 && ++forgotten > 50)
		explore_step();
	explore_step();
}

/* --- A shootdown on two and three CPUs --- */

void shoot_run(unsigned cpu)
{
	if (cpu == 0)
		shootdown_range(VM_MIN_KERNEL_ADDRESS, VM_MIN_KERNEL_ADDRESS + PAGE_SIZE,
				SHOOTDOWN_FREE);
}

/* --- A crash --- */

void crash_run(unsigned cpu)
{
	if (cpu == 1)
		__builtin_trap();
}

/* --- Choices --- */

void choice_run(unsigned cpu)
{
	if (cpu == 0 && explore_choose(5) == 4 && explore_choose(3) == 2)
		explore_fail("4 and 2");
}

#define TOY(object, ...)                                                                           \
	const struct explore_scenario object = {__VA_ARGS__};                                      \
	EXPLORE_REGISTER(object)

#define FIELDS(n, text, count, where, bits, on_create, on_reset, on_run, on_check, on_nmi)         \
	n, text, count, where, bits, nullptr, on_create, on_reset, on_run, on_check, on_nmi, nullptr

TOY(toy_lost, FIELDS("toy_lost", "lost update", 2, EXPLORE_BARE, EXPLORE_LITMUS, counter_create,
		     lost_reset, lost_run, lost_check, nullptr))
TOY(toy_sound, FIELDS("toy_sound", "atomic additions", 3, EXPLORE_BARE, 0, counter_create,
		      lost_reset, sound_run, sound_check, nullptr))
TOY(toy_apart, FIELDS("toy_apart", "three steps each, nothing shared", 2, EXPLORE_BARE,
		      EXPLORE_LITMUS, apart_create, nullptr, apart_run, nullptr, nullptr))
TOY(toy_apart3, FIELDS("toy_apart3", "the same on three CPUs", 3, EXPLORE_BARE, EXPLORE_LITMUS,
		       apart_create, nullptr, apart_run, nullptr, nullptr))
TOY(toy_dekker, FIELDS("toy_dekker", "Dekker without fences", 2, EXPLORE_BARE, EXPLORE_LITMUS,
		       flags_create, flags_reset, dekker_run, dekker_check, nullptr))
TOY(toy_dekker_fenced,
    FIELDS("toy_dekker_fenced", "Dekker with fences", 2, EXPLORE_BARE, EXPLORE_LITMUS, flags_create,
	   flags_reset, dekker_fenced_run, dekker_check, nullptr))
TOY(toy_message, FIELDS("toy_message", "message passing", 2, EXPLORE_BARE, EXPLORE_LITMUS,
			flags_create, flags_reset, message_run, message_check, nullptr))
TOY(toy_forward, FIELDS("toy_forward", "own stores", 2, EXPLORE_BARE, EXPLORE_LITMUS, flags_create,
			flags_reset, forward_run, nullptr, nullptr))
TOY(toy_wait, FIELDS("toy_wait", "a wait loop", 2, EXPLORE_BARE, EXPLORE_LITMUS, flags_create,
		     flags_reset, wait_run, wait_check, nullptr))
TOY(toy_never, FIELDS("toy_never", "two wait for each other", 2, EXPLORE_BARE, EXPLORE_LITMUS,
		      flags_create, flags_reset, never_run, nullptr, nullptr))
TOY(toy_deep, FIELDS("toy_deep", "a bug of depth 3", 2, EXPLORE_BARE, 0, deep_create, deep_reset,
		     deep_run, nullptr, nullptr))
TOY(toy_nmi, FIELDS("toy_nmi", "NMI with interrupts off", 2, EXPLORE_BARE, 0, nullptr, nmi_reset,
		    nmi_run, nullptr, nmi_handler))
TOY(toy_late, FIELDS("toy_late", "a late interrupt", 2, EXPLORE_BARE, EXPLORE_NO_TSO, late_create,
		     flags_reset, late_run, nullptr, nullptr))
TOY(toy_ahead, FIELDS("toy_ahead", "flush before the table changes", 2, EXPLORE_BARE,
		      EXPLORE_LITMUS, ahead_create, ahead_reset, ahead_run, ahead_check, nullptr))
TOY(toy_lock, FIELDS("toy_lock", "plain memory under a lock", 3, EXPLORE_SMP, 0, lock_create,
		     nullptr, lock_run, lock_check, nullptr))
TOY(toy_forgets, FIELDS("toy_forgets", "a reset that forgets", 2, EXPLORE_BARE, 0, nullptr, nullptr,
			forgets_run, nullptr, nullptr))
TOY(toy_shoot, FIELDS("toy_shoot", "one shootdown", 3, EXPLORE_SMP, 0, nullptr, nullptr, shoot_run,
		      nullptr, nullptr))
TOY(toy_choice, FIELDS("toy_choice", "choices", 1, EXPLORE_BARE, EXPLORE_LITMUS, nullptr, nullptr,
		       choice_run, nullptr, nullptr))
TOY(toy_crash, FIELDS("toy_crash", "an illegal instruction", 2, EXPLORE_BARE, 0, nullptr, nullptr,
		      crash_run, nullptr, nullptr))
TOY(toy_sched, FIELDS("toy_sched", "the same lock, by threads", 3, EXPLORE_SCHED, 0, lock_create,
		      nullptr, lock_run, lock_check, nullptr))
TOY(toy_vm, FIELDS("toy_vm", "the same lock, beside vm", 3, EXPLORE_VM, 0, lock_create, nullptr,
		   lock_run, lock_check, nullptr))

} // namespace
