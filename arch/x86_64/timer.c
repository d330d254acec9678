/* SPDX-License-Identifier: BSD-2-Clause */
/* The tick of each CPU: its APIC's timer, periodic. All of them count at the rate of the bus. */
#include "arch/clock.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/traps.h"
#include "lib/check.h"

#define NS_PER_S  UINT64_C(1000000000)
#define SAMPLE_NS UINT64_C(10000000)

static uint64_t timer_hz; /* constant after timer_init() */

void timer_init(void)
{
	uint64_t start = arch_clock_ns(), passed;
	uint32_t counted;

	apic_timer_start_once(UINT32_MAX);
	arch_clock_delay_ns(SAMPLE_NS);
	counted = UINT32_MAX - apic_timer_left();
	passed = arch_clock_ns() - start;
	if (counted == 0 || counted == UINT32_MAX)
		panic("timer: the APIC's timer does not count");
	timer_hz = counted * NS_PER_S / passed;
	apic_timer_start_once(0);
}

void arch_timer_set_handler(void (*handler)(void))
{
	interrupt_set_handler(VECTOR_TIMER, handler);
}

void arch_timer_start(unsigned hz)
{
	uint64_t count = timer_hz / hz;

	CHECK(count > 0 && count <= UINT32_MAX);
	apic_timer_start_periodic((uint32_t)count, VECTOR_TIMER);
}
