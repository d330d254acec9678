// SPDX-License-Identifier: BSD-2-Clause
// The bytes of a fuzzer's input as a row of decisions, and how a fuzzer says that one was wrong.
#ifndef QUIRE_TESTS_FUZZ_FUZZ_INPUT_H
#define QUIRE_TESTS_FUZZ_FUZZ_INPUT_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

// Ends the program, which is how fuzzers learn of a failure.
#define FUZZ_REQUIRE(condition, ...)                                                               \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			fprintf(stderr, " " __VA_ARGS__);                                          \
			fputc('\n', stderr);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

namespace fuzz
{

class Input
{
      public:
	Input(const uint8_t *data, size_t size) : next_(data), end_(data + size)
	{
	}

	bool empty() const
	{
		return next_ == end_;
	}

	// The next bytes as a number; 0 where there are none.
	uint64_t bytes(unsigned n)
	{
		uint64_t x = 0;

		for (unsigned i = 0; i < n && !empty(); i++)
			x |= uint64_t{*next_++} << (8 * i);
		return x;
	}

	unsigned u8()
	{
		return unsigned(bytes(1));
	}

	// Below `limit`, out of as few bytes as will do; `limit` is not 0.
	uint64_t below(uint64_t limit)
	{
		unsigned n = 1;

		while (n < 8 && limit > uint64_t{1} << (8 * n))
			n++;
		return bytes(n) % limit;
	}

	// Mostly small, sometimes of any size: what sizes and addresses are like.
	uint64_t any_size()
	{
		unsigned kind = u8();

		if (kind < 200)
			return kind;
		if (kind < 230)
			return bytes(2);
		return kind < 245 ? bytes(3) : bytes(8);
	}

	std::string rest()
	{
		std::string text(next_, end_);

		next_ = end_;
		return text;
	}

      private:
	const uint8_t *next_, *end_;
};

} // namespace fuzz

#endif
