/* SPDX-License-Identifier: BSD-2-Clause */
/* What host_switch() leaves on a suspended stack; read by C and by the assembler. */
#ifndef QUIRE_ARCH_HOST_SWITCH_H
#define QUIRE_ARCH_HOST_SWITCH_H

/* Index, in words from the stack pointer, of the address at which it goes on. */
#if defined(__x86_64__)
#define HOST_SWITCH_PC 6
#elif defined(__aarch64__)
#define HOST_SWITCH_PC 11
#else
#error "the host machine switches stacks on x86-64 and aarch64 only"
#endif

/* Words that a fresh flow gets above its stack pointer: the saved registers, and zeroes. */
#define HOST_SWITCH_WORDS 32

#endif
