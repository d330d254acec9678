/* SPDX-License-Identifier: BSD-2-Clause */
/* One operation after the other, drawn by weight, on the real maps and on their models. */
#ifndef QUIRE_TESTS_HOST_MODEL_MAP_STEPS_H
#define QUIRE_TESTS_HOST_MODEL_MAP_STEPS_H

#include "tests/host/model/map_memory_ops.h"

namespace quire
{

class MapSteps : public MapMemoryOps
{
      protected:
	void step()
	{
		Pair &pair = some_map();
		vm_offset_t va = pair.model->min + ptoa(random(pair.model->pages.size()));
		size_t index = (size_t)(&pair - maps_.data());

		(this->*some_operation())(pair);
		steps_with_large_pages_ += kernel_pmap->large_mapped != 0;
		if (failed_)
			return;
		compare_map(maps_[index]);
		compare_entry(maps_[index], va);
		if (!failed_ && supply(1) == ENOUGH)
			compare_access(va);
	}

	uint64_t steps_with_large_pages_ = 0;

      private:
	using Operation = void (MapSteps::*)(Pair &pair);

	struct Weighted {
		unsigned weight;
		Operation operation;
	};

	Operation some_operation()
	{
		static const Weighted operations[] = {
		    {3, &MapSteps::do_findspace},      {3, &MapSteps::do_lookup},
		    {6, &MapSteps::do_insert},         {5, &MapSteps::do_find},
		    {4, &MapSteps::do_clip},           {1, &MapSteps::do_submap},
		    {1, &MapSteps::do_submap_refused}, {8, &MapSteps::do_protect},
		    {7, &MapSteps::do_wire},           {6, &MapSteps::do_unwire},
		    {8, &MapSteps::do_remove},         {10, &MapSteps::do_free},
		    {6, &MapSteps::do_alloc},          {3, &MapSteps::do_nofault},
		    {6, &MapSteps::do_malloc},         {4, &MapSteps::do_back},
		    {3, &MapSteps::do_alloc_attr},     {3, &MapSteps::do_alloc_contig},
		    {6, &MapSteps::do_alloc_wait},     {10, &MapSteps::do_touch},
		    {1, &MapSteps::do_clear},          {1, &MapSteps::do_scan},
		    {1, &MapSteps::do_swap_limit},
		};
		static const unsigned total = [] {
			unsigned sum = 0;

			for (const Weighted &one : operations)
				sum += one.weight;
			return sum;
		}();
		uint64_t left = random(total);

		for (const Weighted &one : operations) {
			if (left < one.weight)
				return one.operation;
			left -= one.weight;
		}
		return operations[0].operation;
	}
};

} // namespace quire

#endif
