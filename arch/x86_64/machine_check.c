/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the machine check banks (Intel SDM vol. 3B 15.10).
 *
 * The exception may come anywhere, so the handler only fills a slot of a table, and a thread of
 * kernel/ takes it from there. What the interrupted code cannot survive ends in a panic that names
 * bank, status and address. While the handler runs, another machine check resets the machine
 * (15.3.1.2, MCIP), so the mark that it is over comes last.
 *
 * Corrected errors raise no exception; each CPU's tick looks for them (arch_machine_check_poll).
 * The interrupt that could announce them is not used: a look each second is early enough to take
 * a page away that has lost one bit.
 */
#include "arch/x86_64/machine_check.h"

#include "arch/atomic.h"
#include "arch/cpu.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/incident.h"
#include "arch/x86_64/mca.h"
#include "arch/x86_64/regs.h"
#include "lib/format.h"
#include "lib/panic.h"

/* Intel SDM vol. 4, table 2-2. */
enum {
	MSR_MCG_CAP = 0x179,
	MSR_MCG_STATUS = 0x17a,
	MSR_MCG_CTL = 0x17b,
	MSR_MC0_CTL = 0x400, /* four of each bank: CTL, STATUS, ADDR, MISC */
	MSR_PER_BANK = 4,
	MSR_STATUS = 1,
	MSR_ADDRESS = 2,
	MSR_MISC = 3,
	BANKS_MAX = 32, /* their registers end before those with other uses */
};

enum { CPUID_MCE = 1 << 7, CPUID_MCA = 1 << 14 }; /* leaf 1, EDX */

enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_FULL };

/* Twice what a broadcast error of a few banks leaves on a large machine, before anybody looks. */
enum { SLOTS = 64 };

/* (s) whoever has the slot */
static struct slot {
	struct atomic32 state;           /* enum slot_state */
	struct arch_machine_check check; /* (s) */
} slots[SLOTS];

static struct atomic64 lost;

/* Constant after the boot CPU's machine_check_enable(): CPUs are taken to be equal. */
static uint64_t capabilities;
static unsigned bank_count;

unsigned arch_machine_check_banks(void)
{
	return bank_count;
}

/* --- Registers --- */

static uint32_t bank_msr(unsigned bank, unsigned which)
{
	return MSR_MC0_CTL + bank * MSR_PER_BANK + which;
}

static struct mca_bank bank_read(unsigned bank)
{
	struct mca_bank b = {.status = msr_read(bank_msr(bank, MSR_STATUS))};

	if ((b.status & MCI_VAL) == 0)
		return b;
	/* Without these bits the registers may not even exist (15.3.2.3, 15.3.2.4). */
	if (b.status & MCI_ADDRV)
		b.address = msr_read(bank_msr(bank, MSR_ADDRESS));
	if (b.status & MCI_MISCV)
		b.misc = msr_read(bank_msr(bank, MSR_MISC));
	return b;
}

static void bank_clear(unsigned bank)
{
	msr_write(bank_msr(bank, MSR_STATUS), 0);
}

/* --- The table --- */

static struct slot *slot_claim(enum slot_state from, enum slot_state to)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		uint32_t expected = from;

		if (atomic32_load(&slots[i].state, MO_RELAXED) == (uint32_t)from &&
		    atomic32_cas(&slots[i].state, &expected, to, MO_ACQ_REL))
			return &slots[i];
	}
	return NULL;
}

static void note(unsigned bank, const struct mca_bank *b, bool corrected, bool before_boot)
{
	struct slot *slot = slot_claim(SLOT_FREE, SLOT_FILLING);

	incident_note();
	if (slot == NULL) {
		atomic64_add(&lost, 1, MO_RELAXED);
		return;
	}
	slot->check = (struct arch_machine_check){
	    .cpu = arch_cpu_id(),
	    .bank = bank,
	    .status = b->status,
	    .address = b->address,
	    .misc = b->misc,
	    .corrected = corrected,
	    .before_boot = before_boot,
	    .what = mca_error_text(b->status),
	};
	if (!mca_memory(capabilities, b, &slot->check.start, &slot->check.size_bytes))
		slot->check.size_bytes = 0;
	/* Release, with the acquire in slot_claim: the slot is filled. */
	atomic32_store(&slot->state, SLOT_FULL, MO_RELEASE);
	incident_note();
}

bool arch_machine_check_take(struct arch_machine_check *check)
{
	struct slot *slot = slot_claim(SLOT_FULL, SLOT_FILLING);

	if (slot == NULL)
		return false;
	*check = slot->check;
	atomic32_store(&slot->state, SLOT_FREE, MO_RELEASE);
	return true;
}

uint64_t arch_machine_check_lost(void)
{
	return atomic64_load(&lost, MO_RELAXED);
}

/* --- On each CPU --- */

static void find_banks(void)
{
	uint32_t features = cpuid(1, 0).edx;

	if ((features & CPUID_MCE) == 0 || (features & CPUID_MCA) == 0)
		return;
	capabilities = msr_read(MSR_MCG_CAP);
	bank_count = capabilities & MCG_CAP_COUNT_MASK;
	if (bank_count > BANKS_MAX)
		bank_count = BANKS_MAX;
}

/* Bank 0 of these is the firmware's to turn on (15.3.2.1). Family and model: vol. 2A, CPUID. */
static bool bank_0_is_reserved(void)
{
	enum { INTEL_EBX = 0x756e6547, FAMILY_6 = 6, MODEL_END = 0x1a };
	uint32_t signature = cpuid(1, 0).eax;
	uint32_t family = signature >> 8 & 0xf;
	uint32_t model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	return cpuid(0, 0).ebx == INTEL_EBX && family == FAMILY_6 && model < MODEL_END;
}

/* What was there before the boot is reported as such; nothing that runs now has used it. */
static void bank_begin(unsigned bank)
{
	struct mca_bank b = bank_read(bank);
	const char *why = NULL;
	enum mca_verdict verdict = mca_judge(capabilities, &b, &why);

	if (verdict != MCA_NOTHING)
		note(bank, &b, verdict == MCA_CORRECTED, true);
	if (bank != 0 || !bank_0_is_reserved())
		msr_write(bank_msr(bank, 0), UINT64_MAX);
	bank_clear(bank);
}

void machine_check_enable(void)
{
	if (arch_cpu_id() == 0)
		find_banks();
	if (bank_count == 0)
		return;
	if (capabilities & MCG_CAP_CTL)
		msr_write(MSR_MCG_CTL, UINT64_MAX);
	for (unsigned bank = 0; bank < bank_count; bank++)
		bank_begin(bank);
}

/* Fatal ones are left to the exception that they raise. */
void arch_machine_check_poll(void)
{
	for (unsigned bank = 0; bank < bank_count; bank++) {
		struct mca_bank b = bank_read(bank);
		const char *why = NULL;
		enum mca_verdict verdict = mca_judge(capabilities, &b, &why);

		if (verdict != MCA_CORRECTED && verdict != MCA_DEFERRED)
			continue;
		note(bank, &b, verdict == MCA_CORRECTED, false);
		bank_clear(bank);
	}
}

/* --- The exception --- */

QUIRE_NORETURN static void die(unsigned bank, const struct mca_bank *b, const char *why)
{
	char memory[48] = "";
	vm_paddr_t start;
	vm_size_t size;

	if (mca_memory(capabilities, b, &start, &size))
		format(memory, sizeof(memory), ", memory at %#lx", (unsigned long)start);
	panic("machine check on CPU %u: %s (%s): bank %u, status %#lx, address %#lx, misc "
	      "%#lx%s. Replace the memory module or the processor if it comes again.",
	      arch_cpu_id(), why, mca_error_text(b->status), bank, (unsigned long)b->status,
	      (unsigned long)b->address, (unsigned long)b->misc, memory);
}

/* All banks are looked at before the first fatal one ends it, so that the others are noted. */
static void look_at_banks(void)
{
	struct mca_bank worst = {0};
	const char *worst_why = NULL;
	unsigned worst_bank = 0;

	for (unsigned bank = 0; bank < bank_count; bank++) {
		struct mca_bank b = bank_read(bank);
		const char *why = NULL;
		enum mca_verdict verdict = mca_judge(capabilities, &b, &why);

		if (verdict == MCA_NOTHING)
			continue;
		if (verdict != MCA_FATAL) {
			note(bank, &b, verdict == MCA_CORRECTED, false);
			bank_clear(bank);
		} else if (worst_why == NULL) {
			worst = b;
			worst_why = why;
			worst_bank = bank;
		}
	}
	if (worst_why != NULL)
		die(worst_bank, &worst, worst_why);
}

/*
 * Our IRET ends the blocking of NMIs (Intel SDM vol. 3A 6.7.1). If an NMI's handler was
 * interrupted, the next NMI would overwrite its stack.
 */
static bool interrupted_nmi(const struct trap_frame *frame)
{
	uint64_t top = cpu_local()->tss.ist[IST_NMI];

	return frame->rsp < top && top - frame->rsp <= IST_STACK_SIZE;
}

void machine_check_handle(struct trap_frame *frame)
{
	struct trap_frame *outer = cpu_local()->trap;
	uint64_t status;

	cpu_local()->trap = frame;
	if (bank_count == 0)
		panic("machine check on CPU %u, which cannot say more", arch_cpu_id());
	status = msr_read(MSR_MCG_STATUS);
	look_at_banks();
	if ((status & MCG_STATUS_RIPV) == 0)
		panic("machine check on CPU %u: the code at %#lx cannot be continued, and no bank "
		      "says why (status %#lx)",
		      arch_cpu_id(), frame->rip, (unsigned long)status);
	if (interrupted_nmi(frame))
		panic("machine check on CPU %u in an NMI", arch_cpu_id());
	cpu_local()->trap = outer;
	msr_write(MSR_MCG_STATUS, 0);
}
