/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_map.h"

#include <map>
#include <random>

#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_object.h"

namespace
{

constexpr vm_offset_t MAP_START = VM_MIN_KERNEL_ADDRESS + (UINT64_C(1) << 39);
constexpr vm_size_t MAP_PAGES = 256;

/* A map of its own over a piece of kernel addresses that kernel_map does not use. */
class VmMapTest : public quire::VmTest
{
      protected:
	void SetUp() override
	{
		boot(1);
		vm_map_init(&map_, "test map", kernel_pmap, MAP_START, MAP_START + ptoa(MAP_PAGES),
			    true);
	}

	static vm_offset_t page(vm_size_t n)
	{
		return MAP_START + ptoa(n);
	}

	int insert(vm_size_t first, vm_size_t end, int cow = MAP_NOFAULT)
	{
		int rv;

		vm_map_lock(&map_);
		rv = vm_map_insert(&map_, nullptr, 0, page(first), page(end), VM_PROT_RW,
				   VM_PROT_ALL, cow);
		vm_map_unlock(&map_);
		return rv;
	}

	int remove(vm_size_t first, vm_size_t end)
	{
		return vm_map_remove(&map_, page(first), page(end));
	}

	int findspace(vm_size_t start, vm_size_t pages, vm_offset_t *addr)
	{
		int rv;

		vm_map_lock(&map_);
		rv = vm_map_findspace(&map_, page(start), ptoa(pages), addr);
		vm_map_unlock(&map_);
		return rv;
	}

	::testing::AssertionResult map_ok()
	{
		quire::audit_lines()->clear();
		if (vm_map_audit(&map_, quire::audit_collect) == 0)
			return ::testing::AssertionSuccess();
		return ::testing::AssertionFailure() << quire::audit_lines()->front();
	}

	struct vm_map map_ = {};
};

TEST_F(VmMapTest, EmptyMapIsOneGap)
{
	vm_offset_t addr = 0;

	EXPECT_TRUE(map_ok());
	EXPECT_EQ(findspace(0, MAP_PAGES, &addr), 0);
	EXPECT_EQ(addr, MAP_START);
	EXPECT_EQ(findspace(0, MAP_PAGES + 1, &addr), 1);
	EXPECT_EQ(findspace(1, MAP_PAGES, &addr), 1);
}

TEST_F(VmMapTest, FindspaceGivesTheLowestPlaceAtOrAboveStart)
{
	vm_offset_t addr = 0;

	ASSERT_EQ(insert(0, 10), KERN_SUCCESS);
	ASSERT_EQ(insert(12, 20), KERN_SUCCESS);
	ASSERT_EQ(insert(25, 30), KERN_SUCCESS);
	EXPECT_EQ(findspace(0, 2, &addr), 0);
	EXPECT_EQ(addr, page(10));
	EXPECT_EQ(findspace(0, 3, &addr), 0);
	EXPECT_EQ(addr, page(20));
	EXPECT_EQ(findspace(11, 2, &addr), 0);
	EXPECT_EQ(addr, page(20));
	EXPECT_EQ(findspace(22, 3, &addr), 0);
	EXPECT_EQ(addr, page(22));
	EXPECT_EQ(findspace(22, 4, &addr), 0);
	EXPECT_EQ(addr, page(30));
	EXPECT_EQ(findspace(0, 0, &addr), 1);
}

TEST_F(VmMapTest, InsertRefusesOverlapAndRangesOutside)
{
	ASSERT_EQ(insert(10, 20), KERN_SUCCESS);
	EXPECT_EQ(insert(10, 20), KERN_NO_SPACE);
	EXPECT_EQ(insert(19, 21), KERN_NO_SPACE);
	EXPECT_EQ(insert(9, 11), KERN_NO_SPACE);
	EXPECT_EQ(insert(5, 25), KERN_NO_SPACE);
	EXPECT_EQ(insert(5, 5), KERN_INVALID_ADDRESS);
	EXPECT_EQ(insert(6, 5), KERN_INVALID_ADDRESS);
	EXPECT_EQ(insert(MAP_PAGES - 1, MAP_PAGES + 1), KERN_INVALID_ADDRESS);
	EXPECT_EQ(map_.nentries, 1u);
	EXPECT_TRUE(map_ok());
}

TEST_F(VmMapTest, InsertRefusesWhatCannotBe)
{
	vm_map_lock(&map_);
	EXPECT_EQ(
	    vm_map_insert(&map_, nullptr, 0, page(0) + 1, page(1), VM_PROT_RW, VM_PROT_ALL, 0),
	    KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_insert(&map_, nullptr, 0, page(0), page(1), VM_PROT_RW, VM_PROT_READ, 0),
		  KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_insert(&map_, kernel_object, 0, page(0), page(1), VM_PROT_RW, VM_PROT_ALL,
				MAP_NOFAULT),
		  KERN_INVALID_ARGUMENT);
	vm_map_unlock(&map_);
	EXPECT_EQ(map_.nentries, 0u);
}

TEST_F(VmMapTest, NeighboursThatAreEqualBecomeOneEntry)
{
	ASSERT_EQ(insert(10, 20), KERN_SUCCESS);
	ASSERT_EQ(insert(30, 40), KERN_SUCCESS);
	EXPECT_EQ(map_.nentries, 2u);
	ASSERT_EQ(insert(20, 30), KERN_SUCCESS);
	EXPECT_EQ(map_.nentries, 1u);
	ASSERT_EQ(insert(40, 50, 0), KERN_SUCCESS); /* other flags */
	EXPECT_EQ(map_.nentries, 2u);
	EXPECT_TRUE(map_ok());
}

TEST_F(VmMapTest, RemoveOfTheMiddleSplits)
{
	ASSERT_EQ(insert(10, 40), KERN_SUCCESS);
	EXPECT_EQ(remove(20, 30), KERN_SUCCESS);
	EXPECT_EQ(map_.nentries, 2u);
	EXPECT_EQ(map_.size, ptoa(20));
	EXPECT_TRUE(map_ok());
	EXPECT_EQ(remove(0, MAP_PAGES), KERN_SUCCESS);
	EXPECT_EQ(map_.nentries, 0u);
	EXPECT_TRUE(map_ok());
}

TEST_F(VmMapTest, ClipStartAndEndKeepTheNamedEntryInside)
{
	vm_map_entry_t entry;

	ASSERT_EQ(insert(10, 40), KERN_SUCCESS);
	vm_map_lock(&map_);
	ASSERT_TRUE(vm_map_lookup_entry(&map_, page(20), &entry));
	EXPECT_EQ(vm_map_clip_start(&map_, entry, page(20)), KERN_SUCCESS);
	EXPECT_EQ(entry->start, page(20));
	EXPECT_EQ(vm_map_clip_end(&map_, entry, page(30)), KERN_SUCCESS);
	EXPECT_EQ(entry->end, page(30));
	EXPECT_EQ(map_.nentries, 3u);
	EXPECT_EQ(map_.size, ptoa(30));
	vm_map_simplify_entry(&map_, entry);
	vm_map_unlock(&map_);
	EXPECT_EQ(map_.nentries, 1u);
	EXPECT_TRUE(map_ok());
}

TEST_F(VmMapTest, LookupFindsTheHolderOrTheOneBefore)
{
	vm_map_entry_t entry;

	ASSERT_EQ(insert(10, 20), KERN_SUCCESS);
	vm_map_lock(&map_);
	EXPECT_FALSE(vm_map_lookup_entry(&map_, page(9), &entry));
	EXPECT_EQ(entry, nullptr);
	EXPECT_TRUE(vm_map_lookup_entry(&map_, page(10), &entry));
	EXPECT_TRUE(vm_map_lookup_entry(&map_, page(20) - 1, &entry));
	EXPECT_FALSE(vm_map_lookup_entry(&map_, page(20), &entry));
	EXPECT_EQ(entry->start, page(10));
	vm_map_unlock(&map_);
}

TEST_F(VmMapTest, AlignedSpaceStartsAtASuperpage)
{
	struct vm_map map = {};
	vm_offset_t addr = MAP_START;

	vm_map_init(&map, "big", kernel_pmap, MAP_START, MAP_START + 16 * SUPERPAGE_SIZE, true);
	ASSERT_EQ(vm_map_find(&map, nullptr, 0, &addr, PAGE_SIZE, VMFS_ANY_SPACE, VM_PROT_RW,
			      VM_PROT_ALL, MAP_NOFAULT),
		  KERN_SUCCESS);
	ASSERT_EQ(vm_map_find(&map, nullptr, 0, &addr, 2 * SUPERPAGE_SIZE, VMFS_ALIGNED_SPACE,
			      VM_PROT_RW, VM_PROT_ALL, MAP_NOFAULT),
		  KERN_SUCCESS);
	EXPECT_EQ(addr, MAP_START + SUPERPAGE_SIZE);
	/* 12 aligned ones of 16 remain behind; 13 do not fit although their bytes would. */
	addr = MAP_START;
	EXPECT_EQ(vm_map_find(&map, nullptr, 0, &addr, 14 * SUPERPAGE_SIZE, VMFS_ALIGNED_SPACE,
			      VM_PROT_RW, VM_PROT_ALL, MAP_NOFAULT),
		  KERN_NO_SPACE);
	vm_map_remove(&map, map.min_offset, map.max_offset);
}

TEST_F(VmMapTest, FailedInsertLeavesTheMapAndTheReferenceAlone)
{
	uint32_t references = atomic32_load(&kernel_object->ref_count, MO_RELAXED);
	struct host_fault_plan plan = {};

	plan.policy = HOST_FAULT_FROM_NTH;
	plan.nth = 1;
	host_fault_arm(&plan);
	vm_map_lock(&map_);
	EXPECT_EQ(vm_map_insert(&map_, kernel_object, page(0) - VM_MIN_KERNEL_ADDRESS, page(0),
				page(1), VM_PROT_RW, VM_PROT_ALL, 0),
		  KERN_RESOURCE_SHORTAGE);
	vm_map_unlock(&map_);
	EXPECT_GT(host_fault_failures(), 0u);
	host_fault_disarm();
	EXPECT_EQ(map_.nentries, 0u);
	EXPECT_EQ(atomic32_load(&kernel_object->ref_count, MO_RELAXED), references);
	EXPECT_TRUE(map_ok());
}

TEST_F(VmMapTest, WireRefusesHolesAndRangesWithoutObject)
{
	ASSERT_EQ(insert(0, 2), KERN_SUCCESS);
	EXPECT_EQ(vm_map_wire(&map_, page(0), page(2), 0), KERN_INVALID_ADDRESS);
	EXPECT_EQ(vm_map_wire(&map_, page(1), page(3), 0), KERN_INVALID_ADDRESS);
	EXPECT_EQ(vm_map_wire(&map_, page(5), page(6), 0), KERN_INVALID_ADDRESS);
	EXPECT_TRUE(map_ok());
}

TEST_F(VmMapTest, DescribeNamesWhatIsThere)
{
	char text[128];

	ASSERT_EQ(insert(1, 2), KERN_SUCCESS);
	vm_map_describe(&map_, page(1), text, sizeof(text));
	EXPECT_NE(std::string(text).find("no-fault range"), std::string::npos) << text;
	vm_map_describe(&map_, page(3), text, sizeof(text));
	EXPECT_NE(std::string(text).find("free"), std::string::npos) << text;
	vm_map_describe(&map_, KERNBASE, text, sizeof(text));
	EXPECT_NE(std::string(text).find("outside"), std::string::npos) << text;
}

TEST_F(VmMapTest, AuditSeesPlantedDamage)
{
	vm_map_entry_t entry;

	ASSERT_EQ(insert(10, 20), KERN_SUCCESS);
	ASSERT_EQ(insert(30, 40), KERN_SUCCESS);
	entry = TAILQ_FIRST(&map_.entries);

	entry->gap += PAGE_SIZE;
	EXPECT_FALSE(map_ok());
	entry->gap -= PAGE_SIZE;
	entry->max_gap += PAGE_SIZE;
	EXPECT_FALSE(map_ok());
	entry->max_gap -= PAGE_SIZE;
	entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
	EXPECT_FALSE(map_ok());
	entry->eflags &= ~MAP_ENTRY_NEEDS_WAKEUP;
	entry->protection = VM_PROT_ALL;
	entry->max_protection = VM_PROT_READ;
	EXPECT_FALSE(map_ok());
	entry->protection = VM_PROT_RW;
	entry->max_protection = VM_PROT_ALL;
	map_.size++;
	EXPECT_FALSE(map_ok());
	map_.size--;
	map_.nentries++;
	EXPECT_FALSE(map_ok());
	map_.nentries--;
	EXPECT_TRUE(map_ok());
}

/*
 * Random inserts, removals and searches against an array of pages. Flags differ between inserts,
 * so that some neighbours merge and some do not.
 */
class VmMapModelTest : public VmMapTest
{
      protected:
	enum : int { FREE = -1 };

	bool model_free(vm_size_t first, vm_size_t end) const
	{
		for (vm_size_t i = first; i < end; i++)
			if (model_[i] != FREE)
				return false;
		return true;
	}

	void model_set(vm_size_t first, vm_size_t end, int what)
	{
		std::fill(model_.begin() + first, model_.begin() + end, what);
	}

	vm_size_t model_runs() const
	{
		vm_size_t runs = 0;

		for (vm_size_t i = 0; i < MAP_PAGES; i++)
			runs += model_[i] != FREE && (i == 0 || model_[i] != model_[i - 1]);
		return runs;
	}

	void check_findspace(vm_size_t start, vm_size_t pages)
	{
		vm_offset_t addr = 0;
		bool found = findspace(start, pages, &addr) == 0;

		for (vm_size_t i = start; i + pages <= MAP_PAGES; i++) {
			if (!model_free(i, i + pages))
				continue;
			ASSERT_TRUE(found);
			ASSERT_EQ(addr, page(i));
			return;
		}
		ASSERT_FALSE(found);
	}

	std::vector<int> model_ = std::vector<int>(MAP_PAGES, FREE);
};

TEST_F(VmMapModelTest, RandomOperationsAgreeWithAnArray)
{
	std::mt19937_64 random(20261122);

	for (unsigned n = 1; n <= 100000; n++) {
		vm_size_t first = random() % MAP_PAGES;
		vm_size_t end = first + 1 + random() % (random() % 4 == 0 ? 64 : 6);
		int cow = random() % 2 ? MAP_NOFAULT : 0;

		if (end > MAP_PAGES)
			end = MAP_PAGES;
		switch (random() % 3) {
		case 0:
			if (model_free(first, end)) {
				ASSERT_EQ(insert(first, end, cow), KERN_SUCCESS);
				model_set(first, end, cow);
			} else {
				ASSERT_EQ(insert(first, end, cow), KERN_NO_SPACE);
			}
			break;
		case 1:
			ASSERT_EQ(remove(first, end), KERN_SUCCESS);
			model_set(first, end, FREE);
			break;
		default:
			ASSERT_NO_FATAL_FAILURE(check_findspace(first, end - first));
		}
		ASSERT_EQ(map_.nentries, model_runs());
		if ((n & 1023) == 0) {
			ASSERT_TRUE(map_ok()) << "after " << n << " operations";
		}
	}
}

} // namespace
