/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Booting the memory system for a benchmark: each CPU is a thread of the workstation, and what
 * tests need but an operation should not pay for is switched off.
 */
#include "bench/host/machine.h"

#include <sys/mman.h>

#include <memory>
#include <vector>

#include "arch/clock.h"
#include "arch/host/machine.h"
#include "bench/host/case.h"
#include "bench/host/crew.h"
#include "kernel/malloc/malloc.h"
#include "kernel/sched/thread.h"
#include "smp/smp.h"
#include "vm/vm.h"
#include "vm/vm_audit.h"
#include "vm/vm_fault.h"
#include "vm/vm_kern.h"

namespace bench
{

namespace
{

enum : size_t { STACK_SIZE = 256 * 1024 };
constexpr uint64_t RAM_START = 1 << 20, RAM_SIZE = UINT64_C(512) << 20;
constexpr uint64_t START_TIMEOUT_NS = 10000000000;

void *zeroed(size_t bytes)
{
	void *ptr =
	    mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return ptr == MAP_FAILED ? nullptr : ptr;
}

void unmap(void *ptr, size_t bytes)
{
	munmap(ptr, bytes);
}

void *stack(size_t *size)
{
	*size = STACK_SIZE;
	return zeroed(STACK_SIZE);
}

void *stack_or_fail()
{
	void *ptr = zeroed(STACK_SIZE);

	if (ptr == nullptr)
		fail("the host has no memory for a stack");
	return ptr;
}

/* What an AP does when it is online. */
void ap_main()
{
	auto *idle = static_cast<struct thread *>(zeroed(sizeof(struct thread)));

	sched_init_cpu(idle);
	arch_timer_start(SCHED_HZ);
	sched_idle();
}

struct BootCpu {
	struct thread thread = {}, idle = {};
	void *idle_stack = stack_or_fail();
};

/* The scheduler keeps these for ever. */
std::unique_ptr<BootCpu> boot_cpu;

void start_cpus(unsigned cpus)
{
	static const struct smp_provider provider = {zeroed, unmap, stack, unmap};

	smp_start(&provider, ap_main, START_TIMEOUT_NS);
	if (smp_online_count() != cpus)
		fail("only " + std::to_string(smp_online_count()) + " of " + std::to_string(cpus) +
		     " CPUs came online");
}

/* A kernel thread that runs one share of a crew's work. */
class Share
{
      public:
	Share(unsigned cpu, const std::function<void(unsigned)> &body) : cpu_(cpu), body_(body)
	{
		thread_create(&thread_, "bench", main, this, cpu, THREAD_PRIO_NORMAL, stack_,
			      STACK_SIZE);
		thread_start(&thread_);
	}
	~Share()
	{
		thread_join(&thread_);
		unmap(stack_, STACK_SIZE);
	}

      private:
	static void main(void *arg)
	{
		auto *share = static_cast<Share *>(arg);

		share->body_(share->cpu_);
	}

	unsigned cpu_;
	const std::function<void(unsigned)> &body_;
	void *stack_ = stack_or_fail();
	struct thread thread_ = {};
};

std::string *audit_text;

void audit_collect(const char *line)
{
	*audit_text += std::string(line) + "\n";
}

} // namespace

void machine_boot(unsigned cpus)
{
	static const struct vm_kern_map_sizes sizes = {};
	struct host_config config = {};

	config.cpus = cpus;
	config.mode = HOST_THREADS;
	config.seed = 1;
	config.ranges[0] = {RAM_START, RAM_START + RAM_SIZE, 0};
	config.range_count = 1;
	host_machine_create(&config);
	/* It looks for stale translations at each page that is freed: for tests. */
	host_oracle_enable(false);
	smp_init();
	vm_init();
	arch_fault_set_handler(vm_fault_kernel);
	boot_cpu = std::make_unique<BootCpu>();
	sched_init_boot_cpu(&boot_cpu->thread, &boot_cpu->idle, boot_cpu->idle_stack, STACK_SIZE);
	arch_timer_set_handler(sched_tick);
	arch_irq_enable();
	arch_timer_start(SCHED_HZ);
	vm_kern_maps_init(&sizes);
	malloc_startup();
	start_cpus(cpus);
}

bool machine_audit(std::string *broken)
{
	broken->clear();
	audit_text = broken;
	return vm_audit(audit_collect) + malloc_audit(audit_collect) == 0;
}

void machine_shut_down()
{
	host_machine_destroy();
	unmap(boot_cpu->idle_stack, STACK_SIZE);
	boot_cpu.reset();
}

void crew_relax()
{
	arch_cpu_relax();
}

void crew_run(unsigned threads, const std::function<void(unsigned)> &body)
{
	std::vector<std::unique_ptr<Share>> others;

	for (unsigned cpu = 1; cpu < threads; cpu++)
		others.push_back(std::make_unique<Share>(cpu, body));
	body(0);
}

} // namespace bench
