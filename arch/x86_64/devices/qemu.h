/* SPDX-License-Identifier: BSD-2-Clause */
/* What QEMU offers to its guests: files through fw_cfg, an exit port, a power switch. */
#ifndef QUIRE_ARCH_X86_64_DEVICES_QEMU_H
#define QUIRE_ARCH_X86_64_DEVICES_QEMU_H

#include "lib/types.h"

/* Looks for it; without QEMU the others find nothing. */
void qemu_init(void);

/* Is there a port that ends the emulator with a status of our choice? */
bool qemu_has_exit(void);

/* Ends the emulator; its own exit status is status * 2 + 1. Returns if there is no such port. */
void qemu_exit(uint8_t status);

/* Turns the emulated machine off. Returns if that did not help. */
void qemu_power_off(void);

#endif
