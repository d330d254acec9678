// SPDX-License-Identifier: BSD-2-Clause
#include "vm/vm_object.h"

#include "tests/host/vm/pages_fixture.h"

namespace quire
{
namespace
{

class VmObjectTest : public PagesTest
{
      protected:
	void SetUp() override
	{
		PagesTest::SetUp();
		object_.type = OBJT_DEFAULT;
		object_.name = "test object";
		object_.size = 1000;
		object_.ref_count.value = 1;
		spin_init(&object_.lock, object_.name, LOCK_RANK_OBJECT, 0);
	}

	static vm_page_t new_page(int flags = 0)
	{
		vm_page_t m = vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | flags);

		EXPECT_NE(m, nullptr);
		return m;
	}

	static int insert(vm_object_t object, vm_page_t m, vm_pindex_t pindex)
	{
		VM_OBJECT_WLOCK(object);
		int rv = vm_object_page_insert(object, m, pindex);
		VM_OBJECT_WUNLOCK(object);
		return rv;
	}

	static vm_page_t find(vm_object_t object, vm_pindex_t pindex)
	{
		VM_OBJECT_WLOCK(object);
		vm_page_t m = vm_object_page_find(object, pindex);
		VM_OBJECT_WUNLOCK(object);
		return m;
	}

	static void remove(vm_object_t object, vm_pindex_t start, vm_pindex_t end)
	{
		VM_OBJECT_WLOCK(object);
		vm_object_page_remove(object, start, end);
		VM_OBJECT_WUNLOCK(object);
	}

	struct vm_object object_ = {};
};

using VmObjectDeathTest = VmObjectTest;

TEST_F(VmObjectTest, KernelObjectsCoverAllKernelAddresses)
{
	for (vm_object_t object : {kernel_object, kmem_object}) {
		EXPECT_EQ(object->type, OBJT_PHYS);
		EXPECT_EQ(object->size, atop(VM_MAX_KERNEL_ADDRESS - VM_MIN_KERNEL_ADDRESS));
		EXPECT_EQ(object->ref_count.value, 1u);
		EXPECT_EQ(object->resident_page_count, 0u);
	}
	EXPECT_STREQ(kernel_object->name, "kernel_object");
	EXPECT_STREQ(kmem_object->name, "kmem_object");
}

TEST_F(VmObjectTest, InsertedPageIsFoundAndKnowsWhereItIs)
{
	vm_page_t m = new_page();

	ASSERT_EQ(insert(kernel_object, m, 77), KERN_SUCCESS);
	EXPECT_EQ(find(kernel_object, 77), m);
	EXPECT_EQ(find(kernel_object, 78), nullptr);
	EXPECT_EQ(find(kmem_object, 77), nullptr);
	EXPECT_EQ(m->object, kernel_object);
	EXPECT_EQ(m->pindex, 77u);
	EXPECT_NE(m->oflags & VPO_UNMANAGED, 0) << "kernel pages are on no queue";
	EXPECT_EQ(kernel_object->resident_page_count, 1u);
	remove(kernel_object, 77, 78);
}

TEST_F(VmObjectTest, TakenPageIsItsOwnersAgain)
{
	vm_page_t m = new_page(VM_ALLOC_WIRED);

	ASSERT_EQ(insert(kernel_object, m, 0), KERN_SUCCESS);
	VM_OBJECT_WLOCK(kernel_object);
	vm_object_page_take(m);
	VM_OBJECT_WUNLOCK(kernel_object);
	EXPECT_EQ(m->object, nullptr);
	EXPECT_EQ(m->wire_count, 1u);
	EXPECT_EQ(m->state, VM_PAGE_ALLOCATED);
	EXPECT_EQ(find(kernel_object, 0), nullptr);
	EXPECT_EQ(kernel_object->resident_page_count, 0u);
}

TEST_F(VmObjectTest, RemoveFreesExactlyTheRange)
{
	uint64_t allocated = pages_in(VM_PAGE_ALLOCATED);

	for (vm_pindex_t i : {9, 10, 11, 500, 999})
		ASSERT_EQ(insert(&object_, new_page(i % 2 ? VM_ALLOC_WIRED : 0), i), KERN_SUCCESS);
	remove(&object_, 10, 500);
	EXPECT_NE(find(&object_, 9), nullptr);
	EXPECT_EQ(find(&object_, 10), nullptr);
	EXPECT_EQ(find(&object_, 11), nullptr);
	EXPECT_NE(find(&object_, 500), nullptr);
	EXPECT_EQ(object_.resident_page_count, 3u);
	remove(&object_, 20, 20);
	EXPECT_EQ(object_.resident_page_count, 3u);
	remove(&object_, 0, object_.size);
	EXPECT_EQ(object_.resident_page_count, 0u);
	EXPECT_EQ(pages_in(VM_PAGE_ALLOCATED), allocated);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmObjectTest, LastPageOfTheKernelCanBeUsed)
{
	vm_pindex_t last = kernel_object->size - 1;

	ASSERT_EQ(insert(kernel_object, new_page(VM_ALLOC_WIRED), last), KERN_SUCCESS);
	EXPECT_NE(find(kernel_object, last), nullptr);
	remove(kernel_object, last, last + 1);
	EXPECT_EQ(find(kernel_object, last), nullptr);
}

TEST_F(VmObjectTest, InsertWithoutMemoryChangesNothing)
{
	struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "vm_radix_insert"};
	vm_page_t m = new_page();

	host_fault_arm(&plan);
	EXPECT_EQ(insert(&object_, m, 3), KERN_RESOURCE_SHORTAGE);
	host_fault_disarm();
	EXPECT_EQ(m->object, nullptr);
	EXPECT_EQ(find(&object_, 3), nullptr);
	EXPECT_EQ(object_.resident_page_count, 0u);
	EXPECT_EQ(insert(&object_, m, 3), KERN_SUCCESS);
	remove(&object_, 0, 10);
}

TEST_F(VmObjectTest, LastReferenceTakesThePagesAlong)
{
	uint64_t allocated = pages_in(VM_PAGE_ALLOCATED);
	vm_object_t object = vm_object_allocate(OBJT_DEFAULT, 4);

	ASSERT_NE(object, nullptr);
	vm_object_reference(object);
	ASSERT_EQ(insert(object, new_page(), 1), KERN_SUCCESS);
	vm_object_deallocate(object);
	EXPECT_NE(find(object, 1), nullptr);
	vm_object_deallocate(object);
	EXPECT_EQ(pages_in(VM_PAGE_ALLOCATED), allocated);
}

TEST_F(VmObjectDeathTest, ReferencesNeverGoAstray)
{
	EXPECT_DEATH(vm_object_deallocate(kernel_object), "kernel_object: its last reference");
	EXPECT_DEATH(
	    {
		    object_.ref_count.value = 0;
		    vm_object_deallocate(&object_);
	    },
	    "dropped that nobody holds");
	EXPECT_DEATH(
	    {
		    object_.ref_count.value = 0;
		    vm_object_reference(&object_);
	    },
	    "an object that nobody holds");
	EXPECT_DEATH(
	    {
		    object_.ref_count.value = UINT32_MAX;
		    vm_object_reference(&object_);
	    },
	    "too many references");
}

TEST_F(VmObjectDeathTest, PageBelongsToOneIndexOfOneObject)
{
	vm_page_t m = new_page();

	ASSERT_EQ(insert(&object_, m, 1), KERN_SUCCESS);
	EXPECT_DEATH(insert(&object_, new_page(), 1), "index 0x1 is taken");
	EXPECT_DEATH(insert(&object_, m, 2), "object == (NULL|0)");
	EXPECT_DEATH(insert(&object_, new_page(), object_.size), "check failed");
	remove(&object_, 1, 2);
}

TEST_F(VmObjectDeathTest, PageThatIsWiredTwiceIsNotFreed)
{
	vm_page_t m = new_page(VM_ALLOC_WIRED);

	vm_page_wire(m);
	ASSERT_EQ(insert(&object_, m, 1), KERN_SUCCESS);
	EXPECT_DEATH(remove(&object_, 0, 2), "wire_count");
}

} // namespace
} // namespace quire
