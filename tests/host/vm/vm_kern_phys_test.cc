/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_page.h"

namespace
{

constexpr vm_paddr_t ANYWHERE = ~vm_paddr_t(0);

class KmemPhysTest : public quire::VmTest
{
      protected:
	static uint64_t pages_in_use()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	static bool zeroed(vm_offset_t addr, vm_size_t size)
	{
		for (vm_offset_t va = addr; va < addr + size; va += 8)
			if (host_load64(va) != 0)
				return false;
		return true;
	}
};

TEST_F(KmemPhysTest, PagesLieInTheRangeThatWasAsked)
{
	const vm_paddr_t low = 8 << 20, high = 12 << 20;
	vm_offset_t addr;

	boot(1);
	addr = kmem_alloc_attr(kernel_map, 20 * PAGE_SIZE, M_WAITOK, low, high, VM_MEMATTR_DEFAULT);
	ASSERT_NE(addr, 0u);
	for (vm_offset_t va = addr; va < addr + 20 * PAGE_SIZE; va += PAGE_SIZE) {
		EXPECT_GE(pmap_kextract(va), low);
		EXPECT_LE(pmap_kextract(va) + PAGE_SIZE, high);
		host_store64(va, va);
	}
	EXPECT_TRUE(audit_ok());
	kmem_free(kernel_map, addr, 20 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemPhysTest, ContiguousRunIsAlignedAndCrossesNoBoundary)
{
	boot(1);
	for (vm_size_t pages : {1u, 3u, 16u}) {
		for (vm_size_t align : {1u, 4u, 64u}) {
			vm_size_t boundary = ptoa(64);
			vm_offset_t addr =
			    kmem_alloc_contig(kernel_map, ptoa(pages), M_WAITOK, 0, ANYWHERE,
					      ptoa(align), boundary, VM_MEMATTR_DEFAULT);
			vm_paddr_t pa = pmap_kextract(addr);

			ASSERT_NE(addr, 0u);
			EXPECT_EQ(pa % ptoa(align), 0u);
			EXPECT_EQ(pa / boundary, (pa + ptoa(pages) - 1) / boundary);
			for (vm_size_t i = 0; i < pages; i++)
				EXPECT_EQ(pmap_kextract(addr + ptoa(i)), pa + ptoa(i));
		}
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemPhysTest, ZeroesWhenAsked)
{
	struct host_config config = {};
	vm_offset_t addr;

	config.fill_ram = true;
	boot(config);
	addr = kmem_alloc_attr(kernel_map, 4 * PAGE_SIZE, M_NOWAIT | M_ZERO, 0, ANYWHERE, 0);
	EXPECT_TRUE(zeroed(addr, 4 * PAGE_SIZE));
	addr = kmem_alloc_contig(kernel_map, 4 * PAGE_SIZE, M_NOWAIT | M_ZERO, 0, ANYWHERE,
				 PAGE_SIZE, 0, 0);
	EXPECT_TRUE(zeroed(addr, 4 * PAGE_SIZE));
}

TEST_F(KmemPhysTest, ArgumentsThatCannotBeMetAreRefused)
{
	boot(1);
	kmem_free(kernel_map, kmem_alloc(kernel_map, PAGE_SIZE), PAGE_SIZE);
	uint64_t used = pages_in_use();
	vm_size_t size = kernel_map->size;

	EXPECT_EQ(kmem_alloc_attr(kernel_map, 0, M_NOWAIT, 0, ANYWHERE, 0), 0u);
	EXPECT_EQ(kmem_alloc_attr(kernel_map, ~vm_size_t(0), M_NOWAIT, 0, ANYWHERE, 0), 0u);
	EXPECT_EQ(kmem_alloc_attr(kernel_map, PAGE_SIZE, M_NOWAIT, 5, 5, 0), 0u);
	EXPECT_EQ(kmem_alloc_attr(kernel_map, PAGE_SIZE, M_NOWAIT, ANYWHERE, 0, 0), 0u);
	EXPECT_EQ(kmem_alloc_attr(kernel_map, PAGE_SIZE, M_WAITOK, UINT64_C(1) << 39, ANYWHERE, 0),
		  0u);
	EXPECT_EQ(kmem_alloc_contig(kernel_map, PAGE_SIZE, M_NOWAIT, 0, ANYWHERE, 0, 0, 0), 0u);
	EXPECT_EQ(kmem_alloc_contig(kernel_map, PAGE_SIZE, M_NOWAIT, 0, ANYWHERE, 3, 0, 0), 0u);
	EXPECT_EQ(kmem_alloc_contig(kernel_map, PAGE_SIZE, M_NOWAIT, 0, ANYWHERE, 4096, 3, 0), 0u);
	EXPECT_EQ(kmem_alloc_contig(kernel_map, 3 * PAGE_SIZE, M_NOWAIT, 0, ANYWHERE, PAGE_SIZE,
				    PAGE_SIZE, 0),
		  0u);
	EXPECT_EQ(kmem_alloc_contig(kernel_map, UINT64_C(1) << 30, M_WAITOK, 0, ANYWHERE, PAGE_SIZE,
				    0, 0),
		  0u);
	EXPECT_EQ(pages_in_use(), used);
	EXPECT_EQ(kernel_map->size, size);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemPhysTest, AttributeReachesThePageTableAndIsRestored)
{
	unsigned level = 0;

	boot(1);
	for (vm_memattr_t attr : {VM_MEMATTR_UNCACHEABLE, VM_MEMATTR_WRITE_COMBINING}) {
		vm_offset_t addr =
		    kmem_alloc_attr(kernel_map, 2 * PAGE_SIZE, M_WAITOK, 0, ANYWHERE, attr);
		vm_page_t m;

		ASSERT_NE(addr, 0u);
		EXPECT_EQ(pmap_leaf(kernel_pmap, addr, &level) & (PTE_PWT | PTE_PCD | PTE_PAT),
			  pte_attr_bits(attr, 1));
		m = PHYS_TO_VM_PAGE(pmap_kextract(addr));
		EXPECT_EQ(m->memattr, attr);
		EXPECT_TRUE(audit_ok());
		kmem_free(kernel_map, addr, 2 * PAGE_SIZE);
		EXPECT_EQ(m->memattr, VM_MEMATTR_DEFAULT);
		EXPECT_TRUE(audit_ok());
	}
}

TEST_F(KmemPhysTest, EveryAllocationSiteMayFail)
{
	boot(1);
	kmem_free(kernel_map, kmem_alloc(kernel_map, PAGE_SIZE), PAGE_SIZE);
	for (int kind = 0; kind < 3; kind++) {
		for (bool persistent : {false, true}) {
			for (uint64_t n = 1; n < 200; n++) {
				struct host_fault_plan plan = {};
				uint64_t used = pages_in_use();
				vm_offset_t addr;

				plan.policy = persistent ? HOST_FAULT_FROM_NTH : HOST_FAULT_NTH;
				plan.nth = n;
				host_fault_arm(&plan);
				if (kind == 0)
					addr = kmem_alloc_attr(kernel_map, 4 * PAGE_SIZE, M_WAITOK,
							       0, ANYWHERE, VM_MEMATTR_UNCACHEABLE);
				else if (kind == 1)
					addr = kmem_alloc_contig(kernel_map, 4 * PAGE_SIZE,
								 M_NOWAIT, 0, ANYWHERE, PAGE_SIZE,
								 0, VM_MEMATTR_DEFAULT);
				else
					addr = kmem_alloc(kernel_map, 4 * PAGE_SIZE);
				bool reached = host_fault_failures() != 0;
				host_fault_disarm();
				if (addr != 0)
					kmem_free(kernel_map, addr, 4 * PAGE_SIZE);
				ASSERT_EQ(pages_in_use(), used) << kind << " " << n;
				ASSERT_TRUE(audit_ok()) << kind << " " << n;
				if (!reached)
					break;
				ASSERT_LT(n, 199u);
			}
		}
	}
}

TEST_F(KmemPhysTest, LargeAllocationsUseLargePagesAndSplitWhenPartIsFreed)
{
	const vm_size_t size = 2 * SUPERPAGE_SIZE;
	unsigned level = 0;
	vm_offset_t addr;

	boot(2);
	addr = kmem_alloc(kernel_map, size);
	ASSERT_NE(addr, 0u);
	EXPECT_EQ(addr % SUPERPAGE_SIZE, 0u);
	pmap_leaf(kernel_pmap, addr, &level);
	EXPECT_EQ(level, 2u);
	EXPECT_TRUE(zeroed(addr, size));
	on_all_cpus([addr](unsigned) { host_load64(addr + SUPERPAGE_SIZE - 8); });
	host_store64(addr + 3 * PAGE_SIZE, 77);
	kmem_free(kernel_map, addr + PAGE_SIZE, PAGE_SIZE);
	pmap_leaf(kernel_pmap, addr, &level);
	EXPECT_EQ(level, 1u);
	EXPECT_EQ(host_load64(addr + 3 * PAGE_SIZE), 77u);
	EXPECT_FALSE(host_load_nofault(addr + PAGE_SIZE, &level, 4));
	EXPECT_TRUE(audit_ok());
	kmem_free(kernel_map, addr, PAGE_SIZE);
	kmem_free(kernel_map, addr + 2 * PAGE_SIZE, size - 2 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemPhysTest, ProtectOfAPartSplitsALargePage)
{
	vm_offset_t addr;

	boot(2);
	addr = kmem_alloc(kernel_map, SUPERPAGE_SIZE);
	ASSERT_EQ(addr % SUPERPAGE_SIZE, 0u);
	ASSERT_EQ(vm_map_protect(kernel_map, addr + 4 * PAGE_SIZE, addr + 8 * PAGE_SIZE,
				 VM_PROT_READ, false),
		  KERN_SUCCESS);
	EXPECT_TRUE(host_store_nofault(addr, "x", 1));
	EXPECT_FALSE(host_store_nofault(addr + 4 * PAGE_SIZE, "x", 1));
	EXPECT_TRUE(host_store_nofault(addr + 8 * PAGE_SIZE, "x", 1));
	EXPECT_TRUE(audit_ok());
}

} // namespace
