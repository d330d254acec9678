/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An audit that finds nothing proves nothing: what maps, objects, page table and page descriptors
 * say about each other is falsified on purpose, one statement at a time, and the audit must name
 * it.
 */
#include "vm/vm_audit.h"

#include <string>

#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_phys_internal.h"

namespace
{

class VmAuditTest : public quire::VmTest
{
      protected:
	void SetUp() override
	{
		boot(1);
		addr_ = kmem_alloc(kernel_map, ptoa(4));
		ASSERT_NE(addr_, 0u);
		page_ = PHYS_TO_VM_PAGE(pmap_kextract(addr_));
		ASSERT_TRUE(vm_map_lookup_entry(kernel_map, addr_, &entry_));
		ASSERT_TRUE(audit_ok());
	}

	void TearDown() override
	{
		EXPECT_TRUE(audit_ok()); /* all has been put right again */
		kmem_free(kernel_map, addr_, ptoa(4));
		EXPECT_TRUE(audit_ok());
		VmTest::TearDown();
	}

	static std::string audit()
	{
		std::string text;

		quire::audit_lines()->clear();
		EXPECT_NE(vm_audit(quire::audit_collect), 0u);
		for (const std::string &line : *quire::audit_lines())
			text += line + "\n";
		return text;
	}

	static void expect_said(const char *text)
	{
		std::string said = audit();

		EXPECT_NE(said.find(text), std::string::npos) << "not found: " << text << "\n"
							      << said;
	}

	/* With the field at that value for a moment, the audit says `text`. */
	template <typename T, typename V>
	static void expect_found(T *field, V value, const char *text)
	{
		T before = *field;

		*field = static_cast<T>(value);
		expect_said(text);
		*field = before;
	}

	/* The same for an entry of the page table. */
	static void expect_pte_found(pte_t *entry, pte_t value, const char *text)
	{
		pte_t before = arch_pte_exchange(entry, value);

		expect_said(text);
		arch_pte_exchange(entry, before);
	}

	vm_offset_t addr_ = 0;
	vm_page_t page_ = nullptr;
	vm_map_entry_t entry_ = nullptr;
};

TEST_F(VmAuditTest, DescriptorsOfWiredPages)
{
	expect_found(&page_->pindex, page_->pindex + 1, "says it is elsewhere");
	expect_found(&page_->object, kmem_object, "says it is elsewhere");
	expect_found(&page_->state, VM_PAGE_META, "says it is elsewhere");
	expect_found(&page_->wire_count, 2, "wire count 2");
	expect_found(&page_->oflags, page_->oflags | VPO_BUSY, "oflags 0x5");
	expect_found(&page_->valid, 0, "valid 0");
}

TEST_F(VmAuditTest, EveryWiredAddressHasAPage)
{
	VM_OBJECT_WLOCK(kernel_object);
	ASSERT_EQ(vm_radix_remove(&kernel_object->index, page_->pindex), page_);
	VM_OBJECT_WUNLOCK(kernel_object);
	expect_said("has no page");
	VM_OBJECT_WLOCK(kernel_object);
	ASSERT_EQ(vm_radix_insert(&kernel_object->index, page_->pindex, page_), 0);
	VM_OBJECT_WUNLOCK(kernel_object);
}

TEST_F(VmAuditTest, EntriesAgainstObjects)
{
	expect_found(&entry_->offset, entry_->offset + PAGE_SIZE, "has offset");
	expect_found(&kernel_object->resident_page_count, 0, "kernel_object holds 0 pages");
	vm_object_reference(kmem_object);
	expect_said("kmem_object has");
	vm_object_deallocate(kmem_object);
}

TEST_F(VmAuditTest, EntriesAgainstThePageTable)
{
	pte_t *pte = pmap_small_entry(kernel_pmap, addr_);

	expect_found(&entry_->protection, VM_PROT_READ, "differ about writing");
	expect_found(&entry_->protection, VM_PROT_NONE, "its range allows no access");
	expect_pte_found(pte, 0, "maps 0, its page is");
	expect_pte_found(pte, arch_pte_read(pte) + PAGE_SIZE, "its page is");
}

TEST_F(VmAuditTest, NothingIsMappedOutsideOfWiredRanges)
{
	vm_offset_t hole = addr_ + ptoa(2);

	kmem_free(kernel_map, addr_, ptoa(4));
	ASSERT_EQ(kmem_alloc(kernel_map, ptoa(2)), addr_);
	page_ = PHYS_TO_VM_PAGE(pmap_kextract(addr_));
	ASSERT_EQ(pmap_enter(kernel_pmap, hole, VM_PROT_NONE, page_, VM_PROT_RW, true),
		  KERN_SUCCESS);
	expect_said("(0x1000 bytes) is mapped, but nothing wired is there");
	ASSERT_EQ(pmap_remove(kernel_pmap, hole, hole + PAGE_SIZE), KERN_SUCCESS);
	ASSERT_EQ(kmem_alloc(kernel_map, ptoa(2)), hole);
}

TEST_F(VmAuditTest, StatesSumUpToRam)
{
	struct vm_phys_domain *d = vm_phys_domain_of(0);
	struct vm_accounting acc;

	vm_accounting(&acc);
	EXPECT_EQ(acc.total, vm_phys_total_pages(0));
	EXPECT_EQ(acc.boot + acc.free + acc.magazines + acc.tables + acc.meta + acc.zones +
		      acc.allocated,
		  acc.total);
	expect_found(&d->total_pages, d->total_pages + 1, "pages: ");
	expect_found(&page_->state, VM_PAGE_FREE, "say that they are free");
}

TEST_F(VmAuditTest, EntriesOfTheTree)
{
	vm_map_entry_t entry = TAILQ_FIRST(&kernel_map->entries);

	expect_found(&map_entry_pool.used_items, 0, "counted");
	expect_found(&entry->gap, entry->gap + PAGE_SIZE, "bytes are free behind it");
}

/* --- The page table by itself --- */

TEST_F(VmAuditTest, LinksBetweenTables)
{
	unsigned level = 0;
	pte_t *link;
	pte_t pte;
	vm_page_t table;

	link = pmap_entry_down_to(kernel_pmap, addr_, 2, &level);
	ASSERT_EQ(level, 2u);
	pte = arch_pte_read(link);
	table = PHYS_TO_VM_PAGE(pte & PTE_ADDRESS);
	expect_pte_found(link, pte | PTE_USER, "open to user mode");
	expect_pte_found(link, pte | PTE_NX, "a bit that none has");
	expect_pte_found(link, pte & ~PTE_PRESENT, "not present, but not empty");
	ASSERT_NE(table, nullptr);
	expect_found(&table->state, VM_PAGE_BOOT, "leads to what is no table page");
}

TEST_F(VmAuditTest, LeavesOfTheTable)
{
	pte_t *pte = pmap_small_entry(kernel_pmap, addr_);
	pte_t leaf = arch_pte_read(pte);

	expect_pte_found(pte, leaf & ~PTE_NX, "writable and executable");
	expect_pte_found(pte, leaf & ~PTE_GLOBAL, "a leaf is not global");
	expect_pte_found(pte, leaf | PTE_USER, "a bit that no leaf has");
	expect_found(&page_->state, VM_PAGE_TABLE, "nobody may reach this way");
}

TEST_F(VmAuditTest, LargeLeaves)
{
	vm_offset_t large = kmem_alloc(kernel_map, 2 * SUPERPAGE_SIZE);
	vm_offset_t va = (large + SUPERPAGE_SIZE - 1) & ~(SUPERPAGE_SIZE - 1);
	unsigned level = 0;
	pte_t *entry, *kept;
	pte_t pte;
	vm_page_t table;

	ASSERT_NE(large, 0u);
	entry = pmap_entry_down_to(kernel_pmap, va, 2, &level);
	pte = arch_pte_read(entry);
	ASSERT_TRUE(level == 2 && pte_is_leaf(pte, 2));
	table = pmap_large_kept(va);
	ASSERT_NE(table, nullptr);
	kept = pmap_table(VM_PAGE_TO_PHYS(table));

	expect_pte_found(entry, pte | ptoa(1) << 1, "a large page is not aligned");
	expect_pte_found(&kept[7], 0, "the kept table differs from the large leaf");
	expect_found(&table->state, VM_PAGE_META, "the kept table is no table page");
	expect_found(&table->pindex, 0, "no table is kept behind a large leaf");
	kmem_free(kernel_map, large, 2 * SUPERPAGE_SIZE);
}

} // namespace
