/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices that a person or an emulator talks through: serial port, screen, keyboard, QEMU's
 * fw_cfg and its exit port.
 *
 * Together they supply arch/console.h and the endings of arch/system.h (arch_power_off,
 * arch_reboot, arch_has_exit_device). Nothing here allocates, takes a lock or waits without a
 * bound, and a device that is missing costs a few port reads.
 */
#ifndef QUIRE_ARCH_X86_64_DEVICES_DEVICES_H
#define QUIRE_ARCH_X86_64_DEVICES_DEVICES_H

#include "arch/bootinfo.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The serial port COM1 and the emulator's devices: needs nothing but ports, so it is the first
 * thing that a boot does. What is written to the console before goes nowhere.
 */
void devices_early_init(void);

/*
 * Screen and keyboard. The direct map reaches info->fb by now, with a cache attribute that lets
 * writes through. Called once, after devices_early_init().
 */
void devices_init(const struct boot_info *info);

/*
 * The kernel options that QEMU passes as its file opt/quire/cmdline: copied into `buf`, cut to
 * `size` bytes with the final 0. Returns the whole length; 0 and an empty string without QEMU or
 * without the file. After devices_early_init().
 */
size_t devices_cmdline(char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
