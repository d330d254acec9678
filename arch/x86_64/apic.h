/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the CPU that runs (Intel SDM vol. 3A chapter 11), in xAPIC or x2APIC mode. */
#ifndef QUIRE_ARCH_X86_64_APIC_H
#define QUIRE_ARCH_X86_64_APIC_H

#include "lib/types.h"

/* Low half of an interrupt command (Intel SDM vol. 3A figure 11-12); fixed delivery is 0. */
enum {
	ICR_NMI = 4 << 8,
	ICR_INIT = 5 << 8,
	ICR_STARTUP = 6 << 8, /* | page of the code */
	ICR_ASSERT = 1 << 14,
	ICR_ALL_BUT_SELF = 3 << 18, /* the destination is ignored */
};

/* Chooses the mode for all CPUs; maps the registers if they are in memory. Boot CPU. */
void apic_init(void);

bool apic_is_x2apic(void);

/* Enables this CPU's APIC, everything local masked. Interrupts disabled. */
void apic_enable(void);

void apic_eoi(void);

/* Is an interrupt of this vector being served? */
bool apic_in_service(unsigned vector);

/*
 * Gives one interrupt command; any context. What this CPU stored before is visible to the CPU
 * that takes the interrupt.
 */
void apic_command(uint32_t apic_id, uint32_t command);

/* The timer: counts down from `start` to 0; periodic ones begin again and interrupt. */
void apic_timer_start_once(uint32_t start);
void apic_timer_start_periodic(uint32_t start, unsigned vector);
uint32_t apic_timer_left(void);

#endif
