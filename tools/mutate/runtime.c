/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goes into each program that holds mutants: which one is on (QUIRE_MUTANT), and which functions
 * with mutants were entered. These marks are shared with children, because a death test runs in
 * one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/mutate/runtime.h"

static unsigned char no_marks[QUIRE_MUTANT_FUNCTIONS_MAX];

volatile int quire_mutant;
volatile unsigned char *volatile quire_mutant_entered = no_marks;

static pid_t first_process;

static void __attribute__((constructor(101))) mutant_choose(void)
{
	const char *number = getenv("QUIRE_MUTANT");
	void *shared = mmap(NULL, QUIRE_MUTANT_FUNCTIONS_MAX, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared != MAP_FAILED)
		quire_mutant_entered = shared;
	if (number != NULL)
		quire_mutant = atoi(number);
	first_process = getpid();
}

/* A program that is one case (QUIRE_MUTANT_CASE) writes its marks when it ends. */
static void __attribute__((destructor)) mutant_end(void)
{
	const char *one = getenv("QUIRE_MUTANT_CASE"), *name = getenv("QUIRE_MUTANT_TRACE");
	FILE *file;

	if (one == NULL || *one == '\0' || name == NULL || getpid() != first_process)
		return;
	file = fopen(name, "w");
	if (file == NULL)
		return;
	quire_mutant_write_entered(file);
	fclose(file);
}

void quire_mutant_write_entered(void *file)
{
	for (int i = 0; i < QUIRE_MUTANT_FUNCTIONS_MAX; i++) {
		if (quire_mutant_entered[i])
			fprintf(file, " %d", i);
		quire_mutant_entered[i] = 0;
	}
}
