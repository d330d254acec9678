/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on address space: what the map alone decides. Each is done on a map and its model,
 * with good and bad arguments, and the answers are compared.
 */
#ifndef QUIRE_TESTS_HOST_MODEL_MAP_SPACE_OPS_H
#define QUIRE_TESTS_HOST_MODEL_MAP_SPACE_OPS_H

#include "tests/host/model/map_driver.h"
#include "vm/vm_map_private.h"

namespace quire
{

class MapSpaceOps : public MapDriver
{
      protected:
	/* --- Address space --- */

	void do_findspace(Pair &pair)
	{
		vm_offset_t start, end, real = 0, model = 0;
		vm_size_t size = some_size();
		int rv;

		some_range(*pair.model, &start, &end);
		say("vm_map_findspace", start, size);
		vm_map_lock(pair.real);
		rv = vm_map_findspace(pair.real, start, size, &real);
		vm_map_unlock(pair.real);
		outcome(rv == KERN_SUCCESS);
		same("return", rv, pair.model->findspace(start, size, 1, &model) ? 0 : 1);
		same("address", rv == 0 ? real : 0, model);
	}

	void do_lookup(Pair &pair)
	{
		vm_offset_t va = pair.model->min + random(ptoa(pair.model->pages.size()));

		say("vm_map_lookup_entry", va);
		compare_entry(pair, trunc_page(va));
	}

	/* An object for the range, or none; the model's name of it in *range. */
	vm_object_t some_object(vm_offset_t start, vm_offset_t end, ModelRange *range)
	{
		vm_size_t pages = end > start && end - start <= 2 * RAM ? atop(end - start) : 1;
		vm_object_t object = nullptr;

		range->kind = range->cow & MAP_NOFAULT ? ModelPage::NOFAULT : ModelPage::ANON;
		range->object = 0;
		range->offset = 0;
		switch (random(4)) {
		case 0:
			range->kind = ModelPage::KERNEL;
			object = kernel_object;
			break;
		case 1:
			range->kind = ModelPage::ANON;
			range->object = ++objects_;
			range->offset = ptoa(random(3));
			object = vm_object_allocate(OBJT_DEFAULT, pages + 8);
			return object;
		default:
			return nullptr;
		}
		range->offset = start - VM_MIN_KERNEL_ADDRESS;
		vm_object_reference(object);
		return object;
	}

	ModelRange some_range_kind()
	{
		static const int cows[] = {MAP_NOFAULT, 0, MAP_ACC_NO_CHARGE, MAP_ACC_CHARGED};
		ModelRange range = {};

		range.cow = cows[random(4)];
		range.max = one_in(8) ? some_prot() : VM_PROT_ALL;
		range.prot = some_prot();
		return range;
	}

	/* A range that says it is charged was reserved before; false when that is refused. */
	bool reserve_for(const ModelRange &range, vm_offset_t start, vm_offset_t end)
	{
		bool reserved;

		if (range.cow != MAP_ACC_CHARGED)
			return true;
		if (end <= start || ((start | end) & PAGE_MASK) != 0)
			return false;
		reserved = swap_.reserve(end - start);
		same("swap_reserve", swap_reserve(end - start), reserved);
		return reserved;
	}

	void unreserve(vm_size_t size)
	{
		swap_release(size);
		swap_.reserved -= size;
	}

	void do_insert(Pair &pair)
	{
		ModelRange range = some_range_kind();
		vm_offset_t start, end;
		vm_object_t object;
		int rv;

		if (one_in(4))
			some_range(*pair.model, &start, &end);
		else
			some_hole(*pair.model, &start, &end);
		if (!reserve_for(range, start, end))
			return;
		object = some_object(start, end, &range);
		say("vm_map_insert", start, end,
		    (uint64_t)range.cow << 16 | range.prot << 8 | range.max);
		vm_map_lock(pair.real);
		rv = vm_map_insert(pair.real, object, range.offset, start, end, range.prot,
				   range.max, range.cow);
		vm_map_unlock(pair.real);
		insert_done(object, rv, pair.model->insert(start, end, range), range, end - start);
	}

	void insert_done(vm_object_t object, int rv, int model, const ModelRange &range,
			 vm_size_t size)
	{
		outcome(rv == KERN_SUCCESS);
		same("return", rv, model);
		if (rv == KERN_SUCCESS)
			return;
		if (object != nullptr)
			vm_object_deallocate(object);
		if (range.cow == MAP_ACC_CHARGED)
			unreserve(size);
	}

	void do_find(Pair &pair)
	{
		static const int spaces[] = {VMFS_NO_SPACE, VMFS_ANY_SPACE, VMFS_ALIGNED_SPACE};
		ModelRange range = some_range_kind();
		vm_size_t size = some_size();
		vm_offset_t start, end, model_addr;
		int space = spaces[random(3)], rv, model_rv;

		some_range(*pair.model, &start, &end);
		if (one_in(4))
			size = SUPERPAGE_SIZE + ptoa(random(2));
		range.cow = one_in(2) ? MAP_NOFAULT : 0;
		range.kind = range.cow != 0 ? ModelPage::NOFAULT : ModelPage::ANON;
		say("vm_map_find", start, size, (uint64_t)space);
		model_addr = start;
		model_rv = model_find(*pair.model, &model_addr, size, space, range);
		rv = vm_map_find(pair.real, nullptr, 0, &start, size, space, range.prot, range.max,
				 range.cow);
		outcome(rv == KERN_SUCCESS);
		same("return", rv, model_rv);
		same("address", start, model_addr);
	}

	static int model_find(MapModel &model, vm_offset_t *addr, vm_size_t size, int space,
			      const ModelRange &range)
	{
		vm_offset_t align =
		    space == VMFS_ALIGNED_SPACE && size >= SUPERPAGE_SIZE ? SUPERPAGE_SIZE : 1;
		vm_offset_t found = *addr;
		int rv;

		if (size == 0 || *addr + size < *addr)
			return KERN_INVALID_ADDRESS;
		if (space != VMFS_NO_SPACE && !model.findspace(*addr, size, align, &found))
			return KERN_NO_SPACE;
		rv = model.insert(found, found + size, range);
		if (rv == KERN_SUCCESS)
			*addr = found;
		return rv;
	}

	void do_clip(Pair &pair)
	{
		vm_offset_t va = pair.model->min + ptoa(random(pair.model->pages.size()));
		const ModelPage &page = pair.model->at(va);
		vm_map_entry_t entry;

		if (page.kind == ModelPage::FREE || page.kind == ModelPage::SUBMAP)
			return;
		say("vm_map_clip", va);
		vm_map_lock(pair.real);
		ASSERT_TRUE(vm_map_lookup_entry(pair.real, va, &entry));
		same("clip_start", vm_map_clip_start(pair.real, entry, va), KERN_SUCCESS);
		same("starts", entry->start, va);
		same("clip_end", vm_map_clip_end(pair.real, entry, va + PAGE_SIZE), KERN_SUCCESS);
		same("ends", entry->end, va + PAGE_SIZE);
		entry = vm_map_simplify_entry(pair.real, entry);
		same("start", entry->start, pair.model->entry_start(va));
		same("end", entry->end, pair.model->entry_end(va));
		vm_map_unlock(pair.real);
		outcome(true);
	}

	void do_submap(Pair &pair)
	{
		vm_size_t most = pair.model->pages.size() / 4, pages, align;
		bool aligned = one_in(4);
		size_t parent = (size_t)(&pair - maps_.data());
		vm_offset_t start;

		if (maps_.size() >= MAPS_MAX || pair.depth >= 3 || most < SUBMAP_PAGES_MIN)
			return;
		pages = SUBMAP_PAGES_MIN + random(most);
		align = aligned && ptoa(pages) >= SUPERPAGE_SIZE ? SUPERPAGE_SIZE : 1;
		if (!pair.model->findspace(pair.model->min, ptoa(pages), align, &start))
			return;
		say("kmem_suballoc", pages, aligned);
		add_submap(pair.real, &pair, ptoa(pages), aligned);
		same("address", maps_.back().model->min, start);
		for (vm_offset_t va = start; va < start + ptoa(pages); va += PAGE_SIZE) {
			ModelPage page;

			page.kind = ModelPage::SUBMAP;
			page.object = (unsigned)maps_.size() - 1;
			maps_[parent].model->at(va) = page;
		}
	}

	/* A map in a place that does not take it. */
	void do_submap_refused(Pair &pair)
	{
		struct vm_map unused;
		vm_offset_t start, end;

		some_range(*pair.model, &start, &end);
		if (((start | end) & PAGE_MASK) != 0 || start >= end || start < pair.model->min ||
		    end > pair.model->max || plain(*pair.model, start, end))
			return;
		say("vm_map_submap", start, end);
		vm_map_init(&unused, "unused", kernel_pmap, start, end, false);
		outcome(false);
		same("return", vm_map_submap(pair.real, start, end, &unused),
		     KERN_INVALID_ARGUMENT);
	}

	/* Is the range within one entry that could become a submap? */
	static bool plain(const MapModel &model, vm_offset_t start, vm_offset_t end)
	{
		const ModelPage &page = model.at(start);

		return page.kind == ModelPage::ANON && page.object == 0 && page.wired == 0 &&
		       !page.charged && !page.attr && model.entry_end(start) >= end;
	}

	/* --- What can be done with a range --- */

	void do_protect(Pair &pair)
	{
		vm_offset_t start, end;
		bool set_max = one_in(8);
		vm_prot_t prot = set_max && one_in(2) ? VM_PROT_ALL : some_prot();
		int rv;

		some_range(*pair.model, &start, &end);
		say("vm_map_protect", start, end, (uint64_t)set_max << 8 | prot);
		rv = vm_map_protect(pair.real, start, end, prot, set_max);
		outcome(rv == KERN_SUCCESS);
		same("return", rv,
		     pair.model->protect(trunc_page(start), round_page(end), prot, set_max));
	}

	enum Supply { ENOUGH, UNSURE, SHORT };

	/* Are there pages for so many more? */
	static Supply supply(vm_size_t pages)
	{
		uint64_t free = vm_page_free_count();

		if (pages > free)
			return SHORT;
		return pages + UNSURE_PAGES <= free ? ENOUGH : UNSURE;
	}

	void do_wire(Pair &pair)
	{
		vm_offset_t start, end, first, last;
		int rv;

		some_range(*pair.model, &start, &end);
		first = trunc_page(start);
		last = round_page(end);
		if (pair.model->covered(first, last) &&
		    supply(pair.model->missing(first, last)) != ENOUGH)
			return;
		say("vm_map_wire", start, end);
		rv = vm_map_wire(pair.real, start, end, VM_MAP_WIRE_SYSTEM | VM_MAP_WIRE_NOHOLES);
		outcome(rv == KERN_SUCCESS);
		same("return", rv, pair.model->wire(first, last));
	}

	void do_unwire(Pair &pair)
	{
		vm_offset_t start, end;
		int rv;

		some_range(*pair.model, &start, &end);
		say("vm_map_unwire", start, end);
		rv = vm_map_unwire(pair.real, start, end, VM_MAP_WIRE_SYSTEM);
		outcome(rv == KERN_SUCCESS);
		same("return", rv, pair.model->unwire(trunc_page(start), round_page(end)));
	}

	/* --- The way back --- */

	void do_remove(Pair &pair)
	{
		vm_offset_t start, end;
		bool locked = one_in(2);
		int rv;

		some_range(*pair.model, &start, &end);
		if (end < start || end > pair.model->max + SUPERPAGE_SIZE)
			return;
		if (one_in(256) && maps_.size() == 1) {
			start = pair.model->min;
			end = pair.model->max;
		}
		say(locked ? "vm_map_delete" : "vm_map_remove", start, end);
		if (locked) {
			start = start < pair.model->min ? pair.model->min : start;
			end = end > pair.model->max ? pair.model->max : end;
			vm_map_lock(pair.real);
			rv = vm_map_delete(pair.real, start, end);
			vm_map_unlock(pair.real);
		} else {
			rv = vm_map_remove(pair.real, start, end);
		}
		outcome(rv == KERN_SUCCESS);
		same("return", rv, pair.model->remove(trunc_page(start), round_page(end)));
	}

	void do_free(Pair &pair)
	{
		vm_offset_t start, end;
		bool wakeup = one_in(2);

		uint64_t refused = kmem_free_refused_count();
		bool good;

		some_range(*pair.model, &start, &end);
		good = start < end && pair.model->covered(trunc_page(start), round_page(end));
		if (!good && !one_in(4))
			return;
		say(wakeup ? "kmem_free_wakeup" : "kmem_free", start, end);
		if (wakeup)
			kmem_free_wakeup(pair.real, start, end - start);
		else
			kmem_free(pair.real, start, end - start);
		if (good)
			pair.model->remove(trunc_page(start), round_page(end));
		same("refused", kmem_free_refused_count() - refused, !good && start != end);
		outcome(good);
	}
};

} // namespace quire

#endif
