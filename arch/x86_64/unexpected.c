/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that nobody handles are counted, each vector for itself. */
#include "arch/atomic.h"
#include "arch/x86_64/incident.h"

static struct atomic64 counts[VECTOR_COUNT];
static struct atomic32 noted;

_Static_assert((int)ARCH_VECTORS == (int)VECTOR_COUNT, "the contract counts all vectors");

void incident_note(void)
{
	atomic32_store(&noted, 1, MO_RELEASE);
}

bool arch_incident_noted(void)
{
	return atomic32_load(&noted, MO_RELAXED) != 0;
}

/* What is noted after this sets it again. */
void arch_incident_forget(void)
{
	(void)atomic32_exchange(&noted, 0, MO_ACQUIRE);
}

void unexpected_note(unsigned vector)
{
	atomic64_add(&counts[vector % VECTOR_COUNT], 1, MO_RELAXED);
	incident_note();
}

uint64_t arch_unexpected_count(unsigned vector)
{
	return vector < VECTOR_COUNT ? atomic64_load(&counts[vector], MO_RELAXED) : 0;
}

const char *arch_unexpected_kind(unsigned vector)
{
	if (vector == VECTOR_SPURIOUS)
		return "spurious";
	if (vector >= VECTOR_8259 && vector < VECTOR_8259 + 16)
		return "8259 line";
	if (vector == VECTOR_APIC_ERROR)
		return "APIC error";
	return "unknown";
}
