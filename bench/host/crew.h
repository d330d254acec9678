/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a case on several CPUs at once. Each program has its own kind of threads: peer_crew.cc,
 * machine.cc.
 */
#ifndef QUIRE_BENCH_HOST_CREW_H
#define QUIRE_BENCH_HOST_CREW_H

#include <atomic>
#include <chrono>
#include <functional>

namespace bench
{

/* Lets other threads of this workstation and, on the host machine, interrupts come through. */
void crew_relax();

/*
 * body(0) in the calling thread and body(1) ... body(threads - 1) beside it; returns when all have
 * returned. The threads of one index are the same from call to call, as far as an allocator's
 * cache for a thread or for a CPU can tell.
 */
void crew_run(unsigned threads, const std::function<void(unsigned index)> &body);

/* Waits until `done()`, politely. */
template <typename F> void crew_wait(F done)
{
	for (unsigned spins = 0; !done(); spins++) {
		__builtin_ia32_pause();
		if (spins % 256 == 255)
			crew_relax();
	}
}

/* From when the last one is ready to when the last one has finished. */
class Stopwatch
{
      public:
	explicit Stopwatch(unsigned threads) : threads_(threads)
	{
	}
	void ready()
	{
		ready_.fetch_add(1);
		crew_wait([this] { return ready_.load() >= threads_; });
		note(&start_ns_);
	}
	void finished()
	{
		note(&end_ns_);
	}
	double seconds() const
	{
		return 1e-9 * double(end_ns_.load() - start_ns_.load());
	}

      private:
	/* The latest time of all that call it. */
	static void note(std::atomic<long> *latest)
	{
		long now =
		    std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch())
			.count();
		long seen = latest->load();

		while (seen < now && !latest->compare_exchange_weak(seen, now))
			;
	}

	const unsigned threads_;
	std::atomic<unsigned> ready_{0};
	std::atomic<long> start_ns_{0}, end_ns_{0};
};

} // namespace bench

#endif
