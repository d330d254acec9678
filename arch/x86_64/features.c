/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/features.h"

#include "arch/mmu.h"
#include "arch/system.h"
#include "arch/x86_64/regs.h"
#include "lib/format.h"
#include "lib/panic.h"
#include "lib/string.h"

struct cpu_features cpu_features;

bool x86_has_invpcid;
const uint64_t x86_invpcid_all[2];

static bool bit(uint32_t word, unsigned n)
{
	return (word >> n) & 1;
}

/* Leaves 0x80000002 to 4 are 48 bytes of model name, padded with blanks on either side. */
static void describe(uint32_t max_extended)
{
	char name[49] = "";
	const char *start = name;
	struct cpuid_regs vendor = cpuid(0, 0);
	char maker[13] = "";

	memcpy(maker, &vendor.ebx, 4);
	memcpy(maker + 4, &vendor.edx, 4);
	memcpy(maker + 8, &vendor.ecx, 4);
	for (uint32_t i = 0; i < 3 && max_extended >= 0x80000004; i++) {
		struct cpuid_regs r = cpuid(0x80000002 + i, 0);

		memcpy(name + i * sizeof(r), &r, sizeof(r));
	}
	while (*start == ' ')
		start++;
	for (size_t end = strlen(start); end > 0 && start[end - 1] == ' '; end--)
		name[(size_t)(start - name) + end - 1] = 0;
	format(cpu_features.description, sizeof(cpu_features.description), "%s, %s", maker,
	       *start == 0 ? "no model name" : start);
}

/* Feature bits: Intel SDM vol. 2A, CPUID. */
void features_init(void)
{
	struct cpuid_regs basic = cpuid(1, 0), more = {0, 0, 0, 0}, extended, sizes, power;
	uint32_t max_extended = cpuid(0x80000000, 0).eax;

	cpu_features.max_leaf = cpuid(0, 0).eax;
	if (cpu_features.max_leaf >= 7)
		more = cpuid(7, 0);
	extended = cpuid(0x80000001, 0);
	cpu_features.clflush_bytes = bit(basic.edx, 19) ? ((basic.ebx >> 8) & 0xff) * 8 : 0;
	x86_has_invpcid = bit(more.ebx, 10);
	cpu_features.x2apic = bit(basic.ecx, 21);
	cpu_features.pages_1g = bit(extended.edx, 26);
	cpu_features.levels_5 = bit(more.ecx, 16);
	cpu_features.paddr_bits = 36;
	if (max_extended >= 0x80000007) {
		power = cpuid(0x80000007, 0);
		cpu_features.invariant_tsc = bit(power.edx, 8);
	}
	if (max_extended >= 0x80000008) {
		sizes = cpuid(0x80000008, 0);
		cpu_features.paddr_bits = sizes.eax & 0xff;
	}
	cpu_features.cr4 = CR4_PAE | CR4_PGE | (bit(basic.edx, 7) ? CR4_MCE : 0) |
			   (bit(more.ecx, 2) ? CR4_UMIP : 0) | (bit(more.ebx, 7) ? CR4_SMEP : 0) |
			   (bit(more.ebx, 20) ? CR4_SMAP : 0);
	describe(max_extended);
}

uint32_t cpu_apic_id(void)
{
	if (cpuid(0, 0).eax >= 0xb) {
		struct cpuid_regs topology = cpuid(0xb, 0);

		if (topology.ebx != 0)
			return topology.edx;
	}
	return cpuid(1, 0).ebx >> 24;
}

/*
 * CR0, EFER and PAT were set on the way to 64-bit mode. A hypervisor that keeps CR4.PCIDE set would
 * make INVLPG unreliable (arch/md/mmu.h), which nobody would notice in time.
 */
void features_enable(void)
{
	cr4_write(cpu_features.cr4);
	if ((cr4_read() & CR4_PCIDE) != 0)
		panic("cpu: process-context identifiers cannot be switched off (CR4 %#lx); disable "
		      "PCID in the firmware or the hypervisor",
		      cr4_read());
}

const char *arch_cpu_description(void)
{
	return cpu_features.description;
}
