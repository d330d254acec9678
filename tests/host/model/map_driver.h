/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps and their models side by side: what the operations of the model test share. Every random
 * choice comes from one seed; the first difference ends the run and names seed and operation.
 */
#ifndef QUIRE_TESTS_HOST_MODEL_MAP_DRIVER_H
#define QUIRE_TESTS_HOST_MODEL_MAP_DRIVER_H

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "tests/host/model/map_model.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_swap.h"

namespace quire
{

class MapDriver : public VmTest
{
      protected:
	struct Pair {
		vm_map_t real;
		std::unique_ptr<MapModel> model;
		unsigned depth;
	};

	/* Where the run is, for a failure's message; static: a panic asks as well. */
	struct Where {
		uint64_t seed, number;
		const char *name;
		uint64_t args[3];
	};
	static inline Where where_;

	static std::string where()
	{
		char text[200];

		snprintf(text, sizeof(text), "seed %llu, operation %llu: %s(%#llx, %#llx, %#llx)\n",
			 (unsigned long long)where_.seed, (unsigned long long)where_.number,
			 where_.name, (unsigned long long)where_.args[0],
			 (unsigned long long)where_.args[1], (unsigned long long)where_.args[2]);
		return text;
	}

	static void print_where_on_abort(int)
	{
		std::string text = where();

		(void)!write(STDERR_FILENO, text.data(), text.size());
		signal(SIGABRT, SIG_DFL);
		abort();
	}

	void say(const char *name, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0)
	{
		where_.name = name;
		where_.args[0] = a;
		where_.args[1] = b;
		where_.args[2] = c;
	}

	void same(const char *what, uint64_t real, uint64_t model)
	{
		if (real == model || failed_)
			return;
		failed_ = true;
		ADD_FAILURE() << where() << what << ": is " << std::hex << real
			      << ", the model says " << model;
	}

	/* Counts what was tried, so that a run which tests nothing is noticed. */
	void outcome(bool success)
	{
		struct Outcomes &outcomes = outcomes_[where_.name];

		(success ? outcomes.good : outcomes.refused)++;
	}

	/* --- The machine --- */

	static constexpr vm_size_t RAM = 10 << 20;
	static constexpr size_t MAPS_MAX = 5;
	static constexpr vm_size_t SUBMAP_PAGES_MIN = 16;
	/* Pages in magazines and reserves: a request may or may not get them. */
	static constexpr uint64_t UNSURE_PAGES = 160;

	/* A machine with an empty map of 4 to 16 MiB; every seed its own shape. */
	void begin(uint64_t seed, unsigned cpus)
	{
		struct host_config config = {};
		vm_size_t size = SUPERPAGE_SIZE << (1 + random(3));

		config.cpus = cpus;
		config.seed = seed;
		config.ranges[0] = {0, RAM, 0};
		config.range_count = 1;
		config.fill_ram = true;
		map_sizes_ = {2 << 20, 2 << 20, 2 << 20, 2 << 20};
		boot(config);
		kmem_free_set_strict(false); /* a bad free is refused, and changes nothing */
		swap_ = ModelSwap();
		swap_.limit = swap_limit();
		objects_ = 0;
		add_submap(kernel_map, nullptr, size, true);
		resident_before_ = resident();
	}

	void end()
	{
		maps_.clear();
		kmem_free_set_strict(true);
		shut_down();
	}

	/* A map inside of `parent`, which has room for it. */
	void add_submap(vm_map_t parent, Pair *pair, vm_size_t size, bool aligned)
	{
		vm_offset_t start, stop;
		vm_map_t real = kmem_suballoc(parent, &start, &stop, size, aligned);

		real->system_map = random(2) != 0;
		real->name = "model map";
		maps_.push_back({real, std::make_unique<MapModel>(start, stop, &swap_, &objects_),
				 pair != nullptr ? pair->depth + 1 : 0});
	}

	/* Pages of the two kernel objects. */
	static uint64_t resident()
	{
		return kernel_object->resident_page_count + kmem_object->resident_page_count;
	}

	/* --- Chance --- */

	uint64_t random(uint64_t limit)
	{
		return draw(limit);
	}
	/* A number below `limit`: from the seed, unless somebody else decides. */
	virtual uint64_t draw(uint64_t limit)
	{
		return random_() % limit;
	}
	bool one_in(uint64_t n)
	{
		return random(n) == 0;
	}

	/* Mostly a few pages; sometimes many. */
	vm_size_t some_pages()
	{
		switch (random(32)) {
		case 0:
			return 1 + random(700);
		case 1:
		case 2:
			return 1 + random(100);
		default:
			return 1 + random(8);
		}
	}

	/* What a request for memory asks; one in 32 is no size that can be. */
	vm_size_t some_size()
	{
		static const vm_size_t bad[] = {0,
						~(vm_size_t)0,
						~(vm_size_t)0 - PAGE_SIZE + 2,
						(vm_size_t)1 << 63,
						(vm_size_t)1 << 45,
						(vm_size_t)64 << 20};

		if (one_in(32))
			return bad[random(6)];
		return ptoa(some_pages()) - (one_in(4) ? random(PAGE_SIZE) : 0);
	}

	Pair &some_map()
	{
		return maps_[random(maps_.size())];
	}

	/* A range, mostly of whole pages in the map. */
	void some_range(const MapModel &model, vm_offset_t *start, vm_offset_t *end)
	{
		vm_size_t pages = model.pages.size(), first = random(pages);
		vm_size_t count = some_pages();

		/* Half of them begin where an entry does. */
		*start = model.min + ptoa(first);
		if (one_in(2) && model.at(*start).kind != ModelPage::FREE)
			*start = model.entry_start(*start);
		*end = *start + ptoa(count);
		if (*end > model.max && !one_in(8))
			*end = model.max;
		if (one_in(64))
			damage_range(model, start, end);
	}

	/* A range that was free, and may have been chosen a little too large. */
	void some_hole(const MapModel &model, vm_offset_t *start, vm_offset_t *end)
	{
		vm_size_t size = ptoa(some_pages());
		vm_offset_t from = model.min + ptoa(random(model.pages.size()));

		if (!model.findspace(from, size, 1, start) &&
		    !model.findspace(model.min, PAGE_SIZE, 1, start))
			*start = from;
		*end = *start + size;
	}

	void damage_range(const MapModel &model, vm_offset_t *start, vm_offset_t *end)
	{
		switch (random(6)) {
		case 0:
			*start += random(PAGE_SIZE);
			break;
		case 1:
			*end -= random(PAGE_SIZE);
			break;
		case 2:
			*end = *start;
			break;
		case 3:
			*start = model.min - PAGE_SIZE;
			break;
		case 4:
			*end = *start - PAGE_SIZE;
			break;
		default:
			*end = ~(vm_offset_t)0;
			break;
		}
	}

	vm_prot_t some_prot(bool executable = true)
	{
		static const vm_prot_t prots[] = {VM_PROT_RW,
						  VM_PROT_RW,
						  VM_PROT_READ,
						  VM_PROT_NONE,
						  VM_PROT_READ | VM_PROT_EXECUTE,
						  VM_PROT_ALL};

		return prots[random(executable ? 6 : 4)];
	}

	/* --- Comparing --- */

	/* A page that the models say something about, in whatever map it is; NULL outside of all.
	 */
	ModelPage *page_at(vm_offset_t va)
	{
		return page_in(0, va);
	}

	void compare_map(Pair &pair)
	{
		same("entries", pair.real->nentries, pair.model->entries());
		same("bytes in entries", pair.real->size, pair.model->size());
		same("swap reserved", swap_reserved(), swap_.reserved);
	}

	/* One entry in every detail. */
	void compare_entry(Pair &pair, vm_offset_t va)
	{
		const ModelPage &page = pair.model->at(va);
		vm_map_entry_t entry;
		bool found;

		vm_map_lock(pair.real);
		found = vm_map_lookup_entry(pair.real, va, &entry);
		vm_map_unlock(pair.real);
		same("taken", found, page.kind != ModelPage::FREE);
		if (!found || failed_)
			return;
		same("start", entry->start, pair.model->entry_start(va));
		same("end", entry->end, pair.model->entry_end(va));
		same("submap", (entry->eflags & MAP_ENTRY_IS_SUB_MAP) != 0,
		     page.kind == ModelPage::SUBMAP);
		if (page.kind == ModelPage::SUBMAP)
			return;
		same("protection", entry->protection, page.prot);
		same("maximum", entry->max_protection, page.max);
		same("wired", entry->wired_count, page.wired);
		same("charged", entry->charged, page.charged);
		same("no-fault", (entry->eflags & MAP_ENTRY_NOFAULT) != 0,
		     page.kind == ModelPage::NOFAULT);
		same("cache attribute", entry->has_memattr, page.attr);
		compare_object(pair, entry, page, va);
	}

	/* What a thread that loads, stores or executes there finds. */
	void compare_access(vm_offset_t va)
	{
		ModelPage *page = page_at(va);
		uint64_t words[2] = {0, 0};
		bool ok;

		ok = host_load_nofault(va, &words[0], 8) &&
		     host_load_nofault(va + PAGE_SIZE - 8, &words[1], 8);
		same("readable", ok, MapModel::accessible(*page, VM_PROT_READ));
		if (!ok || failed_)
			return;
		touched(va);
		if (!page->known) {
			page->known = words[1] == words[0];
			page->content = words[0];
			return;
		}
		same("first word", words[0], page->content);
		same("last word", words[1], page->content);
	}

	void store(vm_offset_t va, uint64_t content)
	{
		ModelPage *page = page_at(va);
		bool ok = host_store_nofault(va, &content, 8) &&
			  host_store_nofault(va + PAGE_SIZE - 8, &content, 8);

		same("writable", ok, MapModel::accessible(*page, VM_PROT_WRITE));
		if (!ok)
			return;
		touched(va);
		page->known = true;
		page->content = content;
	}

	void execute(vm_offset_t va)
	{
		bool ok = host_execute_nofault(va);

		same("executable", ok, MapModel::accessible(*page_at(va), VM_PROT_EXECUTE));
		if (ok)
			touched(va);
	}

	void compare_everything()
	{
		uint64_t pages = 0;

		same("audit", (bool)audit_ok_said(), true);
		for (Pair &pair : maps_) {
			compare_map(pair);
			for (vm_offset_t va = pair.model->min; va < pair.model->max;
			     va += PAGE_SIZE)
				pages += pair.model->at(va).resident;
			for (vm_offset_t va = pair.model->min; va < pair.model->max && !failed_;
			     va = next_entry(*pair.model, va))
				compare_entry(pair, va);
		}
		same("pages of the kernel's objects", resident() - resident_before_, pages);
	}

	static vm_offset_t next_entry(const MapModel &model, vm_offset_t va)
	{
		return model.at(va).kind == ModelPage::FREE ? va + PAGE_SIZE : model.entry_end(va);
	}

	/* A fault gives the whole entry an object. */
	void touched(vm_offset_t va)
	{
		for (Pair &pair : maps_) {
			MapModel &model = *pair.model;

			if (model.inside(va) && model.at(va).kind == ModelPage::ANON &&
			    model.at(va).object == 0)
				model.need_objects(model.entry_start(va), model.entry_end(va));
		}
	}

	struct Outcomes {
		uint64_t good = 0, refused = 0;
	};

	std::mt19937_64 random_;
	std::map<std::string_view, Outcomes> outcomes_;
	std::vector<Pair> maps_; /* [0] is the outermost */
	ModelSwap swap_;
	unsigned objects_ = 0;
	uint64_t resident_before_ = 0;
	bool failed_ = false;

      private:
	ModelPage *page_in(size_t map, vm_offset_t va)
	{
		ModelPage *page;

		if (!maps_[map].model->inside(va))
			return nullptr;
		page = &maps_[map].model->at(va);
		return page->kind == ModelPage::SUBMAP ? page_in(page->object, va) : page;
	}

	void compare_object(Pair &pair, vm_map_entry_t entry, const ModelPage &page, vm_offset_t va)
	{
		vm_object_t object = entry->object.vm_object;
		uint32_t holders = 0;

		switch (page.kind) {
		case ModelPage::KERNEL:
			same("is kernel_object's", object == kernel_object, true);
			return;
		case ModelPage::KMEM:
			same("is kmem_object's", object == kmem_object, true);
			return;
		default:
			same("has an object", object != nullptr, page.object != 0);
		}
		if (object == nullptr || failed_)
			return;
		same("offset", entry->offset,
		     ptoa(page.index) - (va - pair.model->entry_start(va)));
		for (Pair &other : maps_)
			holders += other.model->holders(page.object);
		same("references", atomic32_load(&object->ref_count, MO_RELAXED), holders);
	}

	bool audit_ok_said()
	{
		::testing::AssertionResult ok = audit_ok();

		EXPECT_TRUE(ok) << where();
		return ok;
	}
};

} // namespace quire

#endif
