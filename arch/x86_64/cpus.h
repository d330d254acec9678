/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ARCH_X86_64_CPUS_H
#define QUIRE_ARCH_X86_64_CPUS_H

#include "lib/types.h"

/*
 * Decides how many CPUs can be used, and sets aside what each needs: descriptor tables, exception
 * stacks, the code that it starts with at `low_page` (0: there is no place for it).
 */
void cpus_init(vm_paddr_t low_page);

#endif
