/* SPDX-License-Identifier: BSD-2-Clause */
/* The words after `bench`: switches and names of cases. Pure. */
#ifndef QUIRE_BENCH_KERNEL_OPTIONS_H
#define QUIRE_BENCH_KERNEL_OPTIONS_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	BENCH_ALONE = 1, /* one CPU works, the others are idle */
	BENCH_ALL = 2,   /* all CPUs work at once */
	BENCH_BOTH = BENCH_ALONE | BENCH_ALL,
};

enum {
	BENCH_SAMPLES = 11,
	BENCH_SAMPLES_QUICK = 3,
	BENCH_SAMPLES_MAX = 1000,
};

struct bench_options {
	bool help;
	bool list;
	bool quick;
	unsigned modes; /* BENCH_ALONE, BENCH_ALL or both */
	unsigned samples;
	uint64_t seed;
	int name_count; /* 0: every case */
	char *const *names;
};

/*
 * Reads argv[1] to argv[argc - 1]; switches come before names. NULL, or what is wrong with the
 * word *bad_word.
 */
const char *bench_options_parse(struct bench_options *options, int argc, char *const *argv,
				const char **bad_word);

/* Is the case asked for? A name stands for itself and for what it begins, up to a dot. */
bool bench_options_chosen(const struct bench_options *options, const char *name);

/* Does one of the names ask for this case? As above, for one of them. */
bool bench_name_covers(const char *wanted, const char *name);

#ifdef __cplusplus
}
#endif

#endif
