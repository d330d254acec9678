/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad arguments and rare states that callers of the memory system bring about, across functions.
 */
#include "tests/host/vm/nth_failure.h"
#include "vm/vm_kern.h"

namespace
{

using quire::NthState;

constexpr vm_paddr_t ANYWHERE = ~(vm_paddr_t)0;
constexpr int SYSTEM = VM_MAP_WIRE_SYSTEM | VM_MAP_WIRE_NOHOLES;

class VmCallsTest : public quire::VmTest
{
      protected:
	void SetUp() override
	{
		boot(1);
	}

	static vm_offset_t part(vm_offset_t addr, vm_size_t page)
	{
		return addr + ptoa(page);
	}

	static uint32_t wired(vm_map_t map, vm_offset_t addr)
	{
		vm_map_entry_t entry;
		uint32_t count = 0;

		vm_map_lock(map);
		if (vm_map_lookup_entry(map, addr, &entry))
			count = entry->wired_count;
		vm_map_unlock(map);
		return count;
	}
};

TEST_F(VmCallsTest, SizesThatCannotBeChangeNothing)
{
	const vm_size_t sizes[] = {0, ~(vm_size_t)0, ~(vm_size_t)0 - PAGE_SIZE + 2};
	std::string before = NthState::now().text(true);

	for (vm_size_t size : sizes) {
		EXPECT_EQ(kmem_alloc(kernel_map, size), 0u);
		EXPECT_EQ(kmem_alloc_nofault(kernel_map, size), 0u);
		EXPECT_EQ(kmem_alloc_nofault_space(kernel_map, size, VMFS_ALIGNED_SPACE), 0u);
		EXPECT_EQ(kmem_alloc_attr(kernel_map, size, M_WAITOK, 0, ANYWHERE, 0), 0u);
		EXPECT_EQ(
		    kmem_alloc_contig(kernel_map, size, M_WAITOK, 0, ANYWHERE, PAGE_SIZE, 0, 0),
		    0u);
		EXPECT_EQ(kmem_malloc(kmem_map, size, M_NOWAIT), 0u);
		EXPECT_EQ(kmem_malloc(kmem_map, size, M_WAITOK), 0u);
		EXPECT_EQ(kmem_alloc_wait(pipe_map, size), 0u);
	}
	kmem_free(kernel_map, KERNBASE, 0);
	kmem_free_wakeup(pipe_map, pipe_map->min_offset, 0);
	EXPECT_EQ(NthState::now().text(true), before);
	EXPECT_TRUE(audit_ok());
}

using VmCallsDeathTest = VmCallsTest;

TEST_F(VmCallsDeathTest, BadFreesAreDiagnosed)
{
	vm_offset_t addr = kmem_alloc(kernel_map, ptoa(3));
	const char *message = "not all of it is allocated";

	ASSERT_NE(addr, 0u);
	EXPECT_DEATH(kmem_free(kernel_map, addr, ~(vm_size_t)0 - PAGE_SIZE), message);
	EXPECT_DEATH(kmem_free(kernel_map, addr + 1, ptoa(3)), message); /* unaligned */
	EXPECT_DEATH(kmem_free(kernel_map, addr, ptoa(4)), message);     /* partly */
	EXPECT_DEATH(kmem_free(kmem_map, addr, ptoa(3)), "outside kmem_map");
	EXPECT_DEATH(kmem_free(kernel_map, pipe_map->min_offset, PAGE_SIZE), "pipe_map");
	EXPECT_DEATH(kmem_free_wakeup(pipe_map, pipe_map->min_offset, PAGE_SIZE), message);
	kmem_free(kernel_map, addr, ptoa(3));
	EXPECT_DEATH(kmem_free(kernel_map, addr, ptoa(3)), message); /* twice */
}

TEST_F(VmCallsTest, PlacesThatCannotBeAreRefusedAndNothingChanges)
{
	struct Bad {
		vm_paddr_t low, high;
		vm_size_t alignment, boundary;
		unsigned attr;
	};
	const Bad bad[] = {
	    {0, ANYWHERE, 3 * PAGE_SIZE, 0, 0},
	    {0, ANYWHERE, 0, 0, 0},
	    {0, ANYWHERE, PAGE_SIZE, 3 * PAGE_SIZE, 0},
	    {0, ANYWHERE, PAGE_SIZE, PAGE_SIZE, 0},
	    {1 << 20, 1 << 20, PAGE_SIZE, 0, 0},
	    {2 << 20, 1 << 20, PAGE_SIZE, 0, 0},
	    {0, ANYWHERE, PAGE_SIZE, 0, VM_MEMATTR_COUNT},
	};
	std::string before = NthState::now().text(true);

	for (const Bad &one : bad)
		for (int flags : {M_NOWAIT, M_WAITOK})
			EXPECT_EQ(kmem_alloc_contig(kernel_map, ptoa(2), flags, one.low, one.high,
						    one.alignment, one.boundary,
						    (vm_memattr_t)one.attr),
				  0u);
	EXPECT_EQ(kmem_alloc_attr(kernel_map, PAGE_SIZE, M_WAITOK, 2 << 20, 1 << 20, 0), 0u);
	EXPECT_EQ(NthState::now().text(true), before);
	EXPECT_TRUE(audit_ok());
}

/* 16 MiB of addresses that nobody has used yet need eight tables. */
TEST_F(VmCallsTest, ATableThatIsMissingInTheMiddleOfARangeUndoesAll)
{
	std::string before = NthState::now().text(false);

	for (uint64_t nth = 1; nth <= 8; nth++) {
		struct host_fault_plan plan = {};

		plan.policy = HOST_FAULT_FROM_NTH;
		plan.nth = nth == 1 ? 1 : 2; /* one table more each time */
		plan.site = "pmap_table";
		host_fault_arm(&plan);
		EXPECT_EQ(kmem_alloc_nofault(kernel_map, 8 * SUPERPAGE_SIZE), 0u) << nth;
		EXPECT_EQ(host_fault_failures(), 1u) << nth;
		host_fault_disarm();
		EXPECT_EQ(NthState::now().text(false), before) << nth;
		EXPECT_TRUE(audit_ok()) << nth;
	}
	EXPECT_NE(kmem_alloc_nofault(kernel_map, 8 * SUPERPAGE_SIZE), 0u);
}

TEST_F(VmCallsTest, WiringInsideAllocThatFailsUndoesEverything)
{
	vm_offset_t keep = kmem_alloc(kernel_map, PAGE_SIZE); /* a neighbour to merge with */
	std::string before = NthState::now().text(true);
	struct host_fault_plan plan = {};

	ASSERT_NE(keep, 0u);
	plan.policy = HOST_FAULT_NTH;
	plan.site = "vm_page_alloc";
	for (plan.nth = 1; plan.nth <= 5; plan.nth++) {
		host_fault_arm(&plan);
		EXPECT_EQ(kmem_alloc(kernel_map, ptoa(5)), 0u);
		host_fault_disarm();
		EXPECT_EQ(NthState::now().text(true), before);
	}
	EXPECT_TRUE(audit_ok());
}

/* --- Wired memory whose range changes --- */

TEST_F(VmCallsTest, WhereNoAccessIsAllowedNothingIsWired)
{
	vm_offset_t addr = kmem_alloc_wait(pipe_map, ptoa(4));

	ASSERT_EQ(vm_map_protect(pipe_map, part(addr, 1), part(addr, 2), VM_PROT_NONE, false),
		  KERN_SUCCESS);
	EXPECT_EQ(vm_map_wire(pipe_map, addr, part(addr, 4), SYSTEM), KERN_PROTECTION_FAILURE);
	EXPECT_EQ(wired(pipe_map, addr), 0u);
	EXPECT_TRUE(audit_ok());
	kmem_free_wakeup(pipe_map, addr, ptoa(4));
}

TEST_F(VmCallsTest, WiredMemoryOutlivesAProtectionThatForbidsAll)
{
	vm_offset_t addr = kmem_alloc(kernel_map, ptoa(4));
	uint64_t word;

	host_store64(part(addr, 1), 42);
	ASSERT_EQ(vm_map_protect(kernel_map, part(addr, 1), part(addr, 2), VM_PROT_NONE, false),
		  KERN_SUCCESS);
	EXPECT_FALSE(host_load_nofault(part(addr, 1), &word, sizeof(word)));
	EXPECT_TRUE(audit_ok());
	ASSERT_EQ(vm_map_protect(kernel_map, part(addr, 1), part(addr, 2), VM_PROT_RW, false),
		  KERN_SUCCESS);
	EXPECT_EQ(host_load64(part(addr, 1)), 42u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmCallsTest, PartOfALargePageIsUnwiredAndWiredAgain)
{
	vm_offset_t addr = kmem_alloc(kernel_map, SUPERPAGE_SIZE);
	unsigned level;

	ASSERT_NE(addr, 0u);
	ASSERT_NE(pmap_leaf(kernel_pmap, addr, &level), 0u);
	ASSERT_EQ(level, 2u);
	host_store64(part(addr, 11), 42);
	ASSERT_EQ(vm_map_unwire(kernel_map, part(addr, 10), part(addr, 20), SYSTEM), KERN_SUCCESS);
	EXPECT_TRUE(audit_ok());
	ASSERT_EQ(vm_map_wire(kernel_map, part(addr, 10), part(addr, 20), SYSTEM), KERN_SUCCESS);
	EXPECT_EQ(wired(kernel_map, part(addr, 11)), 1u);
	EXPECT_EQ(host_load64(part(addr, 11)), 42u);
	EXPECT_TRUE(audit_ok());
	kmem_free(kernel_map, addr, SUPERPAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmCallsTest, KernelPagesThatWereThereOutliveAWiringThatFails)
{
	vm_offset_t addr = kmem_alloc(kernel_map, ptoa(8));
	struct host_fault_plan plan = {};

	vm_map_remove(kernel_map, addr, part(addr, 8));
	vm_object_reference(kernel_object);
	vm_map_lock(kernel_map);
	ASSERT_EQ(vm_map_insert(kernel_map, kernel_object, addr - VM_MIN_KERNEL_ADDRESS, addr,
				part(addr, 8), VM_PROT_RW, VM_PROT_ALL, 0),
		  KERN_SUCCESS);
	vm_map_unlock(kernel_map);
	ASSERT_EQ(vm_map_wire(kernel_map, part(addr, 2), part(addr, 4), SYSTEM), KERN_SUCCESS);
	host_store64(part(addr, 3), 42);
	ASSERT_EQ(vm_map_unwire(kernel_map, part(addr, 2), part(addr, 4), SYSTEM), KERN_SUCCESS);
	plan.policy = HOST_FAULT_NTH;
	plan.site = "vm_page_alloc";
	plan.nth = 5;
	host_fault_arm(&plan);
	EXPECT_EQ(vm_map_wire(kernel_map, addr, part(addr, 8), SYSTEM), KERN_RESOURCE_SHORTAGE);
	host_fault_disarm();
	EXPECT_EQ(host_load64(part(addr, 3)), 42u);
	EXPECT_EQ(pmap_kextract(addr), 0u);
	EXPECT_TRUE(audit_ok());
	ASSERT_EQ(vm_map_wire(kernel_map, addr, part(addr, 8), SYSTEM), KERN_SUCCESS);
	EXPECT_EQ(host_load64(part(addr, 3)), 42u);
	EXPECT_TRUE(audit_ok());
}

/* The new range must not be taken for a part of its neighbour before it is filled. */
TEST_F(VmCallsTest, MallocBesideMemoryThatIsNoLongerWired)
{
	vm_offset_t addr = kmem_malloc(kmem_map, ptoa(2), M_WAITOK), next;

	ASSERT_EQ(vm_map_unwire(kmem_map, addr, part(addr, 2), SYSTEM), KERN_SUCCESS);
	for (int flags : {M_NOWAIT, M_WAITOK}) {
		next = kmem_malloc(kmem_map, ptoa(2), flags);
		EXPECT_EQ(next, part(addr, 2));
		EXPECT_EQ(wired(kmem_map, next), 1u);
		EXPECT_TRUE(audit_ok());
		kmem_free(kmem_map, next, ptoa(2));
	}
}

/* --- Submaps --- */

TEST_F(VmCallsTest, ASubmapCoversItsRangeExactlyAndLiesInNoOther)
{
	vm_offset_t addr = pipe_map->min_offset;
	vm_map_t outer, inner;
	vm_offset_t min, max;

	ASSERT_EQ(vm_map_find(pipe_map, nullptr, 0, &addr, ptoa(8), VMFS_NO_SPACE, VM_PROT_RW,
			      VM_PROT_ALL, MAP_ACC_NO_CHARGE),
		  KERN_SUCCESS);
	inner = vm_map_create(kernel_pmap, "inner", part(addr, 2), part(addr, 4));
	EXPECT_EQ(vm_map_submap(pipe_map, part(addr, 2), part(addr, 5), inner),
		  KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_submap(pipe_map, part(addr, 4), part(addr, 2), inner),
		  KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_submap(pipe_map, part(addr, 2), part(addr, 4), inner), KERN_SUCCESS);
	EXPECT_EQ(vm_map_submap(pipe_map, part(addr, 2), part(addr, 4), inner),
		  KERN_INVALID_ARGUMENT);
	outer = kmem_suballoc(kernel_map, &min, &max, ptoa(8), false);
	EXPECT_EQ(outer->size, 0u);
	inner = vm_map_create(kernel_pmap, "inner", part(min, 2), part(min, 4));
	EXPECT_EQ(vm_map_submap(kernel_map, part(min, 2), part(min, 4), inner),
		  KERN_INVALID_ARGUMENT);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmCallsTest, RemovingNothingInsideASubmapIsNothing)
{
	EXPECT_EQ(vm_map_remove(kernel_map, pipe_map->min_offset + PAGE_SIZE,
				pipe_map->min_offset + PAGE_SIZE),
		  KERN_SUCCESS);
	EXPECT_TRUE(audit_ok());
}

} // namespace
