/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt controllers that this kernel does not use, silenced. */
#ifndef QUIRE_ARCH_X86_64_LEGACY_H
#define QUIRE_ARCH_X86_64_LEGACY_H

#include "arch/x86_64/firmware/madt.h"

/* The pair of 8259s: moved off the exceptions' vectors, then masked. */
void legacy_mask_8259(void);

/* Every input of the I/O APICs that the table lists. */
void legacy_mask_ioapics(const struct madt_cpus *madt);

#endif
