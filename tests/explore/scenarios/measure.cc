// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many schedules it takes to find a planted bug, by strategy:
 *
 *	measure [--searches K] [--limit N] PLANT:SCENARIO...
 *
 * Each strategy makes K searches (10) of at most N schedules (100000), each with seeds of its own;
 * so does the portfolio, which is what the tests run. A line gives the mean of the searches that
 * found it, and how many of the K did if not all. A bug that most schedules show is found while the
 * engine finds out how long schedules are; that counts as 8, which is how many it runs for it.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/personality.h>
#include <unistd.h>

#include "tests/explore/engine/engine.h"

namespace quire
{
namespace
{

/* So many schedules are run first, with seeds of their own, to find out how long they are. */
enum : unsigned { CALIBRATION = 8 };

unsigned long searches = 10, limit = 100000;

/* Schedules until the bug showed itself, or 0. */
uint64_t search(const struct explore_scenario *scenario, const struct strategy *strategy,
		uint64_t first_seed)
{
	struct worker_task task = {};
	struct worker_shared *shared;
	uint64_t count = 0;

	task.scenario = scenario;
	task.strategy = strategy;
	task.jobs = 1;
	task.first_seed = first_seed;
	task.schedules = limit;
	if (worker_run(&task, &shared) == WORKER_FAILED)
		count = shared->failure.seed - first_seed + 1;
	worker_free(shared);
	return count > limit ? (uint64_t)CALIBRATION : count;
}

std::string measure(const struct explore_scenario *scenario, const struct strategy *strategy)
{
	uint64_t sum = 0, found = 0;
	std::string text;

	for (unsigned long k = 0; k < searches; k++) {
		uint64_t count = search(scenario, strategy, 1 + k * (limit + 1));

		sum += count;
		found += count != 0;
	}
	if (found == 0)
		return "-";
	text = std::to_string((sum + found / 2) / found);
	return found == searches ? text : text + " (" + std::to_string(found) + ")";
}

void print_row(const char *plant, const struct explore_scenario *scenario)
{
	printf("| %s | %s |", plant, scenario->name);
	for (unsigned i = 0; i < strategy_count(); i++) {
		const struct strategy *strategy = strategy_at(i);

		printf(" %s |", strategy_applies(strategy, scenario)
				    ? measure(scenario, strategy).c_str()
				    : "");
		fflush(stdout);
	}
	printf(" %s |\n", measure(scenario, nullptr).c_str());
}

bool measure_pair(char *pair)
{
	char *colon = std::strchr(pair, ':');
	const struct explore_scenario *scenario;

	if (colon == nullptr)
		return false;
	*colon = '\0';
	scenario = explore_scenario_find(colon + 1);
	if (scenario == nullptr)
		return false;
	planted_set(pair);
	print_row(pair, scenario);
	return true;
}

void print_head()
{
	printf("| planted bug | scenario |");
	for (unsigned i = 0; i < strategy_count(); i++)
		printf(" %s |", strategy_at(i)->name);
	printf(" portfolio |\n|---|---|");
	for (unsigned i = 0; i <= strategy_count(); i++)
		printf("---|");
	printf("\n");
}

/* Sleep queues hash addresses: they must not depend on chance. */
void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now != -1 && (now & ADDR_NO_RANDOMIZE) == 0 &&
	    personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1)
		execv("/proc/self/exe", argv);
}

int measure_main(int argc, char **argv)
{
	fix_addresses(argv);
	if (!planted_available()) {
		std::fprintf(stderr, "measure: this program was built without planted bugs\n");
		return EXIT_USAGE;
	}
	print_head();
	for (int i = 1; i < argc; i++) {
		if (std::strcmp(argv[i], "--searches") == 0 && i + 1 < argc) {
			searches = std::strtoul(argv[++i], nullptr, 0);
		} else if (std::strcmp(argv[i], "--limit") == 0 && i + 1 < argc) {
			limit = std::strtoul(argv[++i], nullptr, 0);
		} else if (!measure_pair(argv[i])) {
			std::fprintf(stderr, "measure: '%s' is not PLANT:SCENARIO\n", argv[i]);
			return EXIT_USAGE;
		}
	}
	return 0;
}

} // namespace
} // namespace quire

int main(int argc, char **argv)
{
	return quire::measure_main(argc, argv);
}
