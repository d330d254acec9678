/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/: from the backend's first call to the shell.
 *
 * The order of the boot, and why: per-CPU area and log first, so that everything after can speak;
 * memory, which needs only the boot CPU; threads, whose stacks come from that memory; the tick;
 * then the other CPUs, for each of which area, stack and idle thread are allocated before it
 * starts; the page daemon, which is a thread like any other; an audit of what all that has left;
 * and at last commands or a person.
 */
#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "arch/phase.h"
#include "arch/system.h"
#include "kernel/config.h"
#include "kernel/fault_probe.h"
#include "kernel/incidents.h"
#include "kernel/kthread.h"
#include "kernel/log.h"
#include "kernel/malloc/malloc.h"
#include "kernel/phases.h"
#include "kernel/shell.h"
#include "kernel/stack.h"
#include "kernel/symbols.h"
#include "kernel/version.h"
#include "lib/check.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "vm/vm.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_magazine.h"
#include "vm/vm_pageout.h"

/* Far more than a CPU needs; an emulator may start hundreds of them one after the other. */
#define AP_TIMEOUT_NS UINT64_C(5000000000)

static struct kthread boot_thread, boot_idle;
static struct kthread *ap_idles; /* by CPU number; entry 0 is unused */

static void print_domain(const struct boot_info *info, unsigned domain)
{
	uint64_t bytes = 0;
	unsigned ranges = 0;

	for (unsigned i = 0; i < info->range_count; i++) {
		if (info->ranges[i].domain != domain)
			continue;
		bytes += info->ranges[i].end - info->ranges[i].start;
		ranges++;
	}
	kprintf("memory: domain %u: %lu MiB usable in %u range%s\n", domain,
		(unsigned long)(bytes >> 20), ranges, ranges == 1 ? "" : "s");
}

static void print_boot_info(const struct boot_info *info)
{
	kprintf("machine: %s\n", arch_cpu_description());
	kprintf("loader: %s, options: %s\n", info->loader[0] != '\0' ? info->loader : "unknown",
		info->cmdline[0] != '\0' ? info->cmdline : "none");
	kprintf("memory: image at %#lx-%#lx, %lu MiB reported, %lu KiB kept from use\n",
		(unsigned long)info->image_start, (unsigned long)info->image_end,
		(unsigned long)(info->ram_bytes >> 20), (unsigned long)(info->kept_bytes >> 10));
	for (unsigned domain = 0; domain < info->domain_count; domain++)
		print_domain(info, domain);
	if (info->lost_bytes != 0)
		kprintf("memory: %lu KiB lost, there are too many ranges\n",
			(unsigned long)(info->lost_bytes >> 10));
}

static void start_threads(void)
{
	size_t size;
	void *stack = kstack_alloc(&size);

	if (stack == NULL)
		panic("no memory for the idle thread of the boot CPU");
	sched_init_boot_cpu(&boot_thread.thread, &boot_idle.thread, stack, size);
	kthread_adopt(&boot_thread);
	kthread_adopt(&boot_idle);
	arch_timer_set_handler(incidents_tick);
	arch_timer_start(SCHED_HZ);
	arch_irq_enable();
}

static void ap_main(void)
{
	struct thread *idle = &ap_idles[arch_cpu_id()].thread;

	sched_init_cpu(idle);
	arch_timer_start(SCHED_HZ);
	sched_idle();
}

static void *cpu_alloc(size_t bytes)
{
	return (void *)kmem_alloc(kernel_map, bytes);
}

static void cpu_free(void *memory, size_t bytes)
{
	kmem_free(kernel_map, (vm_offset_t)memory, bytes);
}

static void start_cpus(void)
{
	static const struct smp_provider provider = {cpu_alloc, cpu_free, kstack_alloc,
						     kstack_free};
	unsigned count = smp_cpu_count();

	ap_idles = cpu_alloc(count * sizeof(*ap_idles));
	if (ap_idles == NULL)
		panic("no memory for the idle threads of %u CPUs", count);
	smp_start(&provider, ap_main, AP_TIMEOUT_NS);
	for (unsigned cpu = 1; cpu < count; cpu++)
		if (smp_cpu_online(cpu))
			kthread_adopt(&ap_idles[cpu]);
}

static void start_page_daemon(void)
{
	/* Above those that it works for: they may keep a CPU busy while they try again. */
	if (kthread_create("page daemon", vm_pageout_daemon, NULL, 0, THREAD_PRIO_HIGH) == NULL)
		panic("no memory for the page daemon");
}

static void report_audit(const char *line)
{
	kprintf("audit: %s\n", line);
}

void kernel_main(void)
{
	const struct boot_info *info = arch_boot_info();

	smp_init();
	symbols_init();
	config_init(info->cmdline);
	kprintf("Quire " QUIRE_VERSION "\n");
	print_boot_info(info);
	vm_init();
	arch_phase_end("memory");
	fault_probe_init();
	start_threads();
	vm_kern_maps_init(&kernel_config()->maps);
	malloc_startup();
	arch_phase_end("threads and maps");
	if (kernel_config()->sabotage)
		shootdown_sabotage();
	start_cpus();
	arch_phase_end("CPUs");
	start_page_daemon();
	incidents_init();
	sched_set_idle_work(vm_idle);
	config_apply_tunables(info->cmdline);
	arch_phase_end("services");
	if (vm_audit(report_audit) != 0)
		kprintf("audit: the memory system is broken right after the boot\n");
	arch_phase_end("audit");
	phases_print();
	if (kernel_config()->has_run)
		shell_run_and_power_off(kernel_config()->run);
	shell_interactive(kernel_config()->start);
}
