/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_KERNEL_PANIC_H
#define QUIRE_KERNEL_PANIC_H

/* fn runs in the middle of the next panic's story. For the test that a panic survives another. */
void panic_set_amid(void (*fn)(void));

#endif
