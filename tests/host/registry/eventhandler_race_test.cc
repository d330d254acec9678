/* SPDX-License-Identifier: BSD-2-Clause */
/* Many schedules in which invocations, registrations and deregistrations meet. */
#include <atomic>
#include <memory>
#include <random>

#include "kernel/registry/eventhandler.h"
#include "tests/host/sched/sched_fixture.h"

EVENTHANDLER_DEFINE(race_event);

namespace quire
{

enum { ROUNDS = 3 };

/* A handler that belongs to one thread; its memory goes as soon as it may. */
struct Owned {
	Owned(std::mt19937 &random, std::atomic<unsigned> &failure_count)
	    : owner(thread_current()), pause(random() % 4), failures(failure_count)
	{
		int priority = (int)(random() % 3);

		alive = true;
		EVENTHANDLER_REGISTER_ENTRY(race_event, &entry, call, this, priority);
	}
	~Owned()
	{
		EVENTHANDLER_DEREGISTER(race_event, &entry);
		expect(inside == 0);
		alive = false;
		memset(&entry, 0xff, sizeof(entry));
	}
	Owned(const Owned &) = delete;
	Owned &operator=(const Owned &) = delete;

	static void call(void *arg)
	{
		auto *self = static_cast<Owned *>(arg);

		self->expect(self->alive);
		self->inside++;
		if (thread_current() == self->owner)
			self->own_calls++;
		if (self->pause == 1)
			thread_yield();
		if (self->pause == 2)
			thread_sleep_ns(TICK_NS);
		self->expect(self->alive);
		self->inside--;
	}

	void expect(bool condition)
	{
		failures += !condition;
	}

	struct eventhandler_entry entry;
	const struct thread *owner;
	unsigned pause;
	unsigned own_calls = 0;
	std::atomic<bool> alive;
	std::atomic<unsigned> inside{0};
	std::atomic<unsigned> &failures; /* outlives the handler */
};

class EventhandlerRaceTest : public SchedTest
{
      protected:
	void expect_idle()
	{
		EXPECT_EQ(failures, 0u);
		EXPECT_TRUE(TAILQ_EMPTY(&race_event_eventhandlers.entries));
		EXPECT_TRUE(TAILQ_EMPTY(&race_event_eventhandlers.running));
		EXPECT_EQ(race_event_eventhandlers.waiting, 0u);
	}

	std::atomic<unsigned> failures{0};
};

TEST_F(EventhandlerRaceTest, AfterDeregisterNoCallIsInProgressNorBegins)
{
	for_machines(scaled(2000), [&] {
		on_threads(1, [&](unsigned index) {
			std::mt19937 random((uint32_t)config.seed * 16 + index);

			for (unsigned i = 0; i < ROUNDS; i++) {
				Owned handler(random, failures);

				/* What was there all the time is called exactly once. */
				if (random() % 3 != 0) {
					EVENTHANDLER_INVOKE(race_event);
					handler.expect(handler.own_calls == 1);
				}
			}
		});
		expect_idle();
	});
}

/* A handler that works once; whoever owns it takes it back meanwhile. */
struct OneShot {
	static void call(void *arg)
	{
		auto *self = static_cast<OneShot *>(arg);

		self->inside++;
		EVENTHANDLER_DEREGISTER(race_event, &self->entry);
		self->inside--;
	}

	struct eventhandler_entry entry;
	std::atomic<unsigned> inside{0};
};

TEST_F(EventhandlerRaceTest, HandlersThatDeregisterThemselvesRaceWithEachOtherAndTheirOwner)
{
	for_machines(scaled(2000), [&] {
		auto shot = std::make_unique<OneShot>();

		EVENTHANDLER_REGISTER_ENTRY(race_event, &shot->entry, OneShot::call, shot.get(), 0);
		on_threads(1, [&](unsigned index) {
			EVENTHANDLER_INVOKE(race_event);
			if (index != 0)
				return;
			EVENTHANDLER_DEREGISTER(race_event, &shot->entry);
			failures += shot->inside != 0;
			memset(&shot->entry, 0xff, sizeof(shot->entry));
			EVENTHANDLER_INVOKE(race_event);
			failures += shot->inside != 0;
		});
		expect_idle();
	});
}

/* Handlers of one event that register, deregister and invoke in a tree of calls. */
struct Nesting {
	static void outer(void *arg)
	{
		struct eventhandler_entry entry;
		auto *count = static_cast<std::atomic<unsigned> *>(arg);

		if ((*count)++ > 20)
			return;
		EVENTHANDLER_REGISTER_ENTRY(race_event, &entry, inner, arg, EVENTHANDLER_PRI_FIRST);
		if (*count % 3 == 0)
			EVENTHANDLER_INVOKE(race_event);
		EVENTHANDLER_DEREGISTER(race_event, &entry);
		memset(&entry, 0xff, sizeof(entry));
	}
	static void inner(void *arg)
	{
		(void)arg;
		thread_yield();
	}
};

TEST_F(EventhandlerRaceTest, NestedInvocationsRegisterAndDeregister)
{
	for_machines(scaled(200), [&] {
		std::atomic<unsigned> count{0};
		struct eventhandler_entry entry;

		EVENTHANDLER_REGISTER_ENTRY(race_event, &entry, Nesting::outer, &count, 0);
		on_threads(1, [&](unsigned) {
			for (unsigned i = 0; i < ROUNDS; i++)
				EVENTHANDLER_INVOKE(race_event);
		});
		EVENTHANDLER_DEREGISTER(race_event, &entry);
		EXPECT_GE(count, (unsigned)ROUNDS * config.cpus);
		expect_idle();
	});
}

} // namespace quire
