// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random changes of the page table, against a list of what should be mapped where. After each,
 * some CPU looks at some addresses through its own TLB: it must find what the model says.
 */
#include <map>
#include <optional>

#include "tests/host/vm/pmap_fixture.h"

namespace quire
{
namespace
{

constexpr unsigned REGIONS = 3, PER_REGION = MMU_TABLE_ENTRIES, PAGES = REGIONS * PER_REGION;

class PmapModelTest : public PmapTest
{
      protected:
	struct Mapping {
		vm_page_t page;
		vm_prot_t prot;
	};

	void run_model(unsigned cpus, uint64_t seed, unsigned steps)
	{
		config.speculate_ppm = 50 * 1000;
		boot_pmap(cpus, seed);
		cpus_ = cpus;
		model_.assign(PAGES, std::nullopt);
		small_.clear();
		large_.clear();
		for (unsigned i = 0; i < 16; i++)
			small_.push_back(new_page());
		for (unsigned i = 0; i < REGIONS; i++)
			large_.push_back(new_run());
		ASSERT_EQ(pmap_growkernel(VA, VA + ptoa(PAGES)), KERN_SUCCESS);
		for (unsigned i = 0; i < steps && !HasFailure(); i++) {
			change();
			look();
			if ((i & (i - 1)) == 0) {
				look_at_all();
				EXPECT_TRUE(sound());
			}
		}
		finish();
	}

      private:
	unsigned random(unsigned limit)
	{
		return (unsigned)host_random(limit);
	}

	vm_prot_t random_prot()
	{
		const vm_prot_t prots[] = {R, RW, RX};

		return prots[random(3)];
	}

	/* Small ranges mostly; whole regions at times. */
	void random_range(unsigned *from, unsigned *to)
	{
		if (random(4) == 0) {
			*from = random(REGIONS) * PER_REGION;
			*to = *from + PER_REGION;
			return;
		}
		*from = random(PAGES);
		*to = *from + 1 + random(random(2) ? 8 : 700);
		*to = *to < PAGES ? *to : PAGES;
	}

	static vm_offset_t address(unsigned i)
	{
		return VA + ptoa(i);
	}

	bool is_empty(unsigned from, unsigned to)
	{
		for (unsigned i = from; i < to; i++)
			if (model_[i])
				return false;
		return true;
	}

	void change()
	{
		switch (random(7)) {
		case 0:
		case 1:
			return enter_some();
		case 2:
			return enter_one_large();
		case 3:
			return remove_range();
		case 4:
		case 5:
			return protect_range();
		case 6:
			return borrow();
		}
	}

	void enter_some()
	{
		unsigned at = random(PAGES), n = 1 + random(16);

		for (unsigned i = at; i < at + n && i < PAGES; i++) {
			Mapping now = {small_[random((unsigned)small_.size())], random_prot()};

			if (model_[i])
				continue;
			ASSERT_EQ(enter(address(i), now.page, now.prot, random(2) != 0),
				  KERN_SUCCESS);
			model_[i] = now;
		}
	}

	void enter_one_large()
	{
		unsigned region = random(REGIONS), from = region * PER_REGION;
		vm_prot_t prot = random_prot();

		if (!is_empty(from, from + PER_REGION))
			return;
		vm_page_t run = large_[random(REGIONS)];
		ASSERT_EQ(pmap_enter_large(kernel_pmap, address(from), run, prot, true),
			  KERN_SUCCESS);
		for (unsigned i = 0; i < PER_REGION; i++)
			model_[from + i] = {run + i, prot};
	}

	void remove_range()
	{
		unsigned from, to;

		random_range(&from, &to);
		ASSERT_EQ(pmap_remove(kernel_pmap, address(from), address(to)), KERN_SUCCESS);
		host_assert_no_translation(address(from), address(to));
		for (unsigned i = from; i < to; i++)
			model_[i].reset();
	}

	void protect_range()
	{
		unsigned from, to;
		vm_prot_t prot = random_prot();

		random_range(&from, &to);
		ASSERT_EQ(pmap_protect(kernel_pmap, address(from), address(to), prot),
			  KERN_SUCCESS);
		for (unsigned i = from; i < to; i++)
			if (model_[i])
				model_[i]->prot = prot;
	}

	/* A temporary mapping, used by a CPU, and gone again. */
	void borrow()
	{
		unsigned at = random(PAGES - 4);
		vm_page_t pages[4];

		if (!is_empty(at, at + 4))
			return;
		for (vm_page_t &m : pages)
			m = small_[random((unsigned)small_.size())];
		pmap_qenter(address(at), pages, 4);
		on(random(cpus_), [&] {
			for (unsigned i = 0; i < 4; i++)
				EXPECT_EQ(host_load64(address(at + i)), VM_PAGE_TO_PHYS(pages[i]));
		});
		pmap_qremove(address(at), 4);
		host_assert_no_translation(address(at), address(at + 4));
	}

	/* On the CPU that looks. */
	void expect_as_modelled(unsigned i)
	{
		vm_offset_t va = address(i);
		vm_prot_t prot = model_[i] ? model_[i]->prot : VM_PROT_NONE;

		EXPECT_EQ(may(va, HOST_READ), prot != VM_PROT_NONE) << i;
		EXPECT_EQ(may(va, HOST_WRITE), (prot & VM_PROT_WRITE) != 0) << i;
		EXPECT_EQ(may(va, HOST_EXECUTE), (prot & VM_PROT_EXECUTE) != 0) << i;
		if (prot != VM_PROT_NONE) {
			EXPECT_EQ(host_load64(va), VM_PAGE_TO_PHYS(model_[i]->page)) << i;
		}
		EXPECT_EQ(pmap_kextract(va), model_[i] ? VM_PAGE_TO_PHYS(model_[i]->page) : 0);
	}

	void look()
	{
		on(random(cpus_), [this] {
			unsigned at = random(PAGES);

			for (unsigned i = 0; i < 10; i++)
				expect_as_modelled((at + i * 37) % PAGES);
		});
	}

	void look_at_all()
	{
		on_each([this] {
			for (unsigned i = 0; i < PAGES; i++)
				expect_as_modelled(i);
		});
	}

	/* Everything is unmapped, and can be freed under the eyes of the oracle. */
	void finish()
	{
		ASSERT_EQ(pmap_remove(kernel_pmap, VA, address(PAGES)), KERN_SUCCESS);
		for (vm_page_t m : small_)
			give_back(m);
		for (vm_page_t run : large_)
			for (unsigned i = 0; i < PER_REGION; i++)
				give_back(run + i);
		EXPECT_EQ(kernel_pmap->large_mapped, 0u);
		EXPECT_EQ(kernel_pmap->table_pages, 2u + REGIONS);
		EXPECT_TRUE(sound());
	}

	unsigned cpus_ = 0;
	std::vector<std::optional<Mapping>> model_;
	std::vector<vm_page_t> small_, large_;
};

TEST_F(PmapModelTest, EveryCpuSeesWhatTheModelSays)
{
	for (unsigned cpus : {1u, 2u, 3u})
		for (uint64_t seed = 1; seed <= 4 && !HasFailure(); seed++)
			run_model(cpus, seed, 400);
}

} // namespace
} // namespace quire
