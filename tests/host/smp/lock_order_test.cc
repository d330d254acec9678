/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/lock_order.h"

#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class LockOrderTest : public SmpTest
{
      protected:
	void SetUp() override
	{
		boot(1, 1);
		init(&map, "map", LOCK_RANK_MAP);
		init(&object, "object", LOCK_RANK_OBJECT);
		init(&pmap, "pmap", LOCK_RANK_PMAP);
		init(&any, "any", LOCK_RANK_NONE);
	}

	void TearDown() override
	{
		lock_order_set_thread_hook(nullptr);
		SmpTest::TearDown();
	}

	static void init(struct spinlock *lock, const char *name, unsigned rank, unsigned flags = 0)
	{
		spin_init(lock, name, (enum lock_rank)rank, flags);
	}

	struct spinlock map, object, pmap, any;
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using LockOrderDeathTest = LockOrderTest;

TEST_F(LockOrderTest, RisingRanksAreRight)
{
	spin_lock(&map);
	spin_lock(&object);
	spin_lock(&pmap);
	spin_unlock(&map);
	spin_unlock(&object);
	spin_unlock(&pmap);
}

TEST_F(LockOrderDeathTest, AFallingRankNamesBothLocksAndBothPlaces)
{
	EXPECT_DEATH(
	    {
		    spin_lock(&object);
		    spin_lock(&map);
	    },
	    "lock order: \"map\" \\(rank 100\\) wanted at .*lock_order_test.cc:[0-9]+ while "
	    "\"object\" \\(rank 200\\) is held from .*lock_order_test.cc:[0-9]+");
}

TEST_F(LockOrderDeathTest, TheHighestOfAllHeldCountsWhateverWasReleased)
{
	EXPECT_DEATH(
	    {
		    spin_lock(&map);
		    spin_lock(&pmap);
		    spin_unlock(&map);
		    spin_lock(&object);
	    },
	    "lock order: \"object\".* while \"pmap\"");
}

TEST_F(LockOrderTest, AReleasedLockNoLongerCounts)
{
	spin_lock(&map);
	spin_lock(&pmap);
	spin_unlock(&pmap);
	spin_lock(&object);
	spin_unlock(&object);
	spin_unlock(&map);
	spin_lock(&map);
	spin_unlock(&map);
}

TEST_F(LockOrderDeathTest, EqualRanksExcludeEachOther)
{
	struct spinlock twin;

	init(&twin, "twin", LOCK_RANK_MAP);
	EXPECT_DEATH(
	    {
		    spin_lock(&map);
		    spin_lock(&twin);
	    },
	    "lock order: \"twin\" \\(rank 100\\).* while \"map\" \\(rank 100\\)");
}

TEST_F(LockOrderDeathTest, ALockThatNestsMayFollowAnEqual)
{
	struct spinlock submap;

	init(&submap, "submap", LOCK_RANK_MAP, LOCK_NESTS);
	spin_lock(&map);
	spin_lock(&submap);
	spin_unlock(&submap);
	spin_unlock(&map);
	EXPECT_DEATH(
	    {
		    spin_lock(&object);
		    spin_lock(&submap);
	    },
	    "lock order: \"submap\"");
	/* It is the new lock that has to say so. */
	EXPECT_DEATH(
	    {
		    spin_lock(&submap);
		    spin_lock(&map);
	    },
	    "lock order: \"map\"");
}

TEST_F(LockOrderTest, LocksWithoutARankAreNeverChecked)
{
	spin_lock(&pmap);
	spin_lock(&any);
	spin_unlock(&pmap);
	spin_lock(&map);
	spin_unlock(&any);
	spin_unlock(&map);
}

TEST_F(LockOrderDeathTest, TryingCannotDeadlockAndWhatItTookCounts)
{
	spin_lock(&object);
	ASSERT_TRUE(spin_trylock(&map));
	spin_unlock(&object);
	EXPECT_DEATH(
	    {
		    if (spin_trylock(&pmap))
			    spin_lock(&object);
	    },
	    "lock order: \"object\".* while \"pmap\"");
	spin_unlock(&map);
}

TEST_F(LockOrderDeathTest, WhatTheThreadHoldsCountsOutsideOfInterrupts)
{
	static int mutex;

	lock_order_set_thread_hook([] {
		struct lock_use use = {&mutex, LOCK_RANK_OBJECT, false, "mutex", "here:1"};
		return use;
	});
	spin_lock(&pmap);
	spin_unlock(&pmap);
	EXPECT_DEATH(spin_lock(&map), "lock order: \"map\".* while \"mutex\" \\(rank 200\\) is "
				      "held from here:1");
	arch_percpu()->irq_depth = 1;
	spin_lock(&map);
	spin_unlock(&map);
	arch_percpu()->irq_depth = 0;
}

TEST_F(LockOrderTest, AThreadThatHoldsNothingForbidsNothing)
{
	lock_order_set_thread_hook([] {
		struct lock_use use = {nullptr, LOCK_RANK_NONE, false, nullptr, nullptr};
		return use;
	});
	spin_lock(&map);
	spin_unlock(&map);
}

} // namespace quire
