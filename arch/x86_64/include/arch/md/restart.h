/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sequences themselves. An instruction either has happened or has not when an interrupt is
 * taken (Intel SDM vol. 3A 6.5), so the read-modify-write of the count, without LOCK, is the one
 * store that commits. Each sequence describes itself in section .quire_restart; restart.c reads
 * that when an interrupt came out of one.
 *
 * What a sequence was given stays in its registers to the end: results and scratch get others.
 */
#ifndef QUIRE_ARCH_X86_64_MD_RESTART_H
#define QUIRE_ARCH_X86_64_MD_RESTART_H

_Static_assert(offsetof(struct arch_stack, count) == 0 &&
		   offsetof(struct arch_stack, capacity) == 4 &&
		   offsetof(struct arch_stack, slots) == 8 &&
		   offsetof(struct arch_stack, pops) == 16,
	       "the offsets in the instructions below");

/* Label 1 is the first instruction, 2 the one that commits: an entry of restart.h's table. */
#define RESTART_DESCRIBE                                                                           \
	".pushsection .quire_restart, \"a\", @progbits\n\t"                                        \
	".quad 1b, 2b\n\t"                                                                         \
	".popsection\n\t"

static inline __attribute__((always_inline)) void *arch_stack_pop(size_t offset)
{
	uint64_t count;
	void *item;

	__asm__ volatile goto("1:\n\t"
			      "movl %%gs:(%[where]), %k[count]\n\t"
			      "testl %k[count], %k[count]\n\t"
			      "jz %l[empty]\n\t"
			      "movq %%gs:8(%[where]), %[item]\n\t"
			      "movq -8(%[item],%[count],8), %[item]\n"
			      "2:\n\t"
			      "decl %%gs:(%[where])\n\t"
			      "incq %%gs:16(%[where])\n\t" RESTART_DESCRIBE
			      : [count] "=&r"(count), [item] "=&r"(item)
			      : [where] "r"(offset)
			      : "memory", "cc"
			      : empty);
	/* Nobody pushes NULL; said here so that callers look once. */
	if (item == NULL)
		__builtin_unreachable();
	return item;
empty:
	return NULL;
}

static inline __attribute__((always_inline)) bool arch_stack_push(size_t offset, void *item)
{
	uint64_t count, slots;

	__asm__ volatile goto("1:\n\t"
			      "movl %%gs:(%[where]), %k[count]\n\t"
			      "cmpl %%gs:4(%[where]), %k[count]\n\t"
			      "jae %l[full]\n\t"
			      "movq %%gs:8(%[where]), %[slots]\n\t"
			      "movq %[item], (%[slots],%[count],8)\n"
			      "2:\n\t"
			      "incl %%gs:(%[where])\n\t" RESTART_DESCRIBE
			      : [count] "=&r"(count), [slots] "=&r"(slots)
			      : [where] "r"(offset), [item] "r"(item)
			      : "memory", "cc"
			      : full);
	return true;
full:
	return false;
}

#endif
