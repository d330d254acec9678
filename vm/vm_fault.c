/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_fault.h"

#include "lib/format.h"
#include "vm/vm_kern.h"

static const char *access_name(const struct arch_fault *fault)
{
	if (fault->execute)
		return "execute";
	return fault->write ? "write" : "read";
}

static const char *cause_name(const struct arch_fault *fault)
{
	if (fault->reserved)
		return "a page table has a reserved bit set";
	return fault->present ? "not permitted there" : "nothing is mapped";
}

bool vm_fault_kernel(const struct arch_fault *fault, char *why, size_t why_size)
{
	char where[128] = "no map yet";

	if (kernel_map != NULL)
		vm_map_describe(kernel_map, fault->va, where, sizeof(where));
	format(why, why_size, "%s of %#lx: %s; address is in: %s", access_name(fault),
	       (unsigned long)fault->va, cause_name(fault), where);
	return false;
}
