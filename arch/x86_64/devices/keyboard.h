/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard behind the 8042 controller, polled. USB keyboards that firmware emulates as such
 * work as well. */
#ifndef QUIRE_ARCH_X86_64_DEVICES_KEYBOARD_H
#define QUIRE_ARCH_X86_64_DEVICES_KEYBOARD_H

#include "lib/types.h"

/* Drops what firmware and loader left in the controller. */
void keyboard_init(void);

/* The next character, or -1 when none waits. */
int keyboard_read(void);

#endif
