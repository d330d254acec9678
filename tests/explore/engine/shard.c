/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharding as Bazel asks for it: the test encyclopedia names the variables, and wants the status
 * file touched by a program that knows of them.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/explore/engine/options.h"

enum { SHARDS_MAX = 1000000 };

static bool shard_number(const char *name, uint64_t *value)
{
	const char *text = getenv(name);
	char *end;

	if (text == NULL)
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return end != text && *end == '\0' && errno == 0;
}

static void shard_say_so(void)
{
	const char *path = getenv("TEST_SHARD_STATUS_FILE");
	FILE *file = path != NULL ? fopen(path, "w") : NULL;

	if (file != NULL)
		fclose(file);
}

bool shard_take(struct options *options)
{
	uint64_t total, index, share;

	if (getenv("TEST_TOTAL_SHARDS") == NULL)
		return true;
	if (!shard_number("TEST_TOTAL_SHARDS", &total) ||
	    !shard_number("TEST_SHARD_INDEX", &index) || total == 0 || total > SHARDS_MAX ||
	    index >= total) {
		fprintf(stderr, "explore: TEST_TOTAL_SHARDS and TEST_SHARD_INDEX make no sense\n");
		return false;
	}
	shard_say_so();
	share = (options->schedules + total - 1) / total;
	options->first += index * share;
	options->schedules = share;
	return true;
}
