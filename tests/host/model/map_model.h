/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an address map must do, said as simply as possible: a sorted array with one element for
 * each page. It has no entries, no locks and no memory of its own; entries are the longest runs of
 * pages that are alike. Every operation is a loop over pages.
 */
#ifndef QUIRE_TESTS_HOST_MODEL_MAP_MODEL_H
#define QUIRE_TESTS_HOST_MODEL_MAP_MODEL_H

#include <functional>
#include <vector>

#include "vm/vm_map.h"
#include "vm/vm_param.h"

namespace quire
{

struct ModelPage {
	enum Kind : uint8_t { FREE, NOFAULT, ANON, KERNEL, KMEM, SUBMAP };

	Kind kind = FREE;
	vm_prot_t prot = VM_PROT_NONE, max = VM_PROT_NONE;
	bool charged = false, attr = false;
	bool resident = false, mapped = false; /* KERNEL and KMEM; others come when touched */
	bool known = false;                    /* what it holds */
	uint64_t content = 0;                  /* first and last word */
	uint32_t wired = 0;
	unsigned object = 0;   /* ANON: which; 0 = none yet. SUBMAP: which map. */
	vm_pindex_t index = 0; /* ANON with an object: page of it */
};

/* Does `b`, the page behind `a`, belong to the same entry? */
inline bool alike(const ModelPage &a, const ModelPage &b)
{
	if (a.kind != b.kind || a.object != b.object)
		return false;
	if (a.kind == ModelPage::SUBMAP)
		return true;
	return a.kind != ModelPage::FREE && a.prot == b.prot && a.max == b.max &&
	       a.wired == b.wired && a.charged == b.charged && a.attr == b.attr &&
	       (a.object == 0 || a.index + 1 == b.index);
}

struct ModelSwap {
	vm_size_t reserved = 0, limit = 0;

	bool reserve(vm_size_t size)
	{
		bool fits = reserved <= limit && size <= limit - reserved;

		reserved += fits ? size : 0;
		return fits;
	}
};

/* What is inserted. */
struct ModelRange {
	ModelPage::Kind kind; /* NOFAULT, ANON, KERNEL or KMEM */
	vm_prot_t prot, max;
	int cow;
	unsigned object; /* ANON: 0 = none yet */
	vm_ooffset_t offset;
};

class MapModel
{
      public:
	MapModel(vm_offset_t min, vm_offset_t max, ModelSwap *swap, unsigned *objects)
	    : min(min), max(max), pages(atop(max - min)), swap_(swap), objects_(objects)
	{
	}

	const vm_offset_t min, max;
	std::vector<ModelPage> pages;

	bool inside(vm_offset_t va) const
	{
		return va >= min && va < max;
	}
	ModelPage &at(vm_offset_t va)
	{
		return pages[atop(va - min)];
	}
	const ModelPage &at(vm_offset_t va) const
	{
		return pages[atop(va - min)];
	}

	unsigned entries() const
	{
		unsigned count = 0;

		for (size_t i = 0; i < pages.size(); i++)
			count += pages[i].kind != ModelPage::FREE &&
				 (i == 0 || !alike(pages[i - 1], pages[i]));
		return count;
	}

	/* Entries that refer to an anonymous object. */
	unsigned holders(unsigned object) const
	{
		unsigned count = 0;

		for (size_t i = 0; i < pages.size(); i++)
			count += pages[i].kind == ModelPage::ANON && pages[i].object == object &&
				 (i == 0 || !alike(pages[i - 1], pages[i]));
		return count;
	}

	vm_size_t size() const
	{
		vm_size_t count = 0;

		for (const ModelPage &page : pages)
			count += page.kind != ModelPage::FREE;
		return ptoa(count);
	}

	/* The entry that holds va, which is not free. */
	vm_offset_t entry_start(vm_offset_t va) const
	{
		size_t i = atop(va - min);

		while (i > 0 && alike(pages[i - 1], pages[i]))
			i--;
		return min + ptoa(i);
	}
	vm_offset_t entry_end(vm_offset_t va) const
	{
		size_t i = atop(va - min) + 1;

		while (i < pages.size() && alike(pages[i - 1], pages[i]))
			i++;
		return min + ptoa(i);
	}

	/* Lowest first fit; `align` is a power of two, of whole pages unless it is 1. */
	bool findspace(vm_offset_t start, vm_size_t length, vm_offset_t align,
		       vm_offset_t *addr) const
	{
		if (start < min)
			start = min;
		if (length == 0)
			return false;
		for (start = up(start, align); start < max && length <= max - start;) {
			vm_offset_t taken = first_taken(start, start + length);

			if (taken == start + length) {
				*addr = start;
				return true;
			}
			start = up(taken + PAGE_SIZE, align);
		}
		return false;
	}

	/* Whole pages; all, or any, in [start, end) satisfy `is`. */
	bool all(vm_offset_t start, vm_offset_t end,
		 const std::function<bool(const ModelPage &)> &is) const
	{
		if (start < min || end > max || start >= end)
			return false;
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
			if (!is(at(va)))
				return false;
		return true;
	}
	bool covered(vm_offset_t start, vm_offset_t end) const
	{
		return all(start, end, [](const ModelPage &page) {
			return page.kind != ModelPage::FREE && page.kind != ModelPage::SUBMAP;
		});
	}
	bool has_submap(vm_offset_t start, vm_offset_t end) const
	{
		start = start < min ? min : start;
		end = end > max ? max : end;
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
			if (at(va).kind == ModelPage::SUBMAP)
				return true;
		return false;
	}

	/* What vm_map_insert must return; what it must do, if that is KERN_SUCCESS. */
	int insert(vm_offset_t start, vm_offset_t end, const ModelRange &range)
	{
		int rv = insert_check(start, end, range);
		bool pageable = range.kind == ModelPage::ANON && range.object == 0;
		bool charged = (range.cow & MAP_ACC_CHARGED) != 0;

		if (rv != KERN_SUCCESS)
			return rv;
		if (first_taken(start, end) != end)
			return KERN_NO_SPACE;
		if (pageable && (range.cow & (MAP_ACC_CHARGED | MAP_ACC_NO_CHARGE)) == 0) {
			if (!swap_->reserve(end - start))
				return KERN_RESOURCE_SHORTAGE;
			charged = true;
		}
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
			ModelPage page;

			page.kind = range.kind;
			page.prot = range.prot;
			page.max = range.max;
			page.charged = charged;
			page.object = range.object;
			page.index = range.object != 0 ? atop(range.offset + (va - start)) : 0;
			page.known = range.kind == ModelPage::ANON;
			at(va) = page;
		}
		return KERN_SUCCESS;
	}

	/* [start, end), cut to the map; whole pages. */
	int remove(vm_offset_t start, vm_offset_t end)
	{
		start = start < min ? min : start;
		end = end > max ? max : end;
		if (has_submap(start, end))
			return KERN_INVALID_ARGUMENT;
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
			swap_->reserved -= at(va).charged ? PAGE_SIZE : 0;
			at(va) = ModelPage();
		}
		return KERN_SUCCESS;
	}

	int protect(vm_offset_t start, vm_offset_t end, vm_prot_t prot, bool set_max)
	{
		if (start >= end)
			return KERN_INVALID_ADDRESS;
		if (has_submap(start, end))
			return KERN_INVALID_ARGUMENT;
		if (!covered(start, end))
			return KERN_INVALID_ADDRESS;
		if (!all(start, end,
			 [prot](const ModelPage &page) { return (prot & ~page.max) == 0; }))
			return KERN_PROTECTION_FAILURE;
		if (!set_max && (prot & VM_PROT_WRITE) && (prot & VM_PROT_EXECUTE))
			return KERN_PROTECTION_FAILURE;
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
			ModelPage &page = at(va);

			if (set_max)
				page.max = prot;
			page.prot = set_max ? page.prot & prot : prot;
			if (page.prot == VM_PROT_NONE)
				page.mapped = false;
			else if (page.wired != 0)
				page.mapped = true;
		}
		return KERN_SUCCESS;
	}

	/* Pages that a wiring would have to bring in. */
	vm_size_t missing(vm_offset_t start, vm_offset_t end) const
	{
		vm_size_t count = 0;

		if (start >= min && end <= max)
			for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
				count += at(va).wired == 0 && !at(va).resident;
		return count;
	}

	int wire(vm_offset_t start, vm_offset_t end)
	{
		if (!covered(start, end) || !all(start, end, [](const ModelPage &page) {
			    return page.kind != ModelPage::NOFAULT;
		    }))
			return KERN_INVALID_ADDRESS;
		if (!all(start, end,
			 [](const ModelPage &page) { return page.prot != VM_PROT_NONE; }))
			return KERN_PROTECTION_FAILURE;
		need_objects(start, end);
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
			wire_page(at(va));
		return KERN_SUCCESS;
	}

	/* Every entry, or part of one, that has no object gets one. */
	void need_objects(vm_offset_t start, vm_offset_t end)
	{
		bool more = false;

		for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
			ModelPage &page = at(va);
			bool goes_on = more && va > start;

			if (page.kind != ModelPage::ANON || page.object != 0) {
				more = false;
				continue;
			}
			more = va + PAGE_SIZE < end && alike(page, at(va + PAGE_SIZE));
			page.index = goes_on ? at(va - PAGE_SIZE).index + 1 : 0;
			page.object = goes_on ? *objects_ : ++*objects_;
		}
	}

	int unwire(vm_offset_t start, vm_offset_t end)
	{
		if (!covered(start, end))
			return KERN_INVALID_ADDRESS;
		if (!all(start, end, [](const ModelPage &page) { return page.wired != 0; }))
			return KERN_INVALID_ARGUMENT;
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
			at(va).wired--;
		return KERN_SUCCESS;
	}

	/* May this access be made, perhaps with the help of a fault? */
	static bool accessible(const ModelPage &page, vm_prot_t access)
	{
		switch (page.kind) {
		case ModelPage::ANON:
			return (page.prot & access) != 0;
		case ModelPage::KERNEL:
		case ModelPage::KMEM:
			return page.mapped && (page.prot & access) != 0;
		default:
			return false;
		}
	}

      private:
	static vm_offset_t up(vm_offset_t va, vm_offset_t align)
	{
		return (va + align - 1) & ~(align - 1);
	}

	/* The first page of [start, end) that is taken, or end. */
	vm_offset_t first_taken(vm_offset_t start, vm_offset_t end) const
	{
		for (vm_offset_t va = trunc_page(start); va < end; va += PAGE_SIZE)
			if (at(va).kind != ModelPage::FREE)
				return va;
		return end;
	}

	int insert_check(vm_offset_t start, vm_offset_t end, const ModelRange &range) const
	{
		if (start < min || end > max || start >= end)
			return KERN_INVALID_ADDRESS;
		if (((start | end | range.offset) & PAGE_MASK) != 0)
			return KERN_INVALID_ARGUMENT;
		if ((range.prot & ~range.max) != 0)
			return KERN_INVALID_ARGUMENT;
		if ((range.cow & MAP_NOFAULT) != 0 && range.kind != ModelPage::NOFAULT)
			return KERN_INVALID_ARGUMENT;
		if ((range.prot & VM_PROT_WRITE) && (range.prot & VM_PROT_EXECUTE))
			return KERN_PROTECTION_FAILURE;
		return KERN_SUCCESS;
	}

	static void wire_page(ModelPage &page)
	{
		if (page.wired++ != 0)
			return;
		if (!page.resident && page.kind != ModelPage::ANON) {
			page.known = true;
			page.content = 0;
		}
		page.resident = page.kind != ModelPage::ANON;
		page.mapped = true;
	}

	ModelSwap *swap_;
	unsigned *objects_; /* the latest number given to an object */
};

} // namespace quire

#endif
