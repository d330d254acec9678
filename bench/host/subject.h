/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Subjects: what the shapes ask for memory. A subject is a small copyable class:
 *
 *	using Block = ...;                     // what an allocation gives; false when it failed
 *	Block alloc(size_t size) const;
 *	void free(Block block, size_t size) const;
 *	void fill(Block block, size_t size, uint64_t seed) const;    // verification only
 *	bool intact(Block block, size_t size, uint64_t seed) const;
 *
 * Sizes are bytes, multiples of 8, at least 8.
 */
#ifndef QUIRE_BENCH_HOST_SUBJECT_H
#define QUIRE_BENCH_HOST_SUBJECT_H

#include <cstddef>
#include <cstdint>

namespace bench
{

/* The compiler neither drops the value nor learns what it is. */
template <typename T> inline void keep(T value)
{
	__asm__ volatile("" : : "r"(value));
}

/* What word i of a block holds: every word of every block is another one. */
inline uint64_t word_of(uint64_t seed, size_t i)
{
	return (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + i;
}

inline void fill_words(void *ptr, size_t size, uint64_t seed, size_t first = 0)
{
	auto *words = static_cast<uint64_t *>(ptr);

	for (size_t i = 0; i < size / sizeof(uint64_t); i++)
		words[i] = word_of(seed, first + i);
}

inline bool words_intact(const void *ptr, size_t size, uint64_t seed, size_t first = 0)
{
	auto *words = static_cast<const uint64_t *>(ptr);

	for (size_t i = 0; i < size / sizeof(uint64_t); i++)
		if (words[i] != word_of(seed, first + i))
			return false;
	return true;
}

/* Subjects whose blocks are pointers that a program can follow. */
struct PlainMemory {
	using Block = void *;

	void fill(Block block, size_t size, uint64_t seed) const
	{
		fill_words(block, size, seed);
	}
	bool intact(Block block, size_t size, uint64_t seed) const
	{
		return words_intact(block, size, seed);
	}
};

/* Allocates nothing: what is left is the loop. */
struct Nothing {
	using Block = size_t;

	Block alloc(size_t size) const
	{
		return size;
	}
	void free(Block block, size_t) const
	{
		keep(block);
	}
	void fill(Block, size_t, uint64_t) const
	{
	}
	bool intact(Block block, size_t size, uint64_t) const
	{
		return block == size;
	}
};

} // namespace bench

#endif
