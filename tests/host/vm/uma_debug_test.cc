/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad frees and writes where nobody may write: what debug zones say, and what others can. */
#include "arch/physmap.h"
#include "tests/host/vm/uma_fixture.h"

namespace quire
{

class UmaDebugTest : public UmaTest
{
      protected:
	void SetUp() override
	{
		boot(1);
		zone_ = zone(100, true);
		item_ = static_cast<unsigned char *>(uma_zalloc(zone_, M_NOWAIT));
		ASSERT_NE(item_, nullptr);
	}

	/* One more line in the log, and nothing else has changed. */
	void expect_refused(const char *said)
	{
		EXPECT_EQ(uma_free_refused_count(), ++refused_);
		EXPECT_NE(strstr(host_log(), said), nullptr) << said << "\n" << host_log();
		host_log_clear();
		EXPECT_TRUE(audit_ok());
	}

	static std::string audit_text()
	{
		std::string text;

		audit_lines()->clear();
		uma_audit(audit_collect);
		for (const std::string &line : *audit_lines())
			text += line + "\n";
		return text;
	}

	uma_zone_t zone_;
	unsigned char *item_;
	uint64_t refused_ = uma_free_refused_count();
};

using UmaDebugDeathTest = UmaDebugTest;

TEST_F(UmaDebugDeathTest, BadFreesAreDiagnosed)
{
	uma_zone_t other = zone(100, true, 7, "others");
	int local;

	EXPECT_DEATH(uma_zfree(zone_, &local), "zone things: 0x.* is freed by 0x.*, but it is no "
					       "item of any zone");
	EXPECT_DEATH(uma_zfree(other, item_), "zone others: .*but it belongs to zone things");
	EXPECT_DEATH(uma_zfree(zone_, item_ + 16), "it lies 16 bytes inside of item 0x");
	EXPECT_DEATH(uma_zfree(zone_, (void *)trunc_page((uintptr_t)item_)), "no item is there");
	uma_zfree(zone_, item_);
	EXPECT_DEATH(uma_zfree(zone_, item_), "it is free already .*allocated by 0x.*, freed last "
					      "by 0x");
}

TEST_F(UmaDebugDeathTest, WritesBehindTheEndAreDiagnosed)
{
	item_[100] = 0;
	EXPECT_DEATH(uma_zfree(zone_, item_),
		     "written behind its end .offset 100 of 100 bytes., allocated by 0x");
}

TEST_F(UmaDebugDeathTest, WritesAfterTheFreeAreDiagnosed)
{
	uma_zfree(zone_, item_);
	item_[42] ^= 1;
	EXPECT_DEATH(uma_zalloc(zone_, M_NOWAIT),
		     "free item 0x.* was written at offset 42 of 100 "
		     "bytes; it was allocated by 0x.* and freed by 0x");
}

TEST_F(UmaDebugDeathTest, WithoutDebuggingASecondFreeIsSeenInTheSlab)
{
	uma_zone_t z = zone(64, false, 7, "plain");
	void *item = uma_zalloc(z, M_NOWAIT);

	EXPECT_DEATH(
	    {
		    uma_zfree(z, item);
		    uma_zfree(z, item);
		    uma_reclaim();
	    },
	    "zone plain: 0x.* is freed by .*, but it is free already");
	EXPECT_DEATH(
	    {
		    uma_zfree(z, static_cast<char *>(item) + 8);
		    uma_reclaim();
	    },
	    "it is not the start of an item");
	EXPECT_DEATH(
	    {
		    uma_zfree(z, item_);
		    uma_reclaim();
	    },
	    "zone plain: .* it is no item of this zone");
}

TEST_F(UmaDebugTest, WithoutStrictnessBadFreesAreCountedAndRefused)
{
	uma_zone_t other = zone(100, true, 7, "others");
	int local;

	kmem_free_set_strict(false);
	uma_zfree(zone_, &local);
	expect_refused("it is no item of any zone");
	uma_zfree(other, item_);
	expect_refused("it belongs to zone things");
	uma_zfree(zone_, item_ + 1);
	expect_refused("it lies 1 bytes inside");
	uma_zfree(zone_, item_);
	uma_zfree(zone_, item_);
	expect_refused("it is free already");
	EXPECT_EQ(stats(zone_).refused, 4u - 1u);
	EXPECT_EQ(stats(other).refused, 1u);
	EXPECT_EQ(uma_zone_get_cur(zone_), 0);
}

TEST_F(UmaDebugTest, WithoutDebuggingBadFreesAreRefusedWhenTheyLeaveTheCache)
{
	uma_zone_t z = zone(64, false, 7, "plain");
	uma_zone_t other = zone(64, false, 7, "others");
	char *item = static_cast<char *>(uma_zalloc(z, M_NOWAIT));
	int local;

	kmem_free_set_strict(false);
	uma_zfree(z, item);
	uma_zfree(z, item);
	uma_reclaim();
	expect_refused("it is free already");
	item = static_cast<char *>(uma_zalloc(z, M_NOWAIT));
	uma_zfree(z, item + 8);
	uma_reclaim();
	expect_refused("it is not the start of an item");
	uma_zfree(other, item);
	uma_reclaim();
	expect_refused("zone others: free of");
	uma_zfree(z, &local);
	uma_reclaim();
	expect_refused("it is no item of this zone");
	EXPECT_EQ(uma_zone_get_cur(z), 1);
	EXPECT_EQ(uma_zone_get_cur(other), 0);
	uma_zfree(z, item);
	EXPECT_TRUE(uma_zdestroy(z));
	EXPECT_TRUE(uma_zdestroy(other));
}

TEST_F(UmaDebugTest, EveryByteOfTheRedzoneIsWatched)
{
	kmem_free_set_strict(false);
	for (size_t size : {1, 8, 99, 100, 104, 4096, 5000, 8192}) {
		uma_zone_t z = zone(size, true);
		void *item = uma_zalloc(z, M_NOWAIT);
		size_t redzone = z->shape.slot - sizeof(struct uma_tag) - size;

		EXPECT_GE(redzone, (size_t)UMA_REDZONE_MIN);
		for (size_t i = 0; i < redzone && i < 64; i++) {
			*byte(z, item, size + i) ^= 0x10;
			uma_zfree(z, item);
			*byte(z, item, size + i) ^= 0x10;
			expect_refused("it was written behind its end");
		}
		uma_zfree(z, item);
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaDebugTest, EveryByteOfAFreeItemIsWatched)
{
	kmem_free_set_strict(false);
	for (size_t size : {1, 100, 5000}) {
		for (size_t at : {(size_t)0, size / 2, size - 1}) {
			uma_zone_t z = zone(size, true);
			void *item = uma_zalloc(z, M_NOWAIT), *next;

			uma_zfree(z, item);
			*byte(z, item, at) ^= 0x10;
			EXPECT_NE(audit_text().find("was written at offset"), std::string::npos);
			next = uma_zalloc(z, M_NOWAIT);
			EXPECT_NE(next, item);
			EXPECT_NE(next, nullptr);
			EXPECT_NE(strstr(host_log(), "it is taken out of use"), nullptr);
			host_log_clear();
			EXPECT_TRUE(audit_ok());
			/* It never comes back, and it is no live item either. */
			uma_zfree(z, item);
			expect_refused("it is free already");
			uma_zfree(z, next);
			uma_reclaim();
			EXPECT_EQ(stats(z).live, 0u);
			EXPECT_EQ(stats(z).slabs, 1u);
			EXPECT_TRUE(audit_ok());
			EXPECT_TRUE(uma_zdestroy(z));
		}
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaDebugTest, AWriteBeforeAnItemIsFoundInTheOneBefore)
{
	unsigned char *first = item_, *second = item_;

	/* The neighbour of the slab's first item is one of all the others. */
	for (unsigned i = 1; second != first + zone_->shape.slot; i++) {
		ASSERT_LT(i, uma_slab_of(first)->capacity);
		second = static_cast<unsigned char *>(uma_zalloc(zone_, M_NOWAIT));
	}
	kmem_free_set_strict(false);
	second[-1] ^= 1;
	uma_zfree(zone_, first);
	EXPECT_NE(strstr(host_log(), "it was written behind its end"), nullptr);
	second[-1] ^= 1;
	uma_zfree(zone_, first);
	uma_zfree(zone_, second);
	EXPECT_EQ(stats(zone_).refused, 1u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaDebugTest, TheReportNamesWhoAllocatedAndWhoFreed)
{
	static const char alloc_site = 0, free_site = 0;
	char line[64];
	void *item = uma_zalloc_at(zone_, nullptr, M_NOWAIT, &alloc_site);

	kmem_free_set_strict(false);
	uma_zfree_at(zone_, item, nullptr, &free_site);
	uma_zfree(zone_, item);
	snprintf(line, sizeof(line), "allocated by %p, freed last by %p", (const void *)&alloc_site,
		 (const void *)&free_site);
	expect_refused(line);
}

TEST_F(UmaDebugTest, NodebugZonesHaveNoTags)
{
	uma_set_debug(true);
	uma_zone_t z =
	    uma_zcreate("bare", 64, nullptr, nullptr, nullptr, nullptr, 7, UMA_ZONE_NODEBUG);

	EXPECT_FALSE(stats(z).debug);
	EXPECT_EQ(stats(z).slot, 64u);
	EXPECT_TRUE(stats(zone_).debug);
}

TEST_F(UmaDebugTest, TypeStableItemsAreNotPoisoned)
{
	uma_set_debug(true);
	uma_zone_t z =
	    uma_zcreate("stable", 64, nullptr, nullptr, nullptr, nullptr, 7, UMA_ZONE_NOFREE);
	void *item = uma_zalloc(z, M_NOWAIT);

	fill(z, item, 9);
	uma_zfree(z, item);
	EXPECT_TRUE(holds(z, item, 9));
	EXPECT_EQ(uma_zalloc(z, M_NOWAIT), item);
}

/* --- The audit finds what was broken on purpose --- */

class UmaAuditTest : public UmaDebugTest
{
      protected:
	template <typename T, typename V> void expect_found(T *field, V value, const char *said)
	{
		T saved = *field;

		ASSERT_EQ(audit_text(), "");
		*field = static_cast<T>(value);
		EXPECT_NE(audit_text().find(said), std::string::npos) << audit_text() << said;
		*field = saved;
		EXPECT_EQ(audit_text(), "");
	}
};

TEST_F(UmaAuditTest, FindsEveryBrokenCount)
{
	struct uma_slab *slab = uma_slab_of(item_);
	struct uma_keg *keg = &zone_->kegs[0];

	expect_found(&slab->used, slab->used + 1, "items out, counts");
	expect_found(&slab->bitmap[0], slab->bitmap[0] & (slab->bitmap[0] - 1),
		     "items out, counts");
	expect_found(&slab->place, UMA_SLAB_EMPTY, "in a list that is not its own");
	expect_found(&slab->domain, 1, "in a list that is not its own");
	expect_found(&keg->free_items, keg->free_items + 1, "but room for");
	expect_found(&keg->slab_count, 7u, "slabs, ");
	expect_found(&keg->pages, 7u, "slabs, ");
	expect_found(&keg->empty_pages, 7u, "slabs, ");
	expect_found(&zone_->lost.value, 1u, "items lost, counted");
	expect_found(&zone_->late.value, 1u, "allocs - frees is");
	vm_page_t page = PHYS_TO_VM_PAGE(arch_physmap_paddr(item_));
	expect_found(&page->state, VM_PAGE_META, "zones: slabs have 1 pages, 0 say so");
	expect_found(&page->zone.value, (void *)nullptr, "does not lead to its slab");
	expect_found(&page->zone.value, (void *)nullptr, "has no zone");
	vm_page_t foreign = vm_page_alloc(nullptr, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ);
	vm_page_free(foreign);
	expect_found(&foreign->zone.value, (void *)slab, "still has a zone");
	expect_found(&item_[100], 0, "allocated item");
}

TEST_F(UmaAuditTest, FindsAnItemInTwoPlaces)
{
	uma_zone_t z = zone(64, false, 7, "plain");
	void *item = uma_zalloc(z, M_NOWAIT);

	kmem_free_set_strict(false);
	uma_zfree(z, item);
	EXPECT_EQ(audit_text(), "");
	uma_zfree(z, item);
	EXPECT_NE(audit_text().find("is in two places"), std::string::npos) << audit_text();
	uma_reclaim();
	EXPECT_EQ(audit_text(), "");
}

TEST_F(UmaAuditTest, FindsAForeignItemInACache)
{
	uma_zone_t z = zone(64, false, 7, "plain");

	kmem_free_set_strict(false);
	uma_zfree(z, uma_zalloc(z, M_NOWAIT));
	uma_zfree(z, item_);
	EXPECT_NE(audit_text().find("is no item of it"), std::string::npos) << audit_text();
	uma_reclaim();
	EXPECT_EQ(audit_text(), "");
}

} // namespace quire
