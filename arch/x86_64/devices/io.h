/* SPDX-License-Identifier: BSD-2-Clause */
/* Port input and output (Intel SDM vol. 2, IN and OUT). */
#ifndef QUIRE_ARCH_X86_64_DEVICES_IO_H
#define QUIRE_ARCH_X86_64_DEVICES_IO_H

#include "lib/types.h"

static inline uint8_t io_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void io_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint16_t io_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void io_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

#endif
