/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An audit that finds nothing proves nothing: each rule of a map is broken on purpose, and the
 * audit must say which.
 */
#include <functional>
#include <string>

#include "kernel/sched/sleepq.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"

namespace
{

constexpr vm_offset_t MAP_START = VM_MIN_KERNEL_ADDRESS + (UINT64_C(1) << 39);
constexpr vm_size_t MAP_PAGES = 64;

/* Pages [8, 16), [24, 32) and, next to it with fewer rights, [32, 40). */
class VmMapAuditTest : public quire::VmTest
{
      protected:
	void SetUp() override
	{
		boot(1);
		vm_map_init(&map_, "test map", kernel_pmap, MAP_START, MAP_START + ptoa(MAP_PAGES),
			    true);
		first_ = insert(8, 16, VM_PROT_RW);
		second_ = insert(24, 32, VM_PROT_RW);
		third_ = insert(32, 40, VM_PROT_READ);
		ASSERT_EQ(audit(), "");
	}

	void TearDown() override
	{
		EXPECT_EQ(audit(), ""); /* all has been put right again */
		EXPECT_EQ(vm_map_remove(&map_, map_.min_offset, map_.max_offset), KERN_SUCCESS);
		VmTest::TearDown();
	}

	vm_map_entry_t insert(vm_size_t first, vm_size_t end, vm_prot_t prot)
	{
		vm_offset_t start = MAP_START + ptoa(first);
		vm_map_entry_t entry = nullptr;

		vm_map_lock(&map_);
		EXPECT_EQ(vm_map_insert(&map_, nullptr, 0, start, MAP_START + ptoa(end), prot,
					VM_PROT_ALL, MAP_NOFAULT),
			  KERN_SUCCESS);
		EXPECT_TRUE(vm_map_lookup_entry(&map_, start, &entry));
		vm_map_unlock(&map_);
		return entry;
	}

	/* What the audit says, a line for each broken rule. */
	static std::string audit_of(vm_map_t map)
	{
		std::string text;
		unsigned broken;

		quire::audit_lines()->clear();
		broken = vm_map_audit(map, quire::audit_collect);
		EXPECT_EQ(broken, quire::audit_lines()->size());
		for (const std::string &line : *quire::audit_lines())
			text += line + "\n";
		return text;
	}

	std::string audit()
	{
		return audit_of(&map_);
	}

	/* With the field at that value for a moment, the audit says `text`. */
	template <typename T, typename V> void expect_found(T *field, V value, const char *text)
	{
		T before = *field;
		std::string said;

		*field = static_cast<T>(value);
		said = audit();
		*field = before;
		EXPECT_NE(said.find(text), std::string::npos) << "not found: " << text << "\n"
							      << said;
	}

	struct vm_map map_ = {};
	vm_map_entry_t first_ = nullptr, second_ = nullptr, third_ = nullptr;
};

TEST_F(VmMapAuditTest, BoundsOfEntries)
{
	expect_found(&first_->end, first_->start, "is empty or not whole pages");
	expect_found(&first_->start, first_->start + 1, "is empty or not whole pages");
	expect_found(&second_->start, first_->start, "begins before");
	expect_found(&third_->end, map_.max_offset + PAGE_SIZE, "outside the map");
	expect_found(&first_->max_protection, VM_PROT_READ, "more rights than its maximum");
}

TEST_F(VmMapAuditTest, GapsAndCounts)
{
	expect_found(&map_.head_gap, 0, "the gap before the first entry is wrong");
	expect_found(&first_->gap, PAGE_SIZE, "bytes are free behind it");
	expect_found(&RB_ROOT(&map_.tree)->max_gap, 0, "largest gap 0, recomputed");
	expect_found(&map_.nentries, 4, "3 entries in the list, 4 counted");
	expect_found(&map_.size, 0, "bytes, 0 counted");
}

TEST_F(VmMapAuditTest, EqualNeighboursAreOneEntry)
{
	const char *text = "are equal, but not merged";

	expect_found(&third_->protection, VM_PROT_RW, text);

	/* Anything that differs keeps them apart. */
	third_->protection = VM_PROT_RW;
	third_->charged = true;
	EXPECT_EQ(audit(), "");
	third_->charged = false;
	third_->has_memattr = true;
	EXPECT_EQ(audit(), "");
	third_->has_memattr = false;
	third_->wired_count = 1;
	EXPECT_EQ(audit(), "");
	third_->wired_count = 0;
	third_->protection = VM_PROT_READ;
}

TEST_F(VmMapAuditTest, MarksOfTransitions)
{
	expect_found(&first_->eflags, MAP_ENTRY_NOFAULT | MAP_ENTRY_NEEDS_WAKEUP,
		     "has a waiter but is not in transition");
	expect_found(&first_->eflags,
		     MAP_ENTRY_NOFAULT | MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP,
		     "wants to wake somebody, but nobody sleeps");
	expect_found(&first_->transition_owner, thread_current(),
		     "has an owner but is not in transition");
}

TEST_F(VmMapAuditTest, TheTreeIsTheList)
{
	vm_map_entry_t root = RB_ROOT(&map_.tree), leaf = RB_LEFT(root, tree);

	TAILQ_REMOVE(&map_.entries, first_, list);
	TAILQ_INSERT_TAIL(&map_.entries, first_, list);
	EXPECT_NE(audit().find("tree and list differ"), std::string::npos);
	TAILQ_REMOVE(&map_.entries, first_, list);
	TAILQ_INSERT_HEAD(&map_.entries, first_, list);

	expect_found(&RB_ROOT(&map_.tree), nullptr, "is in the list but not in the tree");
	ASSERT_NE(leaf, nullptr);
	expect_found(&RB_COLOR(root, tree), RB_RED, "red entry below a red one");
	expect_found(&RB_COLOR(leaf, tree), RB_BLACK, "the tree is not balanced");
	expect_found(&RB_ROOT(&map_.tree)->max_gap, 0, "the lowest place is");
}

TEST_F(VmMapAuditTest, SubmapsCoverTheirEntry)
{
	vm_offset_t max = pipe_map->max_offset;

	pipe_map->max_offset = max + PAGE_SIZE;
	EXPECT_NE(audit_of(kernel_map).find("does not cover pipe_map exactly"), std::string::npos);
	pipe_map->max_offset = max;
	pipe_map->pmap = nullptr;
	EXPECT_NE(audit_of(kernel_map).find("pipe_map has another page table"), std::string::npos);
	pipe_map->pmap = kernel_pmap;
	EXPECT_EQ(audit_of(kernel_map), "");
}

TEST_F(VmMapAuditTest, NobodySleepsForSpaceThatIsThere)
{
	struct vm_map_waiter waiter = {};
	quire::TestThread sleeper(0, [&] {
		vm_map_lock(&map_);
		sleep_on_spin(&waiter, &map_.spin, "test", SLEEP_FOREVER);
		vm_map_unlock(&map_);
	});

	expect_found(&map_.needs_wakeup, 1, "needs_wakeup is 1, but nobody waits");
	while (sleepq_count(&waiter) == 0)
		thread_yield();
	waiter.size = ptoa(24);
	TAILQ_INSERT_TAIL(&map_.waiters, &waiter, link);
	EXPECT_NE(audit().find("needs_wakeup is 0, but somebody waits"), std::string::npos);
	map_.needs_wakeup = 1;
	EXPECT_NE(audit().find("a thread sleeps for 0x18000 bytes, which fit at"),
		  std::string::npos);
	waiter.size = ptoa(25);
	EXPECT_EQ(audit(), "");
	TAILQ_REMOVE(&map_.waiters, &waiter, link);
	map_.needs_wakeup = 0;
	wakeup(&waiter);
	sleeper.join();
}

} // namespace
