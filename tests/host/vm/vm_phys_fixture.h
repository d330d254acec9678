/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy system alone, on a machine with holes and two domains. */
#ifndef QUIRE_TESTS_HOST_VM_VM_PHYS_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_VM_PHYS_FIXTURE_H

#include <algorithm>
#include <cstring>

#include "lib/bits.h"
#include "tests/host/vm/pages_fixture.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_phys.h"
#include "vm/vm_phys_internal.h"

namespace quire
{

class VmPhysTest : public PagesTest
{
      protected:
	VmPhysTest()
	{
		config_with_holes();
	}

	/* Is every page of the run free? It may not leave its segment. */
	static bool all_free(const struct vm_phys_segment *segment, vm_paddr_t start,
			     uint64_t bytes)
	{
		if (start < segment->start || start >= segment->end || segment->end - start < bytes)
			return false;
		for (vm_paddr_t pa = start; pa < start + bytes; pa += PAGE_SIZE)
			if (PHYS_TO_VM_PAGE(pa)->state != VM_PAGE_FREE)
				return false;
		return true;
	}
};

} // namespace quire

#endif
