/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_KERNEL_PHASES_H
#define QUIRE_KERNEL_PHASES_H

/* Prints how many milliseconds each part of the boot took (arch/phase.h). Boot CPU. */
void phases_print(void);

#endif
