/* SPDX-License-Identifier: BSD-2-Clause */
/* The first serial port, COM1: a 16550 or compatible at port 0x3f8, 115200 baud, 8N1. */
#ifndef QUIRE_ARCH_X86_64_DEVICES_SERIAL_H
#define QUIRE_ARCH_X86_64_DEVICES_SERIAL_H

#include "lib/types.h"

/* Looks for the port and sets it up. Without one, the others do nothing. */
void serial_init(void);

/* Sends one byte as it is. Waits a bounded time for room; the byte is lost after that. */
void serial_write(uint8_t byte);

/* The next byte that came in, or -1. */
int serial_read(void);

#endif
