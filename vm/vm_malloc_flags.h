/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a request for kernel memory wants to be treated. One of M_NOWAIT and M_WAITOK, and flags.
 */
#ifndef QUIRE_VM_VM_MALLOC_FLAGS_H
#define QUIRE_VM_VM_MALLOC_FLAGS_H

#define M_NOWAIT      0x0001 /* never sleeps; may fail */
#define M_WAITOK      0x0002 /* may sleep; thread context */
#define M_ZERO        0x0100 /* the memory is zeroed */
#define M_USE_RESERVE 0x0400 /* with M_NOWAIT: may take the pages kept for interrupts */
#define M_NODUMP      0x0800 /* not in a crash dump */
#define M_EXEC        0x4000 /* executable, and therefore not writable */

#endif
