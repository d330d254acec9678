/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast the time-stamp counter runs. The CPU's own word is exact where it gives one; then come
 * two timers of the chipset, of which the ACPI one is better: what counts there is how far it
 * came, not whether this CPU looked in time. The 8254 may be switched off in newer machines.
 */
#include "arch/cpu.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/devices/io.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/platform.h"
#include "arch/x86_64/regs.h"

enum {
	SAMPLES = 5,        /* odd: the median is one of them */
	SAMPLE_HZ = 100,    /* each takes 10 ms */
	PATIENCE = 2000000, /* port reads; each takes from 0.1 to some microseconds */
};

enum {
	PM_TIMER_HZ = 3579545, /* ACPI 6.5 section 4.8.3.3 */
	PM_TIMER_MASK = 0xffffff,
};

/* The 8254 (Intel data sheet) and the port that gates its channel 2. */
enum {
	PIT_HZ = 1193182,
	PIT_CHANNEL2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_CHANNEL2_ONE_SHOT = 0xb0, /* mode 0, low byte then high */
	GATE_PORT = 0x61,
	GATE_ON = 1 << 0,
	GATE_SPEAKER = 1 << 1,
	GATE_OUT = 1 << 5,
};

/* CPUID leaf 15h: crystal frequency and its ratio to the counter (Intel SDM vol. 3B 20.7.3). */
static uint64_t ask_cpu(void)
{
	struct cpuid_regs r;

	if (cpu_features.max_leaf < 0x15)
		return 0;
	r = cpuid(0x15, 0);
	return r.eax == 0 ? 0 : (uint64_t)r.ecx * r.ebx / r.eax;
}

/* CPUID leaf 16h: the base frequency in MHz, as printed on the box. */
static uint64_t ask_cpu_roughly(void)
{
	return cpu_features.max_leaf < 0x16 ? 0 : (cpuid(0x16, 0).eax & 0xffff) * UINT64_C(1000000);
}

static uint32_t pm_timer_passed(uint32_t since)
{
	return (io_in32(platform.pm_timer_port) - since) & PM_TIMER_MASK;
}

static uint64_t sample_pm_timer(void)
{
	uint32_t start, passed = 0;
	uint64_t tsc;

	if (platform.pm_timer_port == 0)
		return 0;
	start = io_in32(platform.pm_timer_port);
	tsc = arch_cycles();
	for (unsigned i = 0; i < PATIENCE && passed < PM_TIMER_HZ / SAMPLE_HZ; i++)
		passed = pm_timer_passed(start);
	tsc = arch_cycles() - tsc;
	return passed < PM_TIMER_HZ / SAMPLE_HZ ? 0 : tsc * PM_TIMER_HZ / passed;
}

static uint64_t sample_pit(void)
{
	uint16_t count = PIT_HZ / SAMPLE_HZ;
	uint8_t gate = (io_in8(GATE_PORT) & (uint8_t)~GATE_SPEAKER) | GATE_ON;
	bool done = false;
	uint64_t tsc;

	io_out8(GATE_PORT, gate);
	io_out8(PIT_COMMAND, PIT_CHANNEL2_ONE_SHOT);
	io_out8(PIT_CHANNEL2, (uint8_t)count);
	io_out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	tsc = arch_cycles();
	for (unsigned i = 0; i < PATIENCE && !done; i++)
		done = (io_in8(GATE_PORT) & GATE_OUT) != 0;
	tsc = arch_cycles() - tsc;
	return done ? tsc * SAMPLE_HZ : 0;
}

/* The median forgives samples that were disturbed; the first one that fails ends it. */
static uint64_t measure(uint64_t (*sample)(void))
{
	uint64_t sorted[SAMPLES];

	for (unsigned n = 0; n < SAMPLES; n++) {
		uint64_t hz = sample();
		unsigned i = n;

		if (hz == 0)
			return 0;
		for (; i > 0 && sorted[i - 1] > hz; i--)
			sorted[i] = sorted[i - 1];
		sorted[i] = hz;
	}
	return sorted[SAMPLES / 2];
}

uint64_t calibrate_tsc(const char **source)
{
	uint64_t hz = ask_cpu();

	*source = "CPUID";
	if (hz == 0) {
		*source = "ACPI timer";
		hz = measure(sample_pm_timer);
	}
	if (hz == 0) {
		*source = "8254";
		hz = measure(sample_pit);
	}
	if (hz == 0) {
		*source = "CPUID, nominal";
		hz = ask_cpu_roughly();
	}
	return hz;
}
