/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_kern_debug.h"

#include "lib/symbol.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/vm_kern_private.h"

namespace
{

/* Names for two places, as a kernel has them for all. */
void resolve(uintptr_t pc, char *text, size_t size)
{
	(void)pc;
	snprintf(text, size, "some_function+0x1");
}

class KmemDebugTest : public quire::VmTest
{
      protected:
	void boot_debug(unsigned cpus)
	{
		kmem_caches_ = true;
		boot(cpus);
		kmem_debug_set(true);
		symbol_set_resolver(resolve);
	}
	void TearDown() override
	{
		symbol_set_resolver(nullptr);
		quire::VmTest::TearDown();
	}
};

using KmemDebugDeathTest = KmemDebugTest;

TEST_F(KmemDebugDeathTest, UseAfterFreeNamesBothSides)
{
	boot_debug(1);
	vm_offset_t addr = kmem_malloc(kmem_map, 2 * PAGE_SIZE, M_NOWAIT);
	host_store64(addr + PAGE_SIZE, 1);
	kmem_free(kmem_map, addr, 2 * PAGE_SIZE);
	EXPECT_DEATH(host_load64(addr + PAGE_SIZE),
		     "it was: freed by some_function.0x1, allocated before by some_function");
}

TEST_F(KmemDebugDeathTest, ASecondFreeNamesTheFirst)
{
	boot_debug(1);
	kmem_free_set_strict(true);
	vm_offset_t addr = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	EXPECT_DEATH(kmem_free(kmem_map, addr, PAGE_SIZE), "it was: freed by some_function");
}

TEST_F(KmemDebugTest, AddressesStayAway)
{
	boot_debug(2);
	vm_offset_t addr = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	for (int i = 0; i < 100; i++) {
		vm_offset_t next = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);

		ASSERT_NE(next, 0u);
		ASSERT_NE(next, addr);
		kmem_free(kmem_map, next, PAGE_SIZE);
	}
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(kmem_debug_release(), ptoa(101));
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_EQ(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), kmem_map->min_offset);
	EXPECT_TRUE(audit_ok());
}

/* Freed ranges of a quarter of the map are kept, and no more: the map does not fill up. */
TEST_F(KmemDebugTest, TheMapDoesNotFillUp)
{
	boot_debug(1);
	vm_size_t chunk = (kmem_map->max_offset - kmem_map->min_offset) / 16;

	for (int i = 0; i < 64; i++) {
		vm_offset_t addr = kmem_malloc(kmem_map, chunk, M_NOWAIT);

		ASSERT_NE(addr, 0u) << i;
		kmem_free(kmem_map, addr, chunk);
	}
	EXPECT_TRUE(audit_ok());
}

/* More frees than there are places to remember them. */
TEST_F(KmemDebugTest, TheOldestComesBackFirst)
{
	boot_debug(1);
	vm_offset_t first = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);
	char text[200];

	kmem_free(kmem_map, first, PAGE_SIZE);
	ASSERT_TRUE(kmem_debug_explain(first, text, sizeof(text)));
	unsigned n = 0;
	while (kmem_debug_explain(first, text, sizeof(text)) && n < 100000) {
		kmem_free(kmem_map, kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), PAGE_SIZE);
		n++;
	}
	EXPECT_GT(n, 500u);
	EXPECT_LT(n, 100000u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemDebugTest, OffAgainTheCachesAreBack)
{
	boot_debug(1);
	EXPECT_TRUE(kmem_debug());
	EXPECT_FALSE(kmem_cache_enabled());
	vm_offset_t addr = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);
	kmem_debug_set(false);
	EXPECT_TRUE(kmem_cache_enabled());
	kmem_free(kmem_map, addr, PAGE_SIZE);
	EXPECT_EQ(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT) == 0, false);
	EXPECT_TRUE(audit_ok());
}

} // namespace
