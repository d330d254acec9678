/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc(9): sizes, types, statistics, realloc, bad frees. */
#include <cstring>
#include <map>
#include <random>

#include "kernel/malloc/malloc.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/uma.h"

namespace quire
{

static MALLOC_DEFINE(M_TEST, "test", "pieces of the test");
static MALLOC_DEFINE(M_OTHER, "other", "other pieces");

class MallocTest : public VmTest
{
      protected:
	void start(bool debug, unsigned cpus = 1, struct host_config config = {})
	{
		config.cpus = cpus;
		boot(config);
		uma_set_debug(debug);
		malloc_startup();
	}

	void TearDown() override
	{
		kmem_free_set_strict(true);
		uma_set_debug(true);
		VmTest::TearDown();
	}

	static struct malloc_type_stats stats(struct malloc_type *type)
	{
		struct malloc_type_stats stats;

		malloc_type_stats(type, &stats);
		return stats;
	}

	static ::testing::AssertionResult all_ok()
	{
		audit_lines()->clear();
		if (malloc_audit(audit_collect) != 0)
			return ::testing::AssertionFailure() << audit_lines()->front();
		return audit_ok();
	}

	/* Small pieces are in the direct map, large ones in kmem_map. */
	static void fill(void *ptr, size_t size, int value)
	{
		if (size <= MALLOC_CLASS_MAX)
			memset(ptr, value, size);
		else
			host_fill((vm_offset_t)ptr, value, size);
	}

	static bool holds(void *ptr, size_t size, int value)
	{
		std::vector<char> bytes(size);

		if (size == 0)
			return true;
		if (size <= MALLOC_CLASS_MAX)
			memcpy(bytes.data(), ptr, size);
		else
			host_load((vm_offset_t)ptr, bytes.data(), size);
		for (char byte : bytes)
			if (byte != (char)value)
				return false;
		return true;
	}

	void *keep_ = nullptr;
};

using MallocDeathTest = MallocTest;

TEST_F(MallocDeathTest, BadFreesAreDiagnosed)
{
	start(true);
	char *ptr = static_cast<char *>(kern_malloc(100, M_TEST, M_NOWAIT));
	void *large = kern_malloc(10000, M_TEST, M_NOWAIT);
	void *other = kern_malloc(100, M_OTHER, M_NOWAIT);
	uma_zone_t zone = uma_zcreate("own", 64, nullptr, nullptr, nullptr, nullptr, 7, 0);
	int local;

	EXPECT_DEATH(kern_free(&local, M_TEST), "free.*test.*malloc did not return it");
	EXPECT_DEATH(kern_free(ptr + 16, M_TEST), "zone malloc 112: .*16 bytes inside of item");
	EXPECT_DEATH(kern_free(other, M_TEST), "it was allocated as other by 0x.*, not as test");
	EXPECT_DEATH(kern_free(uma_zalloc(zone, M_NOWAIT), M_TEST), "it is an item of zone own");
	EXPECT_DEATH(kern_free(static_cast<char *>(large) + PAGE_SIZE, M_TEST),
		     "malloc did not return it");
	EXPECT_DEATH(keep_ = kern_realloc(&local, 5, M_TEST, M_NOWAIT), "malloc did not return it");
	kern_free(ptr, M_TEST);
	EXPECT_DEATH(kern_free(ptr, M_TEST), "zone malloc 112: .*it is free already");
	kern_free(large, M_TEST);
	EXPECT_DEATH(kern_free(large, M_TEST), "malloc did not return it, or it is free already");
}

TEST_F(MallocDeathTest, WritesBehindTheEndAreDiagnosed)
{
	start(true);
	char *ptr = static_cast<char *>(kern_malloc(112, M_TEST, M_NOWAIT));

	ptr[112] = 1;
	EXPECT_DEATH(kern_free(ptr, M_TEST), "written behind its end");
}

TEST_F(MallocTest, WithoutStrictnessBadFreesAreCountedAndRefused)
{
	start(true);
	kmem_free_set_strict(false);
	void *ptr = kern_malloc(100, M_TEST, M_NOWAIT), *other = kern_malloc(9, M_OTHER, M_NOWAIT);
	int local;

	kern_free(&local, M_TEST);
	kern_free(other, M_TEST);
	EXPECT_EQ(malloc_refused_count(), 1u);
	EXPECT_NE(strstr(host_log(), "it was allocated as other"), nullptr);
	kern_free(ptr, M_TEST);
	kern_free(ptr, M_TEST);
	EXPECT_EQ(kern_realloc(&local, 100, M_TEST, M_NOWAIT), nullptr);
	EXPECT_EQ(malloc_refused_count(), 2u);
	EXPECT_EQ(stats(M_TEST).in_use, 0u);
	EXPECT_EQ(stats(M_OTHER).in_use, 1u);
	EXPECT_TRUE(all_ok());
	kern_free(other, M_OTHER);
	EXPECT_TRUE(all_ok());
}

TEST_F(MallocTest, ClassesHoldTheirSizesAndWasteLittle)
{
	EXPECT_EQ(malloc_class_of(0), 0u);
	EXPECT_EQ(malloc_class_of(MALLOC_CLASS_MAX), (unsigned)MALLOC_CLASSES - 1);
	EXPECT_EQ(malloc_class_size(MALLOC_CLASSES - 1), (size_t)MALLOC_CLASS_MAX);
	for (size_t size = 1; size <= MALLOC_CLASS_MAX; size++) {
		unsigned c = malloc_class_of(size);

		ASSERT_LT(c, (unsigned)MALLOC_CLASSES);
		ASSERT_GE(malloc_class_size(c), size);
		if (c > 0) {
			ASSERT_LT(malloc_class_size(c - 1), size);
		}
		if (size > 64) {
			ASSERT_LT((malloc_class_size(c) - size) * 5, malloc_class_size(c));
		}
	}
}

TEST_F(MallocTest, PiecesAreAlignedApartAndOfTheirSize)
{
	for (bool debug : {false, true}) {
		start(debug);
		std::map<size_t, void *> pieces;

		for (size_t size : {0, 1, 15, 16, 17, 64, 65, 100, 1000, 1024, 1025, 2049, 4095,
				    4096, 4097, 8192, 100000}) {
			void *ptr = kern_malloc(size, M_TEST, M_WAITOK);

			ASSERT_NE(ptr, nullptr);
			EXPECT_EQ((uintptr_t)ptr % 16, 0u);
			EXPECT_GE(kern_malloc_usable_size(ptr), size);
			if (size > MALLOC_CLASS_MAX) {
				EXPECT_EQ((uintptr_t)ptr % PAGE_SIZE, 0u);
			}
			fill(ptr, kern_malloc_usable_size(ptr), (int)size + 1);
			pieces[size] = ptr;
		}
		for (auto [size, ptr] : pieces) {
			EXPECT_TRUE(holds(ptr, kern_malloc_usable_size(ptr), (int)size + 1));
			kern_free(ptr, M_TEST);
		}
		EXPECT_EQ(stats(M_TEST).in_use, 0u);
		EXPECT_EQ(stats(M_TEST).bytes_in_use, 0u);
		EXPECT_EQ(stats(M_TEST).requests, pieces.size());
		EXPECT_TRUE(all_ok());
		shut_down();
	}
}

TEST_F(MallocTest, ConstantAndOtherSizesGetTheSameClass)
{
	start(false);
	volatile size_t size = 1000;
	void *a = kern_malloc(1000, M_TEST, M_NOWAIT), *b = kern_malloc(size, M_TEST, M_NOWAIT);

	EXPECT_EQ(uma_zone_of(a), uma_zone_of(b));
	kern_free(a, M_TEST);
	kern_free(b, M_TEST);
}

TEST_F(MallocTest, ZeroedPiecesAreZero)
{
	for (bool debug : {false, true}) {
		start(debug);
		for (size_t size : {1, 100, 4096, 4097, 50000}) {
			void *ptr = kern_malloc(size, M_TEST, M_NOWAIT);

			fill(ptr, size, 0xff);
			kern_free(ptr, M_TEST);
			ptr = kern_malloc(size, M_TEST, M_NOWAIT | M_ZERO);
			EXPECT_TRUE(holds(ptr, size, 0));
			kern_free(ptr, M_TEST);
		}
		EXPECT_TRUE(all_ok());
		shut_down();
	}
}

TEST_F(MallocTest, SizesThatWrapOrNeverFitFail)
{
	start(false);
	volatile size_t huge = ~(size_t)0;

	for (size_t size : {huge, huge - PAGE_SIZE, huge / 2, (size_t)1 << 46}) {
		EXPECT_EQ(kern_malloc(size, M_TEST, M_NOWAIT), nullptr);
	}
	EXPECT_EQ(kern_malloc(huge, M_TEST, M_WAITOK), nullptr);
	EXPECT_EQ(malloc_fail_count(), 5u);
	EXPECT_EQ(stats(M_TEST).requests, 0u);
	EXPECT_TRUE(all_ok());
}

TEST_F(MallocTest, FreeingNullIsNothing)
{
	start(false);
	kern_free(nullptr, M_TEST);
	EXPECT_EQ(stats(M_TEST).in_use, 0u);
	EXPECT_TRUE(all_ok());
}

TEST_F(MallocTest, TypesCountWhatIsTheirs)
{
	start(false, 2);
	void *large = kern_malloc(5000, M_OTHER, M_WAITOK);
	std::vector<void *> pieces;
	std::vector<std::string> names;

	/* What one CPU allocates another may free. */
	on_all_cpus([&](unsigned cpu) {
		for (unsigned i = 0; cpu == 1 && i < 50; i++)
			pieces.push_back(kern_malloc(100, M_TEST, M_WAITOK));
	});
	EXPECT_EQ(stats(M_TEST).in_use, 50u);
	EXPECT_EQ(stats(M_TEST).bytes_in_use, 50u * 112);
	EXPECT_EQ(stats(M_TEST).requests, 50u);
	EXPECT_EQ(stats(M_OTHER).in_use, 1u);
	EXPECT_EQ(stats(M_OTHER).bytes_in_use, 2 * PAGE_SIZE);
	for (void *ptr : pieces)
		kern_free(ptr, M_TEST);
	EXPECT_EQ(stats(M_TEST).in_use, 0u);
	EXPECT_EQ(stats(M_TEST).bytes_high, 50u * 112);
	malloc_type_foreach(
	    [](void *ctx, struct malloc_type *type) {
		    static_cast<std::vector<std::string> *>(ctx)->push_back(type->name);
	    },
	    &names);
	EXPECT_EQ(names, (std::vector<std::string>{"test", "other"}));
	kern_free(large, M_OTHER);
	EXPECT_TRUE(all_ok());
}

TEST_F(MallocTest, TheAuditSeesAPieceThatNoTypeHas)
{
	start(false);
	void *ptr = kern_malloc(100, M_TEST, M_WAITOK);

	uma_zfree(uma_zone_of(ptr), ptr);
	audit_lines()->clear();
	EXPECT_EQ(malloc_audit(audit_collect), 1u);
	EXPECT_NE(audit_lines()->front().find("types have 1 pieces in use"), std::string::npos);
}

TEST_F(MallocTest, ReallocKeepsTheContents)
{
	for (bool debug : {false, true}) {
		start(debug);
		size_t old = 1;
		void *ptr = kern_realloc(nullptr, 1, M_TEST, M_NOWAIT);

		fill(ptr, 1, 0x5a);
		for (size_t size : {17, 16, 200, 190, 4096, 4097, 100, 70000, 69999, 5000, 1}) {
			void *moved = kern_realloc(ptr, size, M_TEST, M_NOWAIT);
			size_t same = size < old ? size : old;

			ASSERT_NE(moved, nullptr);
			ptr = moved;
			/* What was filled as a large piece is read as what it is now. */
			std::vector<char> bytes(same);
			if (kern_malloc_usable_size(ptr) > MALLOC_CLASS_MAX)
				host_load((vm_offset_t)ptr, bytes.data(), same);
			else
				memcpy(bytes.data(), ptr, same);
			for (char byte : bytes)
				ASSERT_EQ(byte, 0x5a) << size;
			if (kern_malloc_usable_size(ptr) > MALLOC_CLASS_MAX)
				host_fill((vm_offset_t)ptr, 0x5a, size);
			else
				memset(ptr, 0x5a, size);
			old = size;
			EXPECT_EQ(stats(M_TEST).in_use, 1u);
			EXPECT_EQ(stats(M_TEST).bytes_in_use, kern_malloc_usable_size(ptr));
		}
		kern_free(ptr, M_TEST);
		EXPECT_TRUE(all_ok());
		shut_down();
	}
}

TEST_F(MallocTest, ReallocThatFailsLeavesThePiece)
{
	start(false);
	void *ptr = kern_malloc(100, M_TEST, M_NOWAIT);
	volatile size_t huge = ~(size_t)0;

	EXPECT_EQ(kern_realloc(ptr, huge, M_TEST, M_NOWAIT), nullptr);
	EXPECT_EQ(stats(M_TEST).in_use, 1u);
	EXPECT_EQ(kern_reallocf(ptr, huge, M_TEST, M_NOWAIT), nullptr);
	EXPECT_EQ(stats(M_TEST).in_use, 0u);
	EXPECT_TRUE(all_ok());
}

TEST_F(MallocTest, UsableSizeOfForeignMemoryIsNothing)
{
	start(false);
	uma_zone_t zone = uma_zcreate("own", 64, nullptr, nullptr, nullptr, nullptr, 7, 0);
	int local;

	EXPECT_EQ(kern_malloc_usable_size(&local), 0u);
	EXPECT_EQ(kern_malloc_usable_size(nullptr), 0u);
	EXPECT_EQ(kern_malloc_usable_size(uma_zalloc(zone, M_NOWAIT)), 0u);
}

/* The timer's interrupt allocates and frees with a type that threads use at the same time. */
static void *from_interrupt[8];
static unsigned interrupt_turn;

static void allocating_tick(void)
{
	void *&slot = from_interrupt[interrupt_turn++ % 8];

	if (slot != nullptr)
		kern_free(slot, M_TEST);
	slot = kern_malloc(200, M_TEST, M_NOWAIT);
	sched_tick();
}

TEST_F(MallocTest, InterruptsMayAllocateAndFree)
{
	struct host_config config = {};

	config.step_ns = 20000;
	start(false, 1, config);
	memset(from_interrupt, 0, sizeof(from_interrupt));
	interrupt_turn = 0;
	arch_timer_set_handler(allocating_tick);
	for (unsigned i = 0; i < 20000 || interrupt_turn < 20; i++) {
		void *ptr = kern_malloc(200, M_TEST, M_NOWAIT);

		ASSERT_NE(ptr, nullptr);
		memset(ptr, 1, 200);
		kern_free(ptr, M_TEST);
	}
	arch_timer_set_handler(sched_tick);
	for (void *ptr : from_interrupt)
		kern_free(ptr, M_TEST);
	EXPECT_EQ(stats(M_TEST).in_use, 0u);
	EXPECT_EQ(stats(M_TEST).bytes_in_use, 0u);
	EXPECT_TRUE(all_ok());
}

class MallocModelTest : public MallocTest, public ::testing::WithParamInterface<int>
{
};

struct Piece {
	void *ptr;
	size_t size;
	int value;
	struct malloc_type *type;
};

TEST_P(MallocModelTest, RandomOperationsAgreeWithTheModel)
{
	std::mt19937_64 random((uint64_t)GetParam());
	std::vector<Piece> pieces;
	struct malloc_type *types[2] = {M_TEST, M_OTHER};
	uint64_t in_use[2] = {0, 0}, bytes[2] = {0, 0};

	start(GetParam() % 2 == 0, 2);
	for (unsigned i = 0; i < 6000; i++) {
		if (random() % 2 == 0 && pieces.size() < 300) {
			size_t size = random() % (random() % 8 == 0 ? 20000 : 600);
			unsigned t = random() % 2;
			Piece piece = {kern_malloc(size, types[t], M_NOWAIT), size,
				       (int)(random() % 256), types[t]};

			ASSERT_NE(piece.ptr, nullptr);
			fill(piece.ptr, size, piece.value);
			pieces.push_back(piece);
			in_use[t]++;
			bytes[t] += kern_malloc_usable_size(piece.ptr);
		} else if (!pieces.empty()) {
			size_t n = random() % pieces.size();
			Piece piece = pieces[n];
			unsigned t = piece.type == M_OTHER;

			ASSERT_TRUE(holds(piece.ptr, piece.size, piece.value));
			in_use[t]--;
			bytes[t] -= kern_malloc_usable_size(piece.ptr);
			kern_free(piece.ptr, piece.type);
			pieces[n] = pieces.back();
			pieces.pop_back();
		}
		if (i % 1000 == 0) {
			uma_reclaim();
			ASSERT_TRUE(all_ok());
		}
		for (unsigned t = 0; t < 2 && i % 64 == 0; t++) {
			ASSERT_EQ(stats(types[t]).in_use, in_use[t]);
			ASSERT_EQ(stats(types[t]).bytes_in_use, bytes[t]);
		}
	}
	for (Piece &piece : pieces)
		kern_free(piece.ptr, piece.type);
	EXPECT_TRUE(all_ok());
}

INSTANTIATE_TEST_SUITE_P(Seeds, MallocModelTest, ::testing::Range(1, 7));

class MallocThreadsTest : public MallocTest, public ::testing::WithParamInterface<host_mode>
{
};

TEST_P(MallocThreadsTest, TypesAreExactWhateverCpusDo)
{
	struct host_config config = {};

	config.mode = GetParam();
	config.switch_ppm = 50000;
	start(false, 4, config);
	on_all_cpus([](unsigned cpu) {
		std::mt19937_64 random(cpu);
		std::vector<std::pair<void *, size_t>> mine;

		for (unsigned i = 0; i < 1000; i++) {
			if (random() % 5 < 3 || mine.empty()) {
				size_t size = random() % 5000 + 1;
				void *ptr = kern_malloc(size, M_TEST, M_WAITOK);

				ASSERT_NE(ptr, nullptr);
				if (size <= MALLOC_CLASS_MAX)
					memset(ptr, (int)cpu, size);
				mine.push_back({ptr, size});
			} else {
				auto [ptr, size] = mine.back();

				if (size <= MALLOC_CLASS_MAX) {
					ASSERT_TRUE(holds(ptr, size, (int)cpu));
				}
				mine.pop_back();
				kern_free(ptr, M_TEST);
			}
		}
		for (auto [ptr, size] : mine)
			kern_free(ptr, M_TEST);
	});
	EXPECT_EQ(stats(M_TEST).in_use, 0u);
	EXPECT_EQ(stats(M_TEST).bytes_in_use, 0u);
	EXPECT_TRUE(all_ok());
}

INSTANTIATE_TEST_SUITE_P(Modes, MallocThreadsTest,
			 ::testing::Values(HOST_COROUTINES, HOST_THREADS));

} // namespace quire
