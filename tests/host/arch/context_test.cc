/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/machine_fixture.h"

#include <memory>
#include <vector>

#include "arch/atomic.h"
#include "arch/clock.h"
#include "lib/panic.h"

namespace
{

struct arch_context home, a, b;
std::vector<int> order;

class ContextTest : public MachineTest
{
      protected:
	static constexpr size_t STACK = 128 * 1024;

	void SetUp() override
	{
		MachineTest::SetUp();
		order.clear();
		stacks.resize(2 * STACK);
		arch_context_adopt(&home);
	}

	char *stack(unsigned i)
	{
		return &stacks[i * STACK];
	}

	std::vector<char> stacks;
};

TEST_F(ContextTest, PingPong)
{
	arch_context_init(
	    &a, stack(0), STACK,
	    [](void *arg) {
		    EXPECT_FALSE(arch_irq_enabled());
		    EXPECT_EQ(arg, &order);
		    for (int i = 0;; i++) {
			    order.push_back(i);
			    arch_context_switch(&a, &home);
		    }
	    },
	    &order);
	for (int i = 0; i < 3; i++)
		arch_context_switch(&home, &a);
	EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST_F(ContextTest, OneContextHandsOverToAnother)
{
	arch_context_init(
	    &a, stack(0), STACK,
	    [](void *) {
		    order.push_back(1);
		    arch_context_switch(&a, &b);
		    order.push_back(3);
		    arch_context_switch(&a, &home);
	    },
	    nullptr);
	arch_context_init(
	    &b, stack(1), STACK,
	    [](void *) {
		    order.push_back(2);
		    arch_context_switch(&b, &a);
	    },
	    nullptr);
	arch_context_switch(&home, &a);
	EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(ContextTest, AStackServesManyContextsInTurn)
{
	for (int i = 0; i < 200; i++) {
		arch_context_init(
		    &a, stack(0), STACK,
		    [](void *arg) {
			    volatile char big[2000];

			    big[0] = big[1999] = 1;
			    order.push_back(*static_cast<int *>(arg) + big[0] - 1);
			    arch_context_switch(&a, &home);
		    },
		    &i);
		arch_context_switch(&home, &a);
		ASSERT_EQ(order.back(), i);
	}
}

TEST_F(ContextTest, ASmallStackIsReplacedByALargeOne)
{
	arch_context_init(
	    &a, stack(0), 4096,
	    [](void *) {
		    volatile char big[60000];

		    for (auto &c : big)
			    c = 1;
		    kprintf("%d bytes\n", big[0] * 60000);
		    arch_context_switch(&a, &home);
	    },
	    nullptr);
	arch_context_switch(&home, &a);
	EXPECT_STREQ(host_log(), "60000 bytes\n");
}

TEST_F(ContextTest, AnInterruptMaySwitchThreadsOnItsWayOut)
{
	arch_timer_set_handler([] { arch_percpu()->need_resched = 1; });
	arch_irq_set_exit_handler([] {
		arch_percpu()->need_resched = 0;
		order.push_back(1);
		arch_context_switch(&home, &a);
		order.push_back(3);
	});
	arch_context_init(
	    &a, stack(0), STACK,
	    [](void *) {
		    order.push_back(2);
		    arch_context_switch(&a, &home);
	    },
	    nullptr);
	arch_timer_start(1000);
	arch_irq_enable();
	while (order.size() < 3)
		arch_cpu_relax();
	arch_irq_disable();
	EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(ContextTest, CpusSwitchWhileTheirThreadsDo)
{
	static struct arch_context cpu_home[4], worker[4];
	static struct atomic32 total;

	config.cpus = 4;
	config.switch_ppm = 300000;
	recreate();
	atomic32_store(&total, 0, MO_RELAXED);
	on_all_cpus([] {
		unsigned cpu = arch_cpu_id();
		bool irq = arch_irq_save();

		arch_context_adopt(&cpu_home[cpu]);
		arch_context_init(
		    &worker[cpu], nullptr, 0,
		    [](void *) {
			    for (;;) {
				    unsigned me = arch_cpu_id();

				    atomic32_add(&total, 1, MO_RELAXED);
				    arch_context_switch(&worker[me], &cpu_home[me]);
			    }
		    },
		    nullptr);
		for (unsigned i = 0; i < 50; i++) {
			arch_context_switch(&cpu_home[cpu], &worker[cpu]);
			ASSERT_EQ(arch_cpu_id(), cpu);
		}
		arch_irq_restore(irq);
	});
	EXPECT_EQ(atomic32_load(&total, MO_RELAXED), 200u);
}

TEST_F(ContextTest, SwitchingWithInterruptsOnPanics)
{
	arch_context_init(
	    &a, stack(0), STACK, [](void *) {}, nullptr);
	EXPECT_DEATH(
	    {
		    arch_irq_enable();
		    arch_context_switch(&home, &a);
	    },
	    "irq_enabled");
	EXPECT_DEATH(arch_context_switch(&home, &a), "first function of a context returned");
}

} // namespace
