/* SPDX-License-Identifier: BSD-2-Clause */
/* Directing: who is asked when, what it can bring about, and putting a machine back. */
#include "arch/host/director.h"

#include <string>
#include <vector>

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/ipi.h"
#include "lib/check.h"
#include "tests/host/arch/page_tables.h"

namespace
{

std::vector<std::string> events;
std::vector<uint64_t> values;
void (*at_hook)(unsigned cpu);
struct atomic32 word;

void on_hook(unsigned cpu, enum arch_hook_kind, const volatile void *)
{
	void (*act)(unsigned cpu) = at_hook;

	events.push_back("hook " + std::to_string(cpu));
	at_hook = nullptr;
	if (act != nullptr)
		act(cpu);
}

bool on_yield(unsigned cpu)
{
	uint32_t others = host_runnable() & ~(1u << cpu);

	events.push_back("yield " + std::to_string(cpu));
	if (others == 0)
		return false;
	host_switch_to((unsigned)__builtin_ctz(others));
	return true;
}

const struct host_director director = {
    on_hook, on_yield, [](unsigned, uint64_t value) { values.push_back(value); },
    [](unsigned, uint64_t value) { values.push_back(1000 + value); },
    [](unsigned cpu, unsigned ipi) {
	    events.push_back("ipi " + std::to_string(cpu) + " " + std::to_string(ipi));
    }};

void step()
{
	atomic32_load(&word, MO_RELAXED);
}

class DirectorTest : public PageTableTest
{
      protected:
	DirectorTest()
	{
		config.cpus = 3;
	}

	void SetUp() override
	{
		PageTableTest::SetUp();
		events.clear();
		values.clear();
		at_hook = nullptr;
		word = {0};
		host_direct(&director);
	}

	/* CPU 1 has started and idles. */
	static void wake_cpu_1()
	{
		on_cpu(1, [] {});
		while (host_cpu_state(1) != HOST_CPU_IDLE)
			arch_cpu_relax();
	}
};

TEST_F(DirectorTest, IsAskedAtEachHookWhileActive)
{
	step();
	EXPECT_TRUE(events.empty());
	host_direct_activate(true);
	step();
	step();
	EXPECT_EQ(events, (std::vector<std::string>{"hook 0", "hook 0"}));
	host_direct_activate(false);
	step();
	EXPECT_EQ(events.size(), 2u);
}

TEST_F(DirectorTest, SeesValuesWhenItWantsTo)
{
	host_direct_activate(true);
	step();
	EXPECT_TRUE(values.empty());
	host_set_watch_values(true);
	atomic32_store(&word, 7, MO_RELAXED);
	step();
	atomic32_add(&word, 1, MO_RELAXED);
	EXPECT_EQ(values, (std::vector<uint64_t>{1007, 7, 7}));
}

TEST_F(DirectorTest, FailedCompareAndSwapShowsWhatItFound)
{
	uint32_t expected = 3;

	host_direct_activate(true);
	host_set_watch_values(true);
	atomic32_store(&word, 9, MO_RELAXED);
	values.clear();
	EXPECT_FALSE(atomic32_cas(&word, &expected, 4, MO_RELAXED));
	EXPECT_EQ(values, (std::vector<uint64_t>{0, 9}));
}

TEST_F(DirectorTest, DecidesWhoRuns)
{
	auto body = [] { step(); };

	host_direct_activate(true);
	start_on_cpu(1, body);
	at_hook = [](unsigned) { host_switch_to(1); };
	step();
	/* The job's own hooks, those of taking and leaving it, and then CPU 1 idles. */
	EXPECT_EQ(events.front(), "hook 0");
	EXPECT_EQ(events[1], "hook 1");
	EXPECT_EQ(events.back(), "yield 1");
	host_cpu_wait(1);
}

TEST_F(DirectorTest, HoldsInterruptsBack)
{
	arch_ipi_set_handler(ARCH_IPI_CALL, [] {});
	host_direct_activate(true);
	arch_irq_enable();
	at_hook = [](unsigned) {
		EXPECT_FALSE(host_irq_imminent());
		host_ipi_drop_all(ARCH_IPI_CALL, false);
		host_irq_hold(2);
	};
	step();
	arch_irq_disable();
	host_ipi_spurious(0, ARCH_IPI_CALL);
	EXPECT_EQ(host_irq_waiting(0), 1u << ARCH_IPI_CALL);
	EXPECT_FALSE(host_irq_deliverable(0));
	at_hook = [](unsigned) { host_irq_hold(2); };
	arch_irq_enable(); /* this hook and the next do not take it */
	EXPECT_TRUE(host_irq_deliverable(0));
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_CALL), 0u);
	step();
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_CALL), 0u);
	step();
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_CALL), 1u);
	EXPECT_EQ(events.back(), "ipi 0 1");
}

TEST_F(DirectorTest, WaitingEndsAHold)
{
	arch_ipi_set_handler(ARCH_IPI_CALL, [] {});
	host_direct_activate(true);
	at_hook = [](unsigned) { host_irq_hold(1000); };
	host_ipi_spurious(0, ARCH_IPI_CALL);
	arch_irq_enable();
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_CALL), 0u);
	arch_cpu_relax();
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_CALL), 1u);
}

unsigned nmis, nmi_cpu;

void nmi()
{
	nmis++;
	nmi_cpu = arch_cpu_id();
	EXPECT_FALSE(arch_irq_enabled());
	EXPECT_FALSE(host_nmi(arch_cpu_id(), nmi)); /* not one in another */
	step();
}

TEST_F(DirectorTest, NmiRunsWithInterruptsOffAndLeavesTheFlag)
{
	nmis = 0;
	host_direct_activate(true);
	EXPECT_TRUE(host_nmi(0, nmi));
	EXPECT_FALSE(host_nmi(0, nmi)); /* one waits already */
	step();
	EXPECT_EQ(nmis, 1u);
	EXPECT_FALSE(arch_irq_enabled());
	arch_irq_enable();
	host_nmi(0, nmi);
	step();
	EXPECT_EQ(nmis, 2u);
	EXPECT_TRUE(arch_irq_enabled());
}

TEST_F(DirectorTest, NmiReachesACpuThatIdles)
{
	wake_cpu_1();
	nmis = 0;
	host_direct_activate(true);
	EXPECT_EQ(host_runnable(), 1u);
	EXPECT_TRUE(host_nmi(1, nmi));
	EXPECT_EQ(host_runnable(), 3u);
	host_switch_to(1);
	EXPECT_EQ(nmis, 1u);
	EXPECT_EQ(nmi_cpu, 1u);
	EXPECT_EQ(host_cpu_state(1), HOST_CPU_IDLE);
}

TEST_F(DirectorTest, NmiDoesNotReachACpuThatIsOff)
{
	EXPECT_FALSE(host_nmi(2, nmi));
}

TEST_F(DirectorTest, RewindPutsBackWhatDecides)
{
	uint64_t traces[2], chances[2], times[2];

	wake_cpu_1();
	arch_ipi_set_handler(ARCH_IPI_CALL, [] {});
	for (unsigned i = 0; i < 2; i++) {
		host_rewind(42);
		EXPECT_EQ(host_steps(), 0u);
		EXPECT_EQ(host_tlb_count(0), 0u);
		EXPECT_EQ(host_irq_waiting(1), 0u);
		EXPECT_EQ(host_ipi_sent(ARCH_IPI_CALL), 0u);
		host_direct_activate(true);
		step();
		traces[i] = host_trace();
		chances[i] = host_random(UINT64_MAX);
		times[i] = arch_clock_ns();
		arch_ipi_send(1, ARCH_IPI_CALL);
		host_translate(PHYSMAP_BASE + next_frame, HOST_READ, nullptr, nullptr);
		EXPECT_EQ(host_tlb_count(0), 1u);
		host_direct_activate(false);
	}
	EXPECT_EQ(traces[0], traces[1]);
	EXPECT_EQ(chances[0], chances[1]);
	EXPECT_EQ(times[0], times[1]);
	host_rewind(43);
	EXPECT_NE(host_random(UINT64_MAX), chances[0]);
}

TEST_F(DirectorTest, TlbHashIsThatOfTheContents)
{
	uint64_t empty = host_tlb_hash(0), one, two;
	vm_offset_t va = PHYSMAP_BASE + next_frame;

	host_translate(va, HOST_READ, nullptr, nullptr);
	one = host_tlb_hash(0);
	host_translate(va + SUPERPAGE_SIZE * 2, HOST_READ, nullptr, nullptr);
	two = host_tlb_hash(0);
	EXPECT_NE(empty, one);
	EXPECT_NE(one, two);
	arch_tlb_flush();
	EXPECT_EQ(host_tlb_hash(0), empty);
	/* In the other order. */
	host_translate(va + SUPERPAGE_SIZE * 2, HOST_READ, nullptr, nullptr);
	host_translate(va, HOST_READ, nullptr, nullptr);
	EXPECT_EQ(host_tlb_hash(0), two);
}

TEST_F(DirectorTest, PanicHandlerComesFirst)
{
	auto scenario = [] {
		host_set_panic_handler([](const char *message) {
			std::fprintf(stderr, "handler: %s\n", message);
			std::exit(3);
		});
		CHECK_EQ(1, 2);
	};

	EXPECT_EXIT(scenario(), ::testing::ExitedWithCode(3), "handler: .*check failed: 1 == 2");
}

} // namespace
