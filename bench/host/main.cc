/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Usage: quire_bench | peer_bench --allocator=NAME
 *            [--threads=N]    threads, each on a CPU of its own (default 1)
 *            [--count=OPS]    for callgrind: see count_case()
 *            [--case=NAME]    this case only
 *            [Google Benchmark's options]
 *
 * Before anything is measured every case runs once with its contents checked.
 */
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/host/case.h"
#include "bench/host/counted.h"
#include "bench/host/crew.h"

namespace bench
{

namespace
{

/* Operations of each thread in one iteration of Google Benchmark. */
constexpr size_t ITERATION = 4 * CHUNK;

struct Options {
	unsigned long threads = 1;
	unsigned long count = 0;
	std::string only; /* name of a case, or empty */
};

/* True, and the value, if the argument is this option. */
bool take_number(const char *argument, const char *option, unsigned long least, unsigned long most,
		 unsigned long *value)
{
	size_t length = std::strlen(option);
	char *end;

	if (std::strncmp(argument, option, length) != 0)
		return false;
	*value = std::strtoul(argument + length, &end, 10);
	if (end == argument + length || *end != 0 || *value < least || *value > most)
		fail(std::string(argument) + ": a number from " + std::to_string(least) + " to " +
		     std::to_string(most) + " is needed");
	return true;
}

bool take_name(const char *argument, std::string *name)
{
	const char option[] = "--case=";
	size_t length = sizeof(option) - 1;

	if (std::strncmp(argument, option, length) != 0)
		return false;
	*name = argument + length;
	return true;
}

Options take_options(int *argc, char **argv)
{
	Options options;
	int kept = 1;

	for (int i = 1; i < *argc; i++)
		if (!take_number(argv[i], "--threads=", 1, 64, &options.threads) &&
		    !take_number(argv[i], "--count=", CHUNK, 1 << 24, &options.count) &&
		    !take_name(argv[i], &options.only))
			argv[kept++] = argv[i];
	*argc = kept;
	if (options.count % CHUNK != 0)
		fail("--count= needs a multiple of " + std::to_string(size_t(CHUNK)));
	return options;
}

/* Drops the cases that are not for so many threads, or not what was asked for. */
void select_cases(std::vector<Case> *cases, unsigned threads, const std::string &only)
{
	std::vector<Case> selected;

	for (const Case &c : *cases)
		if (c.runs_with(threads) && (only.empty() || c.name == only))
			selected.push_back(c);
	if (selected.empty())
		fail("no case " + only + " for " + std::to_string(threads) + " threads");
	*cases = selected;
}

/* The workers of a case, proven to work and warm. */
Workers ready_workers(const Case &c, unsigned threads)
{
	Workers workers = c.make(threads);

	crew_run(threads, [&](unsigned i) { workers[i]->verify(CHUNK); });
	crew_run(threads, [&](unsigned i) { workers[i]->run(CHUNK); });
	return workers;
}

/* One thread: Google Benchmark's clocks, of which the CPU time of the thread counts. */
void time_alone(benchmark::State &state, const Case &c)
{
	Workers workers = ready_workers(c, 1);

	for (auto _ : state)
		workers[0]->run(ITERATION);
}

/* Several: the time until the last one is done. */
void time_together(benchmark::State &state, const Case &c, unsigned threads)
{
	Workers workers = ready_workers(c, threads);

	for (auto _ : state) {
		Stopwatch watch(threads);

		crew_run(threads, [&](unsigned i) {
			watch.ready();
			workers[i]->run(ITERATION);
			watch.finished();
		});
		state.SetIterationTime(watch.seconds());
	}
}

void register_case(const Case &c, unsigned threads)
{
	if (threads == 1)
		benchmark::RegisterBenchmark(c.name.c_str(), time_alone, c);
	else
		benchmark::RegisterBenchmark(c.name.c_str(), time_together, c, threads)
		    ->UseManualTime();
}

void time_cases(const Program &program, unsigned threads, int *argc, char **argv)
{
	benchmark::Initialize(argc, argv);
	if (benchmark::ReportUnrecognizedArguments(*argc, argv))
		fail("unknown option");
	benchmark::AddCustomContext("allocator", program.name);
	benchmark::AddCustomContext("allocator_version", program.version);
	benchmark::AddCustomContext("threads", std::to_string(threads));
	benchmark::AddCustomContext("ops_per_iteration", std::to_string(size_t(ITERATION)));
	for (const Case &c : program.cases)
		register_case(c, threads);
	if (benchmark::RunSpecifiedBenchmarks() == 0)
		fail("no case is left by --benchmark_filter");
}

/*
 * Under `callgrind --toggle-collect=bench_counted --dump-after=bench_counted` each call of
 * bench_counted leaves a file with its instructions. Two calls that differ only in the number of
 * operations give what an operation costs: entry, exit and whatever happens once cancel out. Each
 * case is counted twice so. The lines on stdout say which file is which.
 */
void count_case(const Case &c, size_t ops)
{
	Workers workers = ready_workers(c, 1);

	for (int round = 0; round < 2; round++) {
		for (size_t n : {ops, 2 * ops}) {
			bench_counted(workers[0].get(), n);
			std::printf("counted %s %zu\n", c.name.c_str(), n);
		}
	}
}

void count_cases(const Program &program, size_t ops)
{
	std::printf("allocator %s %s\n", program.name.c_str(), program.version.c_str());
	for (const Case &c : program.cases)
		count_case(c, ops);
}

} // namespace

} // namespace bench

int main(int argc, char **argv)
{
	bench::Options options = bench::take_options(&argc, argv);
	unsigned threads = unsigned(options.threads);
	bench::Program program = bench::program_begin(&argc, argv, threads);

	if (options.count != 0 && threads != 1)
		bench::fail("--count= is for one thread: others would be counted while they wait");
	bench::select_cases(&program.cases, threads, options.only);
	if (options.count != 0)
		bench::count_cases(program, options.count);
	else
		bench::time_cases(program, threads, &argc, argv);
	return bench::program_end() ? 0 : 1;
}
