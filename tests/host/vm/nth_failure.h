/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each allocation inside of a call fails in turn: the case, and the state that is compared.
 */
#ifndef QUIRE_TESTS_HOST_VM_NTH_FAILURE_H
#define QUIRE_TESTS_HOST_VM_NTH_FAILURE_H

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/uma.h"
#include "vm/vm_fault.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys.h"
#include "vm/vm_pool.h"
#include "vm/vm_swap.h"

namespace quire
{

/* What a case works on. */
struct NthBench {
	vm_offset_t addr = 0;
	vm_object_t object = nullptr;
	vm_page_t page = nullptr;
	vm_map_t map = nullptr;
	void *item = nullptr;
	uma_zone_t zone = nullptr;
	std::vector<void *> items;
};

struct NthCase {
	const char *name;
	/* Before each attempt and after it, with no failures; may be empty. */
	std::function<void(NthBench &)> prepare, cleanup;
	std::function<bool(NthBench &)> call; /* true: it worked */
	std::function<void(NthBench &)> undo; /* what worked; may be empty */
	/* It must not fail for want of memory: it waits, or needs none. */
	bool certain = false;
	/* Pages that a failed call brought in may stay, as part of what cleanup takes away. */
	bool keeps_pages = false;
	/* It maps what no map knows; an audit makes sense only after cleanup. */
	bool outside_maps = false;
	/* What it makes stays for ever: a new machine for each attempt. */
	bool once = false;
};

/* Everything that a failed call must leave as it was. */
struct NthState {
	uint64_t allocated, boot, tables, meta, zones, total;
	vm_size_t size[3], reserved;
	uint32_t entries[3], references[2];
	uint64_t resident[2];

	static NthState now()
	{
		vm_map_t const maps[3] = {kernel_map, kmem_map, pipe_map};
		vm_object_t const objects[2] = {kernel_object, kmem_object};
		struct vm_accounting acc;
		NthState state = {};

		vm_accounting(&acc);
		state.allocated = acc.allocated;
		state.boot = acc.boot;
		state.tables = acc.tables;
		state.meta = acc.meta;
		state.zones = acc.zones;
		state.total = acc.total;
		state.reserved = swap_reserved();
		for (unsigned i = 0; i < 3; i++) {
			state.size[i] = maps[i]->size;
			state.entries[i] = maps[i]->nentries;
		}
		for (unsigned i = 0; i < 2; i++) {
			state.references[i] = atomic32_load(&objects[i]->ref_count, MO_RELAXED);
			state.resident[i] = objects[i]->resident_page_count;
		}
		return state;
	}

	/* Page tables stay once they are there, and pools keep a reserve. */
	std::string text(bool exact) const
	{
		std::string out = "allocated " + std::to_string(allocated) + " boot " +
				  std::to_string(boot) + " zones " + std::to_string(zones) +
				  " total " + std::to_string(total) + " reserved " +
				  std::to_string(reserved);

		for (unsigned i = 0; i < 3; i++)
			out += " map " + std::to_string(size[i]) + "/" + std::to_string(entries[i]);
		for (unsigned i = 0; i < 2; i++)
			out += " object " + std::to_string(references[i]) + "/" +
			       std::to_string(resident[i]);
		if (exact)
			out +=
			    " tables " + std::to_string(tables) + " meta " + std::to_string(meta);
		return out;
	}
};

inline std::ostream &operator<<(std::ostream &out, const NthCase &test)
{
	return out << test.name;
}

std::vector<NthCase> nth_cases_caches();
std::vector<NthCase> nth_cases_kern();
std::vector<NthCase> nth_cases_malloc();
std::vector<NthCase> nth_cases_map();
std::vector<NthCase> nth_cases_pages();
std::vector<NthCase> nth_cases_zones();

} // namespace quire

#endif
