/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of every place in vm/ that can be made to fail, one in a line and in order:
 * fault_sites_test.sh compares them with the sources.
 */
#ifndef QUIRE_TESTS_HOST_VM_FAULT_SITES_H
#define QUIRE_TESTS_HOST_VM_FAULT_SITES_H

#include <string_view>

namespace quire
{

/* clang-format off */
inline constexpr std::string_view fault_sites[] = {
	"kmem_quarantine",
	"pmap_table",
	"swap_reserve",
	"uma_slab_create",
	"uma_slab_header",
	"uma_zcreate",
	"vm_map_clip_end",
	"vm_map_clip_start",
	"vm_map_create",
	"vm_map_insert",
	"vm_object_allocate",
	"vm_page_alloc",
	"vm_page_alloc_contig",
	"vm_page_alloc_internal",
	"vm_phys_alloc",
	"vm_phys_alloc_batch",
	"vm_phys_alloc_contig",
	"vm_radix_insert",
};
/* clang-format on */

} // namespace quire

#endif
