/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones on a host machine: what their tests begin with. */
#ifndef QUIRE_TESTS_HOST_VM_UMA_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_UMA_FIXTURE_H

#include <cstring>
#include <map>
#include <set>

#include "smp/percpu.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/uma_private.h"
#include "vm/vm_page.h"

namespace quire
{

class UmaTest : public VmTest
{
      protected:
	void TearDown() override
	{
		kmem_free_set_strict(true);
		uma_set_debug(true);
		VmTest::TearDown();
	}

	static uma_zone_t zone(size_t size, bool debug, int align = UMA_ALIGN_PTR,
			       const char *name = "things")
	{
		uma_set_debug(debug);
		return uma_zcreate(name, size, nullptr, nullptr, nullptr, nullptr, align, 0);
	}

	static struct uma_zone_stats stats(uma_zone_t zone)
	{
		struct uma_zone_stats stats;

		uma_zone_stats(zone, &stats);
		return stats;
	}

	/* The bytes of an item, wherever it lies. */
	static unsigned char *byte(uma_zone_t zone, void *item, size_t offset)
	{
		size_t n;

		return static_cast<unsigned char *>(uma_bytes(item, offset, zone->shape.slot, &n));
	}

	static void fill(uma_zone_t zone, void *item, int value)
	{
		uma_bytes_fill(item, 0, zone->shape.size, value);
	}

	static bool holds(uma_zone_t zone, void *item, int value)
	{
		return uma_bytes_differ(item, 0, zone->shape.size, value) == zone->shape.size;
	}

	static uint64_t slab_pages()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.zones;
	}
};

} // namespace quire

#endif
