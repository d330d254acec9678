/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/registry/eventhandler.h"

#include <atomic>
#include <string>
#include <vector>

#include "kernel/sched/sleepq.h"
#include "tests/host/sched/sched_fixture.h"

EVENTHANDLER_DECLARE(test_event, void (*)(void *));
EVENTHANDLER_DEFINE(test_event);

namespace quire
{

/* A handler that is a C++ function. */
struct Handler {
	explicit Handler(std::function<void()> fn) : body(std::move(fn))
	{
	}

	eventhandler_tag add(int priority = EVENTHANDLER_PRI_ANY)
	{
		return EVENTHANDLER_REGISTER_ENTRY(test_event, &entry, call, this, priority);
	}
	void remove()
	{
		EVENTHANDLER_DEREGISTER(test_event, &entry);
	}
	static void call(void *arg)
	{
		static_cast<Handler *>(arg)->body();
	}

	std::function<void()> body;
	struct eventhandler_entry entry;
};

class EventhandlerTest : public SchedTest
{
      protected:
	void TearDown() override
	{
		EXPECT_TRUE(TAILQ_EMPTY(&test_event_eventhandlers.entries));
		EXPECT_TRUE(TAILQ_EMPTY(&test_event_eventhandlers.running));
		EXPECT_EQ(test_event_eventhandlers.waiting, 0u);
		SchedTest::TearDown();
	}

	static void invoke()
	{
		EVENTHANDLER_INVOKE(test_event);
	}

	/* What the handlers that are registered now write. */
	std::string order()
	{
		written.clear();
		invoke();
		return written;
	}

	std::function<void()> write(char c)
	{
		return [this, c] { written += c; };
	}

	/* Until a thread sleeps in deregister. */
	static void wait_for_waiter(const struct eventhandler_entry *entry)
	{
		while (sleepq_count(entry) == 0)
			thread_yield();
	}

	std::string written;
};

TEST_F(EventhandlerTest, AnEventWithoutHandlersDoesNothing)
{
	uint64_t before = test_event_eventhandlers.invocations;

	boot_all(1, 1);
	invoke();
	EXPECT_EQ(test_event_eventhandlers.invocations, before + 1);
}

TEST_F(EventhandlerTest, HandlersGetTheirArgument)
{
	struct eventhandler_entry one, two;
	int a = 0, b = 0;
	auto increment = [](void *arg) { ++*static_cast<int *>(arg); };

	boot_all(1, 1);
	EXPECT_EQ(EVENTHANDLER_REGISTER_ENTRY(test_event, &one, increment, &a, 0), &one);
	EVENTHANDLER_REGISTER_ENTRY(test_event, &two, increment, &b, 0);
	invoke();
	EVENTHANDLER_DEREGISTER(test_event, &one);
	invoke();
	EVENTHANDLER_DEREGISTER(test_event, &two);
	invoke();
	EXPECT_EQ(a, 1);
	EXPECT_EQ(b, 2);
}

TEST_F(EventhandlerTest, PrioritiesOrderAndEqualOnesStayInOrderOfRegistration)
{
	boot_all(1, 1);
	Handler a(write('a')), b(write('b')), c(write('c')), d(write('d')), e(write('e')),
	    f(write('f'));

	d.add(EVENTHANDLER_PRI_ANY);
	f.add(EVENTHANDLER_PRI_LAST);
	a.add(-5);
	e.add(EVENTHANDLER_PRI_ANY);
	b.add(EVENTHANDLER_PRI_FIRST);
	c.add(EVENTHANDLER_PRI_FIRST);
	EXPECT_EQ(order(), "abcdef");
	b.remove();
	b.add(EVENTHANDLER_PRI_FIRST);
	EXPECT_EQ(order(), "acbdef");
	for (Handler *handler : {&a, &b, &c, &d, &e, &f})
		handler->remove();
	EXPECT_EQ(order(), "");
}

TEST_F(EventhandlerTest, AHandlerMayDeregisterItself)
{
	boot_all(1, 1);
	Handler before(write('1')), after(write('3'));
	Handler self([&] {
		written += '2';
		self.remove();
		/* Nothing reads the entry any more. */
		memset(&self.entry, 0xff, sizeof(self.entry));
	});

	before.add();
	self.add();
	after.add();
	EXPECT_EQ(order(), "123");
	EXPECT_EQ(order(), "13");
	before.remove();
	after.remove();
}

TEST_F(EventhandlerTest, AHandlerMayDeregisterOthersBeforeTheirTurn)
{
	boot_all(1, 1);
	Handler earlier(write('1')), next(write('3')), later(write('4')), last(write('5'));
	Handler killer([&] {
		written += '2';
		for (Handler *victim : {&earlier, &next, &later}) {
			victim->remove();
			memset(&victim->entry, 0xff, sizeof(victim->entry));
		}
	});

	for (Handler *handler : {&earlier, &killer, &next, &later, &last})
		handler->add();
	EXPECT_EQ(order(), "125");
	EXPECT_EQ(order(), "25"); /* and deregistering them again is nothing */
	killer.remove();
	last.remove();
}

TEST_F(EventhandlerTest, AHandlerRegisteredMeanwhileIsCalledFromTheNextInvocationOn)
{
	boot_all(1, 1);
	Handler late(write('l'));
	Handler first([&] {
		written += 'f';
		if (written == "f")
			late.add(EVENTHANDLER_PRI_LAST);
	});
	Handler last(write('z'));

	first.add(EVENTHANDLER_PRI_FIRST);
	last.add(EVENTHANDLER_PRI_LAST + 1);
	EXPECT_EQ(order(), "fz");
	first.remove();
	EXPECT_EQ(order(), "lz");
	late.remove();
	last.remove();
}

TEST_F(EventhandlerTest, AHandlerThatRegistersItselfAgainIsCalledOnceAnInvocation)
{
	boot_all(1, 1);
	Handler again([&] {
		written += 'a';
		again.remove();
		again.add();
	});
	Handler other(write('b'));

	again.add();
	other.add();
	EXPECT_EQ(order(), "ab");
	EXPECT_EQ(order(), "ba");
	again.remove();
	other.remove();
}

TEST_F(EventhandlerTest, HandlersMayInvokeTheirOwnEvent)
{
	unsigned depth = 0;

	boot_all(1, 1);
	Handler nested([&] {
		written += '(';
		if (++depth < 3)
			invoke();
		depth--;
		written += ')';
	});
	Handler after(write('.'));

	nested.add();
	after.add();
	EXPECT_EQ(order(), "((().).).");
	nested.remove();
	after.remove();
}

TEST_F(EventhandlerTest, ANestedCallMayDeregisterWhatItsOwnThreadIsIn)
{
	unsigned depth = 0;

	boot_all(1, 1);
	Handler nested([&] {
		written += '(';
		if (++depth < 3)
			invoke();
		else
			nested.remove();
		written += ')';
	});

	nested.add();
	EXPECT_EQ(order(), "((()))");
	EXPECT_EQ(order(), "");
}

TEST_F(EventhandlerTest, DeregisterWaitsForACallThatSleeps)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		std::atomic<bool> entered{false}, finished{false};

		boot_all(2, seed);
		Handler slow([&] {
			entered = true;
			thread_sleep_ns(3 * MS);
			finished = true;
		});
		slow.add();
		Thread invoker(1, [] { invoke(); });
		while (!entered)
			thread_yield();
		slow.remove();
		EXPECT_TRUE(finished);
		invoker.join();
	}
}

TEST_F(EventhandlerTest, DeregisterDoesNotWaitForCallsOfOtherHandlers)
{
	std::atomic<bool> entered{false}, go{false};

	boot_all(2, 1);
	Handler slow([&] {
		entered = true;
		while (!go)
			thread_sleep_ns(MS);
	});
	Handler other(write('o'));
	slow.add();
	other.add();
	Thread invoker(1, [] { invoke(); });
	while (!entered)
		thread_yield();
	other.remove(); /* returns, or the test never ends */
	go = true;
	invoker.join();
	EXPECT_EQ(written, "");
	slow.remove();
}

TEST_F(EventhandlerTest, TheOwnerWaitsForAHandlerThatHasDeregisteredItself)
{
	std::atomic<bool> deregistered{false}, go{false}, finished{false};

	boot_all(2, 1);
	Handler self([&] {
		self.remove();
		deregistered = true;
		while (!go)
			thread_sleep_ns(MS);
		finished = true;
	});
	self.add();
	Thread invoker(1, [] { invoke(); });
	while (!deregistered)
		thread_yield();
	Thread owner(0, [&] {
		self.remove();
		EXPECT_TRUE(finished);
	});
	wait_for_waiter(&self.entry);
	EXPECT_FALSE(finished);
	go = true;
	owner.join();
	invoker.join();
}

TEST_F(EventhandlerTest, AHandlerMayDeregisterItselfOnTwoCpusAtOnce)
{
	std::atomic<unsigned> inside{0}, calls{0};

	boot_all(2, 1);
	Handler self([&] {
		inside++;
		while (inside != 2)
			thread_sleep_ns(MS);
		self.remove();
		/* Neither waits for the other's call to end. */
		calls++;
		while (calls != 2)
			thread_sleep_ns(MS);
	});
	self.add();
	on_threads(1, [](unsigned) { invoke(); });
	EXPECT_EQ(calls, 2u);
	invoke();
	EXPECT_EQ(calls, 2u);
}

/* What is inside but does not leave is waited for, from inside as well. */
TEST_F(EventhandlerTest, AHandlerThatDeregistersItselfWaitsForItsCallsElsewhere)
{
	std::atomic<unsigned> inside{0};
	std::atomic<bool> go{false}, other_finished{false};

	boot_all(2, 1);
	Handler self([&] {
		inside++;
		while (inside != 2)
			thread_sleep_ns(MS);
		if (arch_cpu_id() == 0) {
			self.remove();
			EXPECT_TRUE(other_finished);
		} else {
			while (!go)
				thread_sleep_ns(MS);
			other_finished = true;
		}
	});
	self.add();
	Thread zero(0, [] { invoke(); }), one(1, [] { invoke(); });
	wait_for_waiter(&self.entry);
	go = true;
	zero.join();
	one.join();
}

class EventhandlerDeathTest : public EventhandlerTest
{
      protected:
	void register_twice()
	{
		Handler handler([] {});

		boot_all(1, 1);
		handler.add();
		handler.add(EVENTHANDLER_PRI_FIRST);
	}

	void with_a_lock(const std::function<void()> &body)
	{
		struct spinlock lock = SPINLOCK_INIT("mine", LOCK_RANK_KERNEL);

		boot_all(1, 1);
		spin_lock(&lock);
		body();
	}
};

TEST_F(EventhandlerDeathTest, RegisteringTwicePanics)
{
	EXPECT_DEATH(register_twice(), "event \"test_event\": handler .* registered twice");
}

TEST_F(EventhandlerDeathTest, InvokingWithASpinlockHeldPanics)
{
	EXPECT_DEATH(with_a_lock([] { invoke(); }),
		     "eventhandler_invoke may not sleep with a spinlock held .*mine");
}

TEST_F(EventhandlerDeathTest, DeregisteringWithASpinlockHeldPanics)
{
	Handler handler([] {});

	EXPECT_DEATH(with_a_lock([&] { handler.remove(); }),
		     "eventhandler_deregister may not sleep with a spinlock held .*mine");
}

TEST_F(EventhandlerTest, ClassicRegistrationBringsNoMemory)
{
	static int calls;
	std::vector<eventhandler_tag> tags;
	auto count = [](void *) { calls++; };

	boot_all(1, 1);
	calls = 0;
	for (;;) {
		eventhandler_tag tag = EVENTHANDLER_REGISTER(test_event, count, nullptr, 0);

		if (tag == nullptr)
			break;
		tags.push_back(tag);
	}
	EXPECT_EQ(tags.size(), size_t{EVENTHANDLER_OWN_ENTRIES});
	invoke();
	EXPECT_EQ(calls, EVENTHANDLER_OWN_ENTRIES);
	for (eventhandler_tag tag : tags)
		EVENTHANDLER_DEREGISTER(test_event, tag);
	invoke();
	EXPECT_EQ(calls, EVENTHANDLER_OWN_ENTRIES);
	/* They are there again. */
	eventhandler_tag again = EVENTHANDLER_REGISTER(test_event, count, nullptr, 0);
	ASSERT_NE(again, nullptr);
	EVENTHANDLER_DEREGISTER(test_event, again);
}

} // namespace quire
