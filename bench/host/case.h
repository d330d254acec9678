/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host benchmarks: the memory system on the host machine beside the allocators of this workstation.
 *
 * Purpose. What an operation costs, in instructions and in nanoseconds, with nothing emulated.
 *
 * Vocabulary. A *program* is one executable: quire_bench, or peer_bench, which calls malloc() and
 * is run with one allocator after the other in its place. A *subject* is what is asked for memory
 * (subject.h), a *shape* the order of requests (shapes.h); a *case* is both together and has the
 * same name in every program. An *operation* is one allocation and its free.
 *
 * Structure. The shapes are templates: all programs run the same loops, and only the calls inside
 * of them differ. A *worker* is one thread's share of a case and is used by one thread at a time.
 *
 * Failure. An allocation that fails, or a block whose contents changed, ends the program with a
 * message: there is no figure then.
 */
#ifndef QUIRE_BENCH_HOST_CASE_H
#define QUIRE_BENCH_HOST_CASE_H

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench
{

/* A worker is told how many operations to do in multiples of this; every batch divides it. */
enum : size_t { CHUNK = 4096 };

class Worker
{
      public:
	virtual ~Worker() = default;
	/* So many operations, contents untouched. */
	virtual void run(size_t ops) = 0;
	/* The same, and each block is filled, kept and checked before it is given back. */
	virtual void verify(size_t ops) = 0;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

struct Case {
	std::string name;
	unsigned threads; /* it is for so many threads; 0: for any number */
	std::function<Workers(unsigned threads)> make;

	bool runs_with(unsigned count) const
	{
		return threads == 0 || threads == count;
	}
};

/* What a program supplies. begin takes its own options out of argv and may exit with a message. */
struct Program {
	std::string name;    /* quire, glibc, jemalloc, ... */
	std::string version; /* as that code itself states it */
	std::vector<Case> cases;
};
Program program_begin(int *argc, char **argv, unsigned threads);

/* At the end: whether everything is in order; says what is not. */
bool program_end();

/* Ends the program with status 1. The others keep what a message needs out of the loops. */
[[noreturn]] void fail(const std::string &message);
[[noreturn, gnu::cold]] void fail_no_memory(size_t size);
[[noreturn, gnu::cold]] void fail_changed(size_t size);

} // namespace bench

#endif
