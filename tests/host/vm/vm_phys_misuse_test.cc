/* SPDX-License-Identifier: BSD-2-Clause */
/* Misuse, failure, and what the audit sees. */
#include "tests/host/vm/vm_phys_fixture.h"

namespace quire
{
namespace
{

using VmPhysDeathTest = VmPhysTest;

TEST_F(VmPhysDeathTest, DoubleFreeIsNamed)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	vm_phys_free(m, 0);
	EXPECT_DEATH(vm_phys_free(m, 0), "freed twice");
}

TEST_F(VmPhysDeathTest, PartOfAFreeBlockCannotBeFreedAgain)
{
	vm_page_t m = vm_phys_alloc(0, 4);

	vm_phys_free(m, 4);
	EXPECT_DEATH(vm_phys_free_contig(m + 3, 2), "freed twice");
}

TEST_F(VmPhysDeathTest, WiredPageCannotBeFreed)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	m->wire_count = 1;
	EXPECT_DEATH(vm_phys_free(m, 0), "wire count 1");
}

TEST_F(VmPhysDeathTest, MisalignedBlockCannotBeFreed)
{
	vm_page_t m = vm_phys_alloc(0, 2);

	EXPECT_DEATH(vm_phys_free(m + 1, 1), "check failed");
}

TEST_F(VmPhysDeathTest, RunPastItsSegmentCannotBeFreed)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	EXPECT_DEATH(vm_phys_free_contig(m, 1 << 20), "check failed");
}

TEST_F(VmPhysTest, EveryEntryFailsWhenToldAndChangesNothing)
{
	struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, nullptr};
	Blocks before = blocks();
	vm_page_t m;

	host_fault_arm(&plan);
	EXPECT_EQ(vm_phys_alloc(0, 0), nullptr);
	EXPECT_EQ(vm_phys_alloc_batch(0, &m, 1), 0u);
	EXPECT_EQ(vm_phys_alloc_contig(1, 0, UINT64_MAX, 1, 0), nullptr);
	EXPECT_EQ(host_fault_failures(), 3u);
	EXPECT_EQ(host_fault_site_count(), 3u);
	host_fault_disarm();
	EXPECT_EQ(blocks(), before);
}

/* --- The audit itself --- */

TEST_F(VmPhysTest, AuditSeesWhatIsBroken)
{
	vm_page_t m = vm_phys_alloc(0, 3);
	uint8_t order;

	m->state = VM_PAGE_FREE; /* free, but in no block */
	EXPECT_FALSE(audit_ok());
	m->state = VM_PAGE_ALLOCATED;
	m[1].order = 2; /* a head, but on no list */
	EXPECT_FALSE(audit_ok());
	m[1].order = VM_PAGE_NO_ORDER;
	EXPECT_TRUE(audit_ok());

	vm_phys_free(m, 3);
	m[2].state = VM_PAGE_ALLOCATED; /* in a block, but not free */
	EXPECT_FALSE(audit_ok());
	m[2].state = VM_PAGE_FREE;
	m[2].wire_count = 1;
	EXPECT_FALSE(audit_ok());
	m[2].wire_count = 0;
	m = TAILQ_FIRST(&vm_phys_domain_of(0)->free[0]);
	ASSERT_NE(m, nullptr);
	order = m->order;
	m->order = 5; /* on the list of another order */
	EXPECT_FALSE(audit_ok());
	m->order = order;
	vm_phys_domain_of(0)->blocks[0]++;
	EXPECT_FALSE(audit_ok());
	vm_phys_domain_of(0)->blocks[0]--;
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, AuditSeesEachFieldOfABlock)
{
	struct vm_phys_domain *d = vm_phys_domain_of(0);
	unsigned order = 1;
	auto expect_found = [](auto *field, auto value, const char *text) {
		auto before = *field;

		*field = static_cast<decltype(before)>(value);
		EXPECT_FALSE(audit_ok());
		EXPECT_NE(report_text()->find(text), std::string::npos) << *report_text();
		*field = before;
	};

	while (order < VM_PHYS_ORDERS && TAILQ_EMPTY(&d->free[order]))
		order++;
	ASSERT_LT(order, (unsigned)VM_PHYS_ORDERS);
	vm_page_t m = TAILQ_FIRST(&d->free[order]);

	expect_found(&m[1].order, 0, "inside a free block has order 0");
	expect_found(&m[1].wire_count, 1, "has wire count 1");
	expect_found(&m[1].object, kernel_object, "has wire count 0, object");
	expect_found(&m->domain, 1, "of domain 1 is on a list of domain 0");
	expect_found(&m->phys_addr, m->phys_addr + PAGE_SIZE, "is not aligned in its segment");
	expect_found(&m[1].phys_addr, m->phys_addr, "is that of page");
	expect_found(&m[1].segment, 7, "is that of page");
	expect_found(&d->nonempty, 0, "misjudges whether it has blocks of order");
	expect_found(&d->total_pages, d->total_pages + 1, "descriptors, its count says");
	expect_found(&d->total_pages, 0, "descriptors, its count says 0");
	atomic64_add(&d->free_pages, 1, MO_RELAXED);
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("free pages, its blocks hold"), std::string::npos);
	atomic64_sub(&d->free_pages, 1, MO_RELAXED);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPhysTest, AuditSeesAWriteToAFreePage)
{
	vm_page_t m = vm_phys_alloc(0, 0);

	vm_page_poison(m);
	vm_phys_free(m, 0);
	EXPECT_TRUE(audit_ok());
	bytes_of(m)[PAGE_SIZE - 1] ^= 1;
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("was written: offset 4088"), std::string::npos);

	/* One that is said to be zero must be. */
	memset(bytes_of(m), 0, PAGE_SIZE);
	m->flags = PG_ZERO;
	EXPECT_TRUE(audit_ok());
	bytes_of(m)[0] = 1;
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("offset 0 holds 0x1, expected 0"), std::string::npos);
	bytes_of(m)[0] = 0;
	m->flags = 0;
}

TEST_F(VmPhysTest, AuditSeesBuddiesThatWereNotJoined)
{
	vm_page_t m = vm_phys_alloc(0, 1);
	struct vm_phys_domain *d = vm_phys_domain_of(0);

	/* Both halves go on the list of order 0, one by one and behind the allocator's back. */
	for (unsigned i = 0; i < 2; i++) {
		m[i].state = VM_PAGE_FREE;
		m[i].order = 0;
		TAILQ_INSERT_HEAD(&d->free[0], &m[i], link);
	}
	EXPECT_FALSE(audit_ok());
	EXPECT_NE(report_text()->find("was not joined with its buddy"), std::string::npos);
	for (unsigned i = 0; i < 2; i++) {
		TAILQ_REMOVE(&d->free[0], &m[i], link);
		m[i].state = VM_PAGE_ALLOCATED;
		m[i].order = VM_PAGE_NO_ORDER;
	}
	EXPECT_TRUE(audit_ok());
	vm_phys_free(m, 1);
}

} // namespace
} // namespace quire
