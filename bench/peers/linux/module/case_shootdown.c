/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every CPU forgets one page of kernel memory at once: flush_tlb_kernel_range, which is what all of
 * Linux's own paths come to when they take rights away. It interrupts the other CPUs whether they
 * idle or not, and returns when all have answered.
 */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/symbols.h"

static int page_setup(struct bench_cpu *cpu)
{
	cpu->state = vzalloc(PAGE_SIZE);
	return cpu->state != NULL ? 0 : -ENOMEM;
}

static int flush_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	unsigned long page = (unsigned long)cpu->state;

	for (unsigned int i = 0; i < ops; i++)
		linux_flush_tlb_kernel_range(page, page + PAGE_SIZE);
	return 0;
}

static void page_drain(struct bench_cpu *cpu)
{
	vfree(cpu->state);
}

/* Busy with nothing, interrupts enabled. */
static int spin(void *unused)
{
	while (!kthread_should_stop()) {
		cpu_relax();
		cond_resched();
	}
	return 0;
}

static void spinners_stop(struct bench_run *run)
{
	struct task_struct **spinners = run->state;

	if (spinners == NULL)
		return;
	for (unsigned int i = 0; i < nr_cpu_ids; i++)
		if (!IS_ERR_OR_NULL(spinners[i]))
			kthread_stop(spinners[i]);
	kfree(spinners);
}

/* With mode all, the workers are the busy ones. The worker alone has the first CPU. */
static int spinners_start(struct bench_run *run)
{
	struct task_struct **spinners;
	unsigned int cpu = cpumask_first(cpu_online_mask);

	if (run->mode == BENCH_ALL)
		return 0;
	spinners = kcalloc(nr_cpu_ids, sizeof(*spinners), GFP_KERNEL);
	if (spinners == NULL)
		return -ENOMEM;
	run->state = spinners;
	while ((cpu = cpumask_next(cpu, cpu_online_mask)) < nr_cpu_ids) {
		spinners[cpu] = kthread_create_on_cpu(spin, NULL, cpu, "spin/%u");
		if (IS_ERR(spinners[cpu]))
			return PTR_ERR(spinners[cpu]);
		wake_up_process(spinners[cpu]);
	}
	return 0;
}

const struct bench_case shootdown_cases[] = {
    LINUX_CASE(SHOOTDOWN_IDLE, .modes = BENCH_ALONE, .ops = 100, .quick_ops = 20,
	       .ops_divided = true, .setup_cpu = page_setup, .sample = flush_sample,
	       .drain_cpu = page_drain),
    LINUX_CASE(SHOOTDOWN_BUSY, .ops = 50, .quick_ops = 10, .ops_divided = true,
	       .setup = spinners_start, .setup_cpu = page_setup, .sample = flush_sample,
	       .drain_cpu = page_drain, .teardown = spinners_stop),
    LINUX_CASE_END,
};
