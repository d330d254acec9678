// SPDX-License-Identifier: BSD-2-Clause
// A trace of calls to zones, beside a table of who has what.
#include <cstring>
#include <vector>

#include "tests/fuzz/vm_machine.h"
#include "vm/uma.h"
#include "vm/uma_private.h"

namespace
{

struct Item {
	void *ptr;
	unsigned zone;
	int value; // what its bytes were filled with
};

struct Zone {
	uma_zone_t zone;
	int align;
	bool debug;
	int live, limit;
};

class ZoneTrace : public fuzz::VmMachine
{
      public:
	ZoneTrace(const uint8_t *data, size_t size) : input_(data, size)
	{
	}

	void run()
	{
		begin();
		while (!input_.empty())
			step();
		finish();
		end();
	}

      private:
	enum : size_t { ZONES_MAX = 6, ITEMS_MAX = 300 };

	void step()
	{
		switch (input_.below(16)) {
		case 0:
			return create();
		case 1:
			return destroy();
		case 2:
			return reclaim();
		case 3:
			return set_limit();
		case 4:
			return prealloc();
		case 5:
			return bad_free();
		case 6:
		case 7:
		case 8:
		case 9:
			return free_one();
		default:
			return alloc();
		}
	}

	void create()
	{
		size_t size = input_.any_size();
		unsigned kind = input_.u8();
		int align = (kind & 1) != 0 ? int(input_.any_size()) : UMA_ALIGN_PTR;
		Zone z = {nullptr, align, (kind & 2) != 0, 0, 0};

		if (zones_.size() == ZONES_MAX)
			return;
		uma_set_debug(z.debug);
		z.zone = uma_zcreate("fuzz", size, nullptr, nullptr, nullptr, nullptr, align,
				     (kind & 4) != 0 ? UMA_ZONE_ZINIT : 0);
		// Sizes and alignments that make sense, and memory is there.
		if (size != 0 && size <= PAGE_SIZE && align == UMA_ALIGN_PTR)
			FUZZ_REQUIRE(z.zone != nullptr, "size %zu", size);
		if (z.zone == nullptr)
			return;
		FUZZ_REQUIRE(uma_zone_item_size(z.zone) >= size, "size %zu", size);
		zones_.push_back(z);
	}

	Zone *some_zone()
	{
		return zones_.empty() ? nullptr : &zones_[input_.below(zones_.size())];
	}

	void destroy()
	{
		Zone *z = some_zone();

		if (z == nullptr)
			return;
		FUZZ_REQUIRE(uma_zdestroy(z->zone) == (z->live == 0));
		if (z->live != 0)
			return;
		unsigned gone = unsigned(z - zones_.data());
		zones_.erase(zones_.begin() + gone);
		for (Item &item : items_)
			item.zone -= item.zone > gone;
	}

	void reclaim()
	{
		Zone *z = some_zone();

		if (z != nullptr && input_.below(4) != 0)
			uma_zone_reclaim(z->zone);
		else
			uma_reclaim();
	}

	void set_limit()
	{
		Zone *z = some_zone();

		if (z == nullptr)
			return;
		z->limit = int(input_.below(64));
		uma_zone_set_max(z->zone, z->limit);
	}

	void prealloc()
	{
		Zone *z = some_zone();

		if (z != nullptr)
			uma_prealloc(z->zone, int(input_.below(64)));
	}

	void alloc()
	{
		Zone *z = some_zone();
		int flags = M_NOWAIT | (input_.below(4) == 0 ? M_ZERO : 0);
		size_t size;
		void *ptr;

		if (z == nullptr || items_.size() == ITEMS_MAX)
			return;
		size = uma_zone_item_size(z->zone);
		ptr = uma_zalloc(z->zone, flags);
		FUZZ_REQUIRE(ptr == nullptr || z->limit == 0 || z->live < z->limit, "limit %d",
			     z->limit);
		if (ptr == nullptr)
			return;
		FUZZ_REQUIRE((uintptr_t(ptr) & uintptr_t(z->align)) == 0, "at %p", ptr);
		FUZZ_REQUIRE(uma_zone_of(ptr) == z->zone);
		if ((flags & M_ZERO) != 0)
			FUZZ_REQUIRE(uma_bytes_differ(ptr, 0, size, 0) == size, "not zero");
		items_.push_back({ptr, unsigned(z - zones_.data()), int(input_.u8())});
		uma_bytes_fill(ptr, 0, size, items_.back().value);
		z->live++;
		FUZZ_REQUIRE(uma_zone_get_cur(z->zone) == z->live);
	}

	void require_contents(const Item &item)
	{
		size_t size = uma_zone_item_size(zones_[item.zone].zone);

		FUZZ_REQUIRE(uma_bytes_differ(item.ptr, 0, size, item.value) == size,
			     "an item of %zu bytes was changed by somebody else", size);
	}

	void free_one()
	{
		if (items_.empty())
			return;
		size_t i = input_.below(items_.size());
		Item item = items_[i];
		Zone &z = zones_[item.zone];

		require_contents(item);
		items_.erase(items_.begin() + long(i));
		uma_zfree(z.zone, item.ptr);
		z.live--;
		// Debug zones know a second free; the item is still free, and nobody else's.
		if (z.debug && input_.below(8) == 0)
			require_refused(z.zone, item.ptr);
	}

	void require_refused(uma_zone_t zone, void *ptr)
	{
		uint64_t before = uma_free_refused_count();

		uma_zfree(zone, ptr);
		FUZZ_REQUIRE(uma_free_refused_count() == before + 1, "a bad free was taken");
	}

	// Of what no zone has handed out, or of another zone's.
	void bad_free()
	{
		Zone *z = some_zone();

		if (z == nullptr || !z->debug)
			return;
		if (items_.empty() || input_.below(2) == 0)
			return require_refused(z->zone, &zones_);
		const Item &item = items_[input_.below(items_.size())];

		if (zones_[item.zone].zone != z->zone)
			require_refused(z->zone, item.ptr);
		else if (uma_zone_item_size(z->zone) > 16)
			require_refused(z->zone, static_cast<char *>(item.ptr) + 8);
	}

	void finish()
	{
		require_audit();
		for (const Item &item : items_) {
			require_contents(item);
			uma_zfree(zones_[item.zone].zone, item.ptr);
		}
		for (const Zone &z : zones_)
			FUZZ_REQUIRE(uma_zdestroy(z.zone), "a zone without items stays");
		uma_set_debug(true);
	}

	fuzz::Input input_;
	std::vector<Zone> zones_;
	std::vector<Item> items_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ZoneTrace(data, size).run();
	return 0;
}
