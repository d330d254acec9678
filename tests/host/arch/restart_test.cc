/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/restart.h"

#include <array>
#include <set>

#include "tests/host/machine_fixture.h"

namespace
{

struct Area {
	struct arch_percpu arch;
	struct arch_stack stack;
};

class RestartTest : public MachineTest
{
      protected:
	enum { ITEMS = 4, CAPACITY = 8 };

	void SetUp() override
	{
		MachineTest::SetUp();
		area_.arch = *arch_percpu();
		area_.arch.self = &area_.arch;
		arch_percpu_install(&area_.arch);
		fill();
		arch_irq_enable();
	}

	void TearDown() override
	{
		arch_restart_enable(true);
		MachineTest::TearDown();
	}

	/* The stack has the items 1 to ITEMS. */
	void fill()
	{
		slots_.fill(nullptr);
		area_.stack = {};
		area_.stack.capacity.value = CAPACITY;
		area_.stack.slots = slots_.data();
		for (uintptr_t i = 1; i <= ITEMS; i++)
			EXPECT_TRUE(push(i));
	}

	static constexpr uint32_t OFFSET = offsetof(Area, stack);

	static uintptr_t pop()
	{
		return reinterpret_cast<uintptr_t>(arch_stack_pop(OFFSET));
	}

	static bool push(uintptr_t item)
	{
		return arch_stack_push(OFFSET, reinterpret_cast<void *>(item));
	}

	/* Everything is there once: what the stack holds, and `taken`. */
	static bool complete(std::multiset<uintptr_t> taken, uintptr_t last = ITEMS)
	{
		while (uintptr_t item = pop())
			taken.insert(item);
		if (taken.size() != last)
			return false;
		for (uintptr_t i = 1; i <= last; i++)
			if (taken.count(i) != 1)
				return false;
		return true;
	}

	Area area_ = {};
	std::array<void *, CAPACITY> slots_;
};

TEST_F(RestartTest, TheLastOneComesFirst)
{
	EXPECT_EQ(pop(), 4u);
	EXPECT_TRUE(push(9));
	EXPECT_EQ(pop(), 9u);
	EXPECT_EQ(pop(), 3u);
	EXPECT_EQ(area_.stack.pops.value, 3u);
}

TEST_F(RestartTest, AnEmptyOneGivesNothingAndAFullOneTakesNothing)
{
	for (unsigned i = ITEMS; i < CAPACITY; i++)
		EXPECT_TRUE(push(100 + i));
	EXPECT_FALSE(push(1));
	for (unsigned i = 0; i < CAPACITY; i++)
		EXPECT_NE(pop(), 0u);
	EXPECT_EQ(pop(), 0u);
	area_.stack = {}; /* as every CPU has it before anybody gives it slots */
	EXPECT_EQ(pop(), 0u);
	EXPECT_FALSE(push(1));
}

/* What an interrupt at a chosen place does to the same stack. */
enum Action { TAKE, ADD, TAKE_AND_ADD, TAKE_ALL, LOSE_THE_SLOTS };

struct Interrupt {
	RestartTest *test;
	Area *area;
	Action action;
	std::multiset<uintptr_t> taken;
	bool came;

	static void run(void *arg)
	{
		auto *self = static_cast<Interrupt *>(arg);

		self->came = true;
		EXPECT_FALSE(arch_irq_enabled());
		EXPECT_NE(arch_percpu()->irq_depth, 0u);
		if (self->action == ADD) {
			EXPECT_TRUE(arch_stack_push(offset(), reinterpret_cast<void *>(5)));
			return;
		}
		for (bool more = true; more; more = self->action >= TAKE_ALL)
			if (!self->take())
				break;
		if (self->action == TAKE_AND_ADD)
			self->give_one_back();
		if (self->action == LOSE_THE_SLOTS)
			self->area->stack.slots = nullptr;
	}

	static constexpr uint32_t offset()
	{
		return offsetof(Area, stack);
	}

	bool take()
	{
		auto item = reinterpret_cast<uintptr_t>(arch_stack_pop(offset()));

		if (item != 0)
			taken.insert(item);
		return item != 0;
	}

	void give_one_back()
	{
		uintptr_t item = *taken.begin();

		taken.erase(taken.begin());
		EXPECT_TRUE(arch_stack_push(offset(), reinterpret_cast<void *>(item)));
	}
};

class RestartPlaces : public RestartTest
{
      protected:
	/* Interrupts one pop and one push everywhere; returns how many left something wrong. */
	unsigned wrong(Action action)
	{
		unsigned broken = 0;

		for (unsigned s = 0; s < arch_sequence_count(); s++)
			for (unsigned place = 0; place < arch_sequence_places(s); place++)
				broken += !one(action, s, place);
		return broken;
	}

      private:
	bool one(Action action, unsigned sequence, unsigned place)
	{
		Interrupt interrupt = {this, &area_, action, {}, false};
		uintptr_t last = action == ADD ? ITEMS + 1 : ITEMS, item;

		fill();
		arch_sequence_probe(sequence, place, Interrupt::run, &interrupt);
		item = pop();
		if (item != 0)
			interrupt.taken.insert(item);
		if (item != 0 && push(item))
			interrupt.taken.erase(interrupt.taken.find(item));
		arch_sequence_probe_end();
		EXPECT_TRUE(interrupt.came) << sequence << " " << place;
		area_.stack.slots = slots_.data();
		return complete(interrupt.taken, last);
	}
};

TEST_F(RestartPlaces, NothingIsLostOrDoubledWhereverAnInterruptComes)
{
	uint64_t before = arch_restarts();

	for (Action action : {TAKE, ADD, TAKE_AND_ADD})
		EXPECT_EQ(wrong(action), 0u) << action;
	EXPECT_GT(arch_restarts(), before);
}

TEST_F(RestartPlaces, WithoutSendingBackItemsAreLostOrDoubled)
{
	arch_restart_enable(false);
	for (Action action : {TAKE, ADD})
		EXPECT_GT(wrong(action), 0u) << action;
}

/* A stack that an interrupt has emptied, and taken the slots from, is found empty. */
TEST_F(RestartTest, TheWholeMagazineMayGoInAnInterrupt)
{
	for (unsigned place = 0; place < arch_sequence_places(0); place++) {
		Interrupt interrupt = {this, &area_, LOSE_THE_SLOTS, {}, false};

		fill();
		arch_sequence_probe(0, place, Interrupt::run, &interrupt);
		EXPECT_EQ(pop(), 0u) << place;
		EXPECT_TRUE(interrupt.came);
		EXPECT_EQ(interrupt.taken.size(), (size_t)ITEMS);
	}
}

TEST_F(RestartTest, AProbeRunsOnceAndEndsWhenToldTo)
{
	Interrupt interrupt = {this, &area_, TAKE, {}, false};

	arch_sequence_probe(0, 1, Interrupt::run, &interrupt);
	arch_sequence_probe_end();
	EXPECT_EQ(pop(), 4u);
	EXPECT_FALSE(interrupt.came);
	arch_sequence_probe(0, 1, Interrupt::run, &interrupt);
	EXPECT_EQ(pop(), 2u);
	EXPECT_EQ(interrupt.taken.size(), 1u);
	interrupt.came = false;
	EXPECT_EQ(pop(), 1u);
	EXPECT_FALSE(interrupt.came);
}

/* Interrupts of the machine itself, at steps that chance chooses. */
static Area *storm_area;
static std::multiset<uintptr_t> *storm_taken;

static void storm_handler()
{
	auto item = reinterpret_cast<uintptr_t>(arch_stack_pop(offsetof(Area, stack)));

	if (item != 0 && storm_taken->size() < 2) {
		storm_taken->insert(item);
	} else if (item != 0) {
		EXPECT_TRUE(arch_stack_push(offsetof(Area, stack), reinterpret_cast<void *>(item)));
	}
	if (host_random(2) == 0 && !storm_taken->empty()) {
		item = *storm_taken->begin();
		storm_taken->erase(storm_taken->begin());
		EXPECT_TRUE(arch_stack_push(offsetof(Area, stack), reinterpret_cast<void *>(item)));
	}
}

TEST_F(RestartTest, AStormOfInterruptsLosesNothing)
{
	std::multiset<uintptr_t> taken;
	uint64_t before = arch_restarts();

	storm_area = &area_;
	storm_taken = &taken;
	arch_ipi_set_handler(ARCH_IPI_CALL, storm_handler);
	host_set_watch(
	    [](enum arch_hook_kind kind, const volatile void *, void *) {
		    if (kind == ARCH_HOOK_RESTART && arch_irq_enabled() && host_random(3) == 0)
			    arch_ipi_send(0, ARCH_IPI_CALL);
	    },
	    nullptr);
	for (unsigned i = 0; i < 20000; i++) {
		uintptr_t item = pop();
		if (item != 0) {
			ASSERT_TRUE(push(item));
		}
	}
	host_set_watch(nullptr, nullptr);
	EXPECT_TRUE(complete(taken));
	EXPECT_GT(arch_restarts(), before + 1000);
}

} // namespace
