// SPDX-License-Identifier: BSD-2-Clause
/* The explorer judged by programs whose answers are known (toys.cc). */
#include <string>

#include "tests/explore/engine/engine.h"
#include "gtest/gtest.h"

namespace
{

struct Outcome {
	enum worker_outcome what;
	std::string message, strategy, path;
	uint64_t seed, done;
	std::vector<struct worker_sample> samples;
	struct exhaustive_result exhaustive;
};

Outcome take(enum worker_outcome what, struct worker_shared *shared)
{
	Outcome outcome = {what,
			   shared->failure.message,
			   shared->failure.strategy,
			   shared->failure.path,
			   shared->failure.seed,
			   shared->done,
			   {shared->samples[0], shared->samples[0] + shared->sample_count[0]},
			   shared->exhaustive};

	worker_free(shared);
	return outcome;
}

class EngineTest : public ::testing::Test
{
      protected:
	static const struct explore_scenario *scenario(const char *name)
	{
		const struct explore_scenario *found = explore_scenario_find(name);

		EXPECT_NE(found, nullptr) << name;
		return found;
	}

	/* `strategy` may be NULL: the portfolio. */
	static Outcome run(const char *name, const char *strategy, uint64_t schedules,
			   uint64_t first_seed = 1, unsigned jobs = 1)
	{
		struct worker_task task = {};
		struct worker_shared *shared;

		task.scenario = scenario(name);
		task.strategy = strategy != nullptr ? strategy_find(strategy) : nullptr;
		task.jobs = jobs;
		task.first_seed = first_seed;
		task.schedules = schedules;
		enum worker_outcome what = worker_run(&task, &shared);
		return take(what, shared);
	}

	static Outcome exhaust(const char *name, unsigned extras, bool hashing = true,
			       uint64_t states = 1000000)
	{
		struct exhaustive_limits limits = {states, UINT64_MAX, hashing, extras};
		struct worker_shared *shared;
		enum worker_outcome what =
		    worker_exhaust(scenario(name), &limits, nullptr, &shared);

		return take(what, shared);
	}

	/* What a process of its own prints about one schedule. */
	static std::string replay(const char *name, const char *strategy, uint64_t seed)
	{
		::testing::internal::CaptureStdout();
		worker_replay(scenario(name), strategy_find(strategy), seed, 0);
		return ::testing::internal::GetCapturedStdout();
	}
};

/* --- Each strategy finds what it is there for --- */

struct Finds {
	const char *strategy, *scenario, *message;
};

class StrategyTest : public EngineTest, public ::testing::WithParamInterface<Finds>
{
};

TEST_P(StrategyTest, FindsWhatItIsFor)
{
	Outcome outcome = run(GetParam().scenario, GetParam().strategy, 5000);

	ASSERT_EQ(outcome.what, WORKER_FAILED);
	EXPECT_NE(outcome.message.find(GetParam().message), std::string::npos) << outcome.message;
}

INSTANTIATE_TEST_SUITE_P(All, StrategyTest,
			 ::testing::Values(Finds{"random", "toy_lost", "an increment was lost"},
					   Finds{"pct2", "toy_lost", "an increment was lost"},
					   Finds{"pct3", "toy_lost", "an increment was lost"},
					   Finds{"pct5", "toy_lost", "an increment was lost"},
					   Finds{"tso", "toy_dekker", "both entered"},
					   Finds{"pcttso", "toy_dekker", "both entered"},
					   Finds{"spec", "toy_ahead", "TLB oracle"},
					   Finds{"delay", "toy_late", "the interrupt came after"},
					   Finds{"nmi", "toy_nmi", "NMI with interrupts off"},
					   Finds{"all", "toy_ahead", "TLB oracle"}),
			 [](const auto &info) { return std::string(info.param.strategy); });

TEST_F(EngineTest, EveryStrategyIsInThatTable)
{
	EXPECT_EQ(strategy_count(), 10u);
}

TEST_F(EngineTest, PortfolioFindsWhatNeedsAStrategyOfItsOwn)
{
	for (const char *name : {"toy_lost", "toy_dekker", "toy_ahead", "toy_late", "toy_nmi"})
		EXPECT_EQ(run(name, nullptr, 50000).what, WORKER_FAILED) << name;
}

TEST_F(EngineTest, SoundProgramsPass)
{
	for (const char *name : {"toy_sound", "toy_lock", "toy_sched", "toy_vm", "toy_shoot",
				 "toy_message", "toy_forward", "toy_dekker_fenced", "toy_wait"}) {
		Outcome outcome = run(name, nullptr, 5000);

		EXPECT_EQ(outcome.what, WORKER_CLEAN) << name << ": " << outcome.message;
		EXPECT_EQ(outcome.done, 5000u);
	}
}

TEST_F(EngineTest, WorkersShareTheSeeds)
{
	EXPECT_EQ(run("toy_sound", nullptr, 10000, 1, 3).done, 10000u);
}

/* --- What x86 does with stores, and what it never does --- */

TEST_F(EngineTest, StoreBufferingIsSeenOnlyWithStoreBuffers)
{
	EXPECT_EQ(run("toy_dekker", "random", 20000).what, WORKER_CLEAN);
	EXPECT_EQ(run("toy_dekker", "tso", 20000).what, WORKER_FAILED);
	EXPECT_EQ(exhaust("toy_dekker", 0).what, WORKER_CLEAN);
	EXPECT_EQ(exhaust("toy_dekker", STRATEGY_TSO).what, WORKER_FAILED);
	EXPECT_EQ(exhaust("toy_dekker_fenced", STRATEGY_TSO).what, WORKER_CLEAN);
}

TEST_F(EngineTest, NeitherLoadsNorStoresAreReordered)
{
	Outcome outcome = exhaust("toy_message", STRATEGY_TSO);

	EXPECT_EQ(outcome.what, WORKER_CLEAN);
	EXPECT_TRUE(outcome.exhaustive.complete);
}

TEST_F(EngineTest, OwnStoresAreFound)
{
	EXPECT_EQ(exhaust("toy_forward", STRATEGY_TSO).what, WORKER_CLEAN);
}

/* --- Exhaustive search, counted by hand --- */

/* Two CPUs with three steps each: a decision where both have one left, 3 * 3. */
TEST_F(EngineTest, ExhaustiveCountsTheStatesOfTwoCpus)
{
	Outcome outcome = exhaust("toy_apart", 0);

	EXPECT_EQ(outcome.exhaustive.states, 9u);
	EXPECT_EQ(outcome.exhaustive.schedules, 1u + 9u);
	EXPECT_TRUE(outcome.exhaustive.complete);
}

/*
 * Three CPUs: 4^3 states, less those in which at most one has a step left, 1 + 3 * 3. Each state
 * adds a schedule for each answer but the first: 27 with three answers, 27 with two.
 */
TEST_F(EngineTest, ExhaustiveCountsTheStatesOfThreeCpus)
{
	Outcome outcome = exhaust("toy_apart3", 0);

	EXPECT_EQ(outcome.exhaustive.states, 54u);
	EXPECT_EQ(outcome.exhaustive.schedules, 1u + 27u * 2 + 27u);
}

/* Without the states, every interleaving: 6! / (3! 3!) and 9! / (3! 3! 3!). */
TEST_F(EngineTest, WithoutStatesEveryInterleavingIsRun)
{
	EXPECT_EQ(exhaust("toy_apart", 0, false).exhaustive.schedules, 20u);
	EXPECT_EQ(exhaust("toy_apart3", 0, false).exhaustive.schedules, 1680u);
}

TEST_F(EngineTest, ExhaustiveTriesEveryChoice)
{
	Outcome outcome = exhaust("toy_choice", 0);

	EXPECT_EQ(outcome.what, WORKER_FAILED);
	EXPECT_EQ(outcome.path, "4.2");
}

TEST_F(EngineTest, WaitLoopsHaveFewStates)
{
	Outcome outcome = exhaust("toy_wait", 0);

	EXPECT_TRUE(outcome.exhaustive.complete);
	EXPECT_LT(outcome.exhaustive.states, 10u);
}

TEST_F(EngineTest, ExhaustiveNamesADeadlock)
{
	Outcome outcome = exhaust("toy_never", 0);

	ASSERT_EQ(outcome.what, WORKER_FAILED);
	EXPECT_NE(outcome.message.find("deadlock"), std::string::npos) << outcome.message;
}

TEST_F(EngineTest, ExhaustiveSaysWhenItGaveUp)
{
	Outcome outcome = exhaust("toy_apart3", 0, true, 20);

	EXPECT_EQ(outcome.what, WORKER_CLEAN);
	EXPECT_FALSE(outcome.exhaustive.complete);
	EXPECT_EQ(outcome.exhaustive.states, 20u);
}

TEST_F(EngineTest, PathOfAFailureIsReplayed)
{
	Outcome outcome = exhaust("toy_dekker", STRATEGY_TSO);

	::testing::internal::CaptureStdout();
	int status = worker_replay_path(scenario("toy_dekker"), STRATEGY_TSO, outcome.path.c_str());
	std::string text = ::testing::internal::GetCapturedStdout();
	EXPECT_EQ(status, EXIT_FOUND);
	EXPECT_NE(text.find("both entered"), std::string::npos) << text;
}

/* --- The same seed, the same schedule --- */

TEST_F(EngineTest, ReplayGivesTheSameBits)
{
	for (const char *name : {"toy_sound", "toy_lock", "toy_sched", "toy_vm", "toy_shoot"}) {
		/* Seed 9 first in its process, and behind eight others. */
		Outcome first = run(name, nullptr, 1, 9), later = run(name, nullptr, 9, 1);
		uint64_t seen = 0;

		ASSERT_EQ(first.samples.size(), 1u);
		for (const struct worker_sample &sample : later.samples)
			if (sample.seed == 9)
				seen = sample.trace;
		EXPECT_EQ(first.samples[0].trace, seen) << name;
	}
}

TEST_F(EngineTest, SeedsDiffer)
{
	EXPECT_NE(run("toy_sound", "random", 1, 1).samples[0].trace,
		  run("toy_sound", "random", 1, 2).samples[0].trace);
}

TEST_F(EngineTest, AResetThatForgetsIsReported)
{
	EXPECT_EQ(run("toy_forgets", nullptr, 1000).what, WORKER_DIVERGED);
}

TEST_F(EngineTest, ReplayPrintsWhoDidWhat)
{
	Outcome outcome = run("toy_dekker", "tso", 20000);
	std::string text = replay("toy_dekker", "tso", outcome.seed);

	EXPECT_NE(text.find("flags stores 0x1"), std::string::npos) << text;
	EXPECT_NE(text.find("finds 0"), std::string::npos) << text;
	EXPECT_NE(text.find("switch to cpu"), std::string::npos) << text;
	EXPECT_NE(text.find("dekker_run"), std::string::npos) << text;
	EXPECT_NE(text.find("FAILED: both entered"), std::string::npos) << text;
	EXPECT_EQ(text, replay("toy_dekker", "tso", outcome.seed));
}

/* --- The probability that PCT promises --- */

/* How many schedules each of `searches` searches took, together; 0 if one found nothing. */
TEST_F(EngineTest, PctFindsABugOfDepthThreeAsOftenAsPromised)
{
	/* 12 steps of two CPUs, depth 3: 1/(2 * 12^2) or better. */
	const uint64_t searches = 25, promised = 2 * 12 * 12;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < searches; i++) {
		uint64_t first = 1 + i * 100000;
		Outcome outcome = run("toy_deep", "pct3", 50000, first);

		ASSERT_EQ(outcome.what, WORKER_FAILED);
		sum += outcome.seed - first + 1;
	}
	EXPECT_LE(sum, searches * promised);
	EXPECT_EQ(run("toy_deep", "pct2", 50000).what, WORKER_CLEAN);
}

/* --- The end of a schedule --- */

TEST_F(EngineTest, CrashIsAFailureWithASeed)
{
	Outcome outcome = run("toy_crash", "random", 10);

	ASSERT_EQ(outcome.what, WORKER_FAILED);
	EXPECT_NE(outcome.message.find("crash: "), std::string::npos) << outcome.message;
	EXPECT_EQ(outcome.strategy, "random");
}

TEST_F(EngineTest, LivelockIsAFailure)
{
	Outcome outcome = run("toy_never", "random", 10);

	ASSERT_EQ(outcome.what, WORKER_FAILED);
	EXPECT_NE(outcome.message.find("no end after"), std::string::npos) << outcome.message;
}

TEST_F(EngineTest, ScenariosRunOnThreads)
{
	for (const char *name : {"toy_sound", "toy_lock", "toy_sched", "toy_vm", "toy_shoot"})
		EXPECT_EQ(worker_threads(scenario(name), 200), 0) << name;
}

} // namespace
