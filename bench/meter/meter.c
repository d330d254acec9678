/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The meter: a QEMU TCG plugin that counts what a kernel does between markers (marker.h).
 *
 *     qemu-system-x86_64 -plugin libmeter.so,out=FILE ...
 *
 * Counted for each CPU: instructions, locked operations, transfers of cache lines (lines.h),
 * writes to the local APIC's interrupt command register, loads and stores.
 *
 * Instructions are counted by runs: up to and including the first one that may fault, so that
 * what stands behind a fault is not counted, at half the callbacks of counting one by one. What
 * is known when a run is translated travels in the callback's argument. (Version 1 of the
 * interface adds inline only to one address for all CPUs, so there is a call for each run.)
 * A run never crosses a marker, so figures between markers are exact.
 *
 * Of writes to the x2APIC's command register, which are WRMSR, only those are seen whose register
 * number was the last constant put into ECX: the interface shows no registers. (QEMU 7.2 emulates
 * no x2APIC.)
 *
 * A REP string instruction counts once per iteration and once for its end, as QEMU executes it.
 * Loads and stores are QEMU's accesses: 16 bytes are two; reading and writing in one locked
 * operation is one of each. Page-table walks and instruction fetches are no accesses.
 *
 * The translation to physical addresses is asked of QEMU once per page and kept until the CPU
 * executes an instruction that may change it, as a TLB would.
 *
 * Before the first marker nothing is counted: a boot then runs nearly as fast as without the
 * plugin. The first marker of all, whatever it says, switches counting on, by having QEMU
 * translate everything anew; a kernel therefore begins with METER_PRINT, or loses its first
 * sample. Argument arm=now counts from the beginning.
 */
#include "bench/meter/insn.h"
#include "bench/meter/lines.h"
#include "bench/meter/marker.h"
#include "bench/meter/qemu_plugin_v1.h"
#include "bench/meter/samples.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	PAGE_BITS = 12,
	TLB_ENTRIES = 256,
	ICR_LOW = 0x300, /* within the local APIC's page (SDM vol. 3A 11.6.1) */
};

#define APIC_PAGE (UINT64_C(0xfee00000) >> PAGE_BITS)
#define TLB_EMPTY UINT64_MAX

/* The argument of a run's callback. */
#define RUN_INSNS       UINT64_C(0xffff)
#define RUN_LOCKED      (UINT64_C(1) << 16)
#define RUN_TRANSLATION (UINT64_C(1) << 17)
#define RUN_WRMSR       (UINT64_C(1) << 18)
#define RUN_ECX_ICR     (UINT64_C(1) << 19)
#define RUN_ECX_OTHER   (UINT64_C(1) << 20)

struct tlb_entry {
	uint64_t page;  /* virtual page number, or TLB_EMPTY */
	uint64_t frame; /* physical */
	bool io;
};

struct cpu {
	struct tlb_entry tlb[TLB_ENTRIES];
	bool ecx_icr; /* the last constant put into ECX was the x2APIC command register's number */
} __attribute__((aligned(128)));

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_V1;

static struct cpu cpus[SAMPLES_CPUS_MAX];
static qemu_plugin_id_t plugin_id;
static bool armed;  /* counting */
static bool arming; /* it has been asked for */

static void tlb_flush(unsigned cpu)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		cpus[cpu].tlb[i].page = TLB_EMPTY;
}

/* ---- what runs while the guest runs ---- */

static void on_rare_run(unsigned cpu, uint64_t run)
{
	struct counters *counters = &samples_counters[cpu];

	counter_add(&counters->count[METRIC_LOCKED], (run & RUN_LOCKED) != 0);
	if (run & RUN_TRANSLATION)
		tlb_flush(cpu);
	if (run & (RUN_ECX_ICR | RUN_ECX_OTHER))
		cpus[cpu].ecx_icr = (run & RUN_ECX_ICR) != 0;
	if ((run & RUN_WRMSR) && cpus[cpu].ecx_icr)
		counter_add(&counters->count[METRIC_ICR], 1);
}

static void on_run(unsigned cpu, void *argument)
{
	uint64_t run = (uintptr_t)argument;

	counter_add(&samples_counters[cpu].count[METRIC_INSNS], run & RUN_INSNS);
	if (__builtin_expect(run > RUN_INSNS, 0))
		on_rare_run(cpu, run);
}

static const struct tlb_entry *tlb_fill(struct tlb_entry *entry, qemu_plugin_meminfo_t info,
					uint64_t address)
{
	struct qemu_plugin_hwaddr *hwaddr = qemu_plugin_get_hwaddr(info, address);

	if (hwaddr == NULL)
		return NULL;
	entry->page = address >> PAGE_BITS;
	entry->io = qemu_plugin_hwaddr_is_io(hwaddr);
	entry->frame = qemu_plugin_hwaddr_phys_addr(hwaddr) >> PAGE_BITS;
	return entry;
}

static const struct tlb_entry *translate(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address)
{
	uint64_t page = address >> PAGE_BITS;
	struct tlb_entry *entry = &cpus[cpu].tlb[page % TLB_ENTRIES];

	return entry->page == page ? entry : tlb_fill(entry, info, address);
}

/* An access, or its part in one line. */
static void touch(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, bool store)
{
	struct counters *counters = &samples_counters[cpu];
	const struct tlb_entry *entry = translate(cpu, info, address);
	uint64_t offset = address & ((1 << PAGE_BITS) - 1);

	if (entry != NULL && entry->io) {
		if (store && entry->frame == APIC_PAGE && offset == ICR_LOW)
			counter_add(&counters->count[METRIC_ICR], 1);
		return;
	}
	if (entry == NULL || entry->frame >= LINES_RAM_MAX >> PAGE_BITS)
		counter_add(&counters->untracked, 1);
	else if (lines_access(cpu, (entry->frame << PAGE_BITS) + offset, store))
		counter_add(&counters->count[METRIC_TRANSFERS], 1);
}

static void on_access(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *locked)
{
	struct counters *counters = &samples_counters[cpu];
	bool store = qemu_plugin_mem_is_store(info);
	uint64_t last = address + (UINT64_C(1) << qemu_plugin_mem_size_shift(info)) - 1;

	/*
	 * QEMU reports an atomic operation as one access, a store, when CPUs run in threads of
	 * their own, and as a load and a store when they take turns: its store stands for both.
	 */
	if (locked != NULL && !store)
		return;
	if (store)
		counter_add(&counters->count[METRIC_STORES], 1);
	if (!store || locked != NULL)
		counter_add(&counters->count[METRIC_LOADS], 1);

	touch(cpu, info, address, store);
	if (__builtin_expect((address ^ last) >> LINE_SHIFT != 0, 0))
		touch(cpu, info, last, store);
}

static void report(void)
{
	if (!samples_report())
		fprintf(stderr, "meter: cannot write the report: %s\n", strerror(errno));
}

static void start_counting(qemu_plugin_id_t id);

static void on_marker(unsigned cpu, void *argument)
{
	unsigned kind = (uintptr_t)argument >> 8, index = (uintptr_t)argument & 0xff;

	if (!__atomic_load_n(&armed, __ATOMIC_ACQUIRE)) {
		if (!__atomic_exchange_n(&arming, true, __ATOMIC_RELAXED))
			qemu_plugin_reset(plugin_id, start_counting);
		return;
	}
	switch (kind) {
	case METER_BEGIN:
		samples_begin(cpu, index);
		break;
	case METER_END:
		samples_end(cpu, index);
		break;
	default:
		report();
		break;
	}
}

/* ---- translation ---- */

struct run {
	struct qemu_plugin_insn *first; /* NULL: none is open */
	uint64_t facts;
};

static void run_close(struct run *run)
{
	if (run->first != NULL)
		qemu_plugin_register_vcpu_insn_exec_cb(run->first, on_run, QEMU_PLUGIN_CB_NO_REGS,
						       (void *)(uintptr_t)run->facts);
	*run = (struct run){0};
}

static void run_add(struct run *run, struct qemu_plugin_insn *insn, unsigned facts)
{
	if (run->first == NULL)
		run->first = insn;
	run->facts++;
	run->facts |= facts & INSN_LOCKED ? RUN_LOCKED : 0;
	run->facts |= facts & INSN_TRANSLATION ? RUN_TRANSLATION : 0;
	run->facts |= facts & INSN_WRMSR ? RUN_WRMSR : 0;
	run->facts |= facts & INSN_ECX_ICR ? RUN_ECX_ICR : 0;
	run->facts |= facts & INSN_ECX_OTHER ? RUN_ECX_OTHER : 0;
	if (!(facts & INSN_PLAIN))
		run_close(run);
}

static void watch_marker(struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uintptr_t argument = (uintptr_t)bytes[3] << 8 | bytes[4];

	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_NO_REGS,
					       (void *)argument);
}

static void watch_accesses(struct qemu_plugin_insn *insn, unsigned facts)
{
	/* Only both together: QEMU 7.2 mixes the two up where one of them is asked for. */
	qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW,
					 facts & INSN_LOCKED ? (void *)1 : NULL);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct run run = {0};

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned facts =
		    insn_facts(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));

		if (facts & INSN_MARKER) {
			run_close(&run);
			watch_marker(insn);
			continue;
		}
		run_add(&run, insn, facts);
		if (!(facts & INSN_PLAIN))
			watch_accesses(insn, facts);
	}
	run_close(&run);
}

/* Before counting starts. */
static void on_translation_unarmed(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned facts =
		    insn_facts(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));

		if (facts & INSN_MARKER)
			watch_marker(insn);
	}
}

/* ---- the two ends ---- */

static void on_exit_report(qemu_plugin_id_t id, void *argument)
{
	(void)id;
	(void)argument;
	report();
}

static void start_counting(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_report, NULL);
	__atomic_store_n(&armed, true, __ATOMIC_RELEASE);
}

static int refuse(const char *problem)
{
	fprintf(stderr, "meter: %s\n", problem);
	return 1;
}

static int parse(int argc, char **argv, const char **file, bool *at_once)
{
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0 && argv[i][4] != '\0') {
			*file = argv[i] + 4;
		} else if (strcmp(argv[i], "arm=now") == 0) {
			*at_once = true;
		} else if (strcmp(argv[i], "arm=marker") != 0) {
			fprintf(stderr, "meter: unknown argument '%s'\n", argv[i]);
			return 1;
		}
	}
	return *file != NULL ? 0 : refuse("needs the argument out=FILE");
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *file = NULL;
	bool at_once = false;

	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		return refuse("counts in qemu-system-x86_64 only");
	if (info->system.max_vcpus > SAMPLES_CPUS_MAX)
		return refuse("counts at most 64 CPUs (QEMU's -smp)");
	if (parse(argc, argv, &file, &at_once) != 0)
		return 1;
	if (!lines_init())
		return refuse("no address space for the table of cache lines");
	plugin_id = id;
	samples_init((unsigned)info->system.max_vcpus, file);
	for (unsigned cpu = 0; cpu < SAMPLES_CPUS_MAX; cpu++)
		tlb_flush(cpu);
	/* An unwritable file is known now and not after an hour. */
	if (!samples_report()) {
		fprintf(stderr, "meter: cannot write '%s': %s\n", file, strerror(errno));
		return 1;
	}
	if (at_once) {
		start_counting(id);
	} else {
		qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation_unarmed);
		qemu_plugin_register_atexit_cb(id, on_exit_report, NULL);
	}
	return 0;
}
