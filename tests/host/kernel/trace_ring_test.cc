// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/trace_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace
{

struct trace_entry entry_of(uint64_t n)
{
	return {n, n * 3, n * 5, n * 7};
}

class TraceRing : public testing::Test
{
      protected:
	std::unique_ptr<struct trace_ring> ring = std::make_unique<struct trace_ring>();
	struct trace_entry read = {};

	void add(uint64_t n)
	{
		struct trace_entry entry = entry_of(n);

		trace_ring_add(ring.get(), &entry);
	}
};

TEST_F(TraceRing, BeginsEmpty)
{
	EXPECT_EQ(0u, trace_ring_end(ring.get()));
	EXPECT_EQ(0u, trace_ring_first(ring.get()));
	EXPECT_FALSE(trace_ring_read(ring.get(), 0, &read));
}

TEST_F(TraceRing, KeepsTheLatest)
{
	const uint64_t count = TRACE_RING_ENTRIES + 10;

	for (uint64_t n = 0; n < count; n++)
		add(n);
	EXPECT_EQ(count, trace_ring_end(ring.get()));
	EXPECT_EQ(10u, trace_ring_first(ring.get()));
	EXPECT_FALSE(trace_ring_read(ring.get(), 9, &read));
	EXPECT_FALSE(trace_ring_read(ring.get(), count, &read));
	for (uint64_t n = 10; n < count; n++) {
		ASSERT_TRUE(trace_ring_read(ring.get(), n, &read));
		EXPECT_EQ(n, read.ns);
		EXPECT_EQ(n * 7, read.b);
	}
}

/* Two threads, so that the thread sanitizer can look on. */
TEST_F(TraceRing, AReaderGetsWholeEventsOrNone)
{
	std::atomic<bool> done{false};
	std::thread writer([&] {
		for (uint64_t n = 0; n < 200000; n++)
			add(n);
		done = true;
	});

	while (!done) {
		for (uint64_t n = trace_ring_first(ring.get()), end = trace_ring_end(ring.get());
		     n < end; n++) {
			if (!trace_ring_read(ring.get(), n, &read))
				continue;
			ASSERT_EQ(n, read.ns);
			ASSERT_EQ(n * 3, read.event);
			ASSERT_EQ(n * 5, read.a);
			ASSERT_EQ(n * 7, read.b);
		}
	}
	writer.join();
	add(200000);
	EXPECT_TRUE(trace_ring_read(ring.get(), 200000, &read));
}

} // namespace
