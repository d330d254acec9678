// SPDX-License-Identifier: BSD-2-Clause
// A trace of calls to malloc, realloc and free, beside a table of who has what.
#include <cstring>
#include <vector>

#include "kernel/malloc/malloc.h"
#include "tests/fuzz/vm_machine.h"

namespace
{

MALLOC_DEFINE(M_FUZZ, "fuzz", "pieces of the trace");
MALLOC_DEFINE(M_ELSE, "else", "pieces of another type");

struct Piece {
	void *ptr;
	size_t size;
	uint8_t value;
	struct malloc_type *type;
};

class MallocTrace : public fuzz::VmMachine
{
      public:
	MallocTrace(const uint8_t *data, size_t size) : input_(data, size)
	{
	}

	void run()
	{
		unsigned setup = input_.u8();

		kmem_caches_ = (setup & 1) != 0;
		begin();
		uma_set_debug((setup & 2) != 0);
		malloc_startup();
		while (!input_.empty())
			step();
		finish();
		end();
	}

      private:
	enum : size_t { PIECES_MAX = 200, LARGE_MAX = 1 << 20 };

	void step()
	{
		switch (input_.below(16)) {
		case 0:
			uma_reclaim();
			break;
		case 1:
			kmem_cache_enable(input_.below(2) != 0);
			break;
		case 2:
			bad_free();
			break;
		case 3:
		case 4:
		case 5:
			resize();
			break;
		case 6:
		case 7:
		case 8:
		case 9:
			free_one();
			break;
		default:
			alloc();
		}
	}

	// Beyond LARGE_MAX only what cannot be had at all.
	size_t some_size()
	{
		uint64_t size = input_.any_size();

		return size <= LARGE_MAX || size > uint64_t{1} << 40 ? size : size % LARGE_MAX;
	}

	// Small pieces are in the direct map, large ones are seen through the page table.
	static void fill(void *ptr, size_t size, int value)
	{
		if (size <= MALLOC_CLASS_MAX)
			memset(ptr, value, size);
		else
			host_fill(vm_offset_t(ptr), value, size);
	}

	static void require_bytes(const void *ptr, size_t whole, size_t size, uint8_t value)
	{
		std::vector<uint8_t> bytes(size);

		if (size == 0)
			return;
		if (whole <= MALLOC_CLASS_MAX)
			memcpy(bytes.data(), ptr, size);
		else
			host_load(vm_offset_t(ptr), bytes.data(), size);
		for (size_t i = 0; i < size; i++)
			FUZZ_REQUIRE(bytes[i] == value, "byte %zu of %zu: %#x, not %#x", i, size,
				     bytes[i], value);
	}

	void keep(void *ptr, size_t size, struct malloc_type *type)
	{
		size_t usable = kern_malloc_usable_size(ptr);

		FUZZ_REQUIRE(usable >= size, "%zu of %zu", usable, size);
		FUZZ_REQUIRE((uintptr_t(ptr) & 15) == 0, "at %p", ptr);
		pieces_.push_back({ptr, size, uint8_t(input_.u8()), type});
		fill(ptr, size, pieces_.back().value);
	}

	void alloc()
	{
		size_t size = some_size();
		unsigned kind = input_.u8();
		struct malloc_type *type = (kind & 1) != 0 ? M_ELSE : M_FUZZ;
		int flags = M_NOWAIT | ((kind & 2) != 0 ? M_ZERO : 0);
		void *ptr;

		if (pieces_.size() == PIECES_MAX)
			return;
		ptr = kern_malloc(size, type, flags);
		if (ptr == nullptr)
			return;
		FUZZ_REQUIRE(size <= LARGE_MAX, "%#zx bytes out of 8 MiB", size);
		if ((flags & M_ZERO) != 0)
			require_bytes(ptr, size, size, 0);
		keep(ptr, size, type);
	}

	void resize()
	{
		if (pieces_.empty())
			return;
		size_t i = input_.below(pieces_.size()), size = some_size();
		bool frees = input_.below(4) == 0;
		Piece old = pieces_[i];
		void *ptr =
		    (frees ? kern_reallocf : kern_realloc)(old.ptr, size, old.type, M_NOWAIT);

		if (ptr == nullptr && !frees)
			return require_bytes(old.ptr, old.size, old.size, old.value);
		pieces_.erase(pieces_.begin() + long(i));
		if (ptr == nullptr)
			return;
		FUZZ_REQUIRE(size <= LARGE_MAX, "%#zx bytes out of 8 MiB", size);
		// In place, the piece lies where it did: the larger of the two says where that is.
		require_bytes(ptr, kern_malloc_usable_size(ptr), std::min(old.size, size),
			      old.value);
		keep(ptr, size, old.type);
	}

	void free_one()
	{
		if (pieces_.empty())
			return;
		size_t i = input_.below(pieces_.size());
		Piece piece = pieces_[i];

		require_bytes(piece.ptr, piece.size, piece.size, piece.value);
		pieces_.erase(pieces_.begin() + long(i));
		kern_free(piece.ptr, piece.type);
	}

	static uint64_t refused()
	{
		return malloc_refused_count() + uma_free_refused_count() +
		       kmem_free_refused_count();
	}

	// What malloc has not returned.
	void bad_free()
	{
		uint64_t before = refused();

		kern_free(&pieces_, M_FUZZ);
		FUZZ_REQUIRE(refused() == before + 1, "a bad free was taken");
	}

	void finish()
	{
		quire::audit_lines()->clear();
		FUZZ_REQUIRE(malloc_audit(quire::audit_collect) == 0, "%s",
			     quire::audit_lines()->front().c_str());
		require_audit();
		for (const Piece &piece : pieces_) {
			require_bytes(piece.ptr, piece.size, piece.size, piece.value);
			kern_free(piece.ptr, piece.type);
		}
		require_nothing(M_FUZZ);
		require_nothing(M_ELSE);
		uma_set_debug(true);
	}

	static void require_nothing(struct malloc_type *type)
	{
		struct malloc_type_stats stats;

		malloc_type_stats(type, &stats);
		FUZZ_REQUIRE(stats.in_use == 0 && stats.bytes_in_use == 0, "%llu pieces",
			     static_cast<unsigned long long>(stats.in_use));
	}

	fuzz::Input input_;
	std::vector<Piece> pieces_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MallocTrace(data, size).run();
	return 0;
}
