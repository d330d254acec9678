/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_TOOLS_MUTATE_RUNTIME_H
#define QUIRE_TOOLS_MUTATE_RUNTIME_H

/* Functions with mutants, in all files together. */
#define QUIRE_MUTANT_FUNCTIONS_MAX 16384

#ifdef __cplusplus
extern "C" {
#endif

/* 0: none. */
extern volatile int quire_mutant;
extern volatile unsigned char *volatile quire_mutant_entered;

/* The numbers of the functions that were entered since the last call, to a FILE. */
void quire_mutant_write_entered(void *file);

#ifdef __cplusplus
}
#endif

#endif
