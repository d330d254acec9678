// SPDX-License-Identifier: BSD-2-Clause
// What became of a machine, in the words of the corpus's manifests.
#ifndef QUIRE_TESTS_HOST_FIRMWARE_MACHINE_OUTCOME_H
#define QUIRE_TESTS_HOST_FIRMWARE_MACHINE_OUTCOME_H

#include <cstdio>
#include <string>
#include <vector>

#include "tests/host/firmware/boot_machine.h"

namespace firmware
{

using Lines = std::vector<std::string>;

inline std::string hex(uint64_t x)
{
	char text[20];

	snprintf(text, sizeof(text), "%llx", static_cast<unsigned long long>(x));
	return text;
}

inline std::string range_text(vm_paddr_t start, vm_paddr_t end)
{
	return hex(start) + "-" + hex(end);
}

// 0-3 7 9-10: neighbours that ascend by one are a run.
inline std::string ids_text(const uint32_t *ids, unsigned count)
{
	std::string text;

	for (unsigned i = 0; i < count;) {
		unsigned first = i++;

		while (i < count && ids[i] == ids[i - 1] + 1)
			i++;
		text += " " + std::to_string(ids[first]);
		if (i - first > 1)
			text += "-" + std::to_string(ids[i - 1]);
	}
	return text;
}

inline std::string cpus_text(const platform &p)
{
	return "cpus: " + std::to_string(p.madt.count) + ":" +
	       ids_text(p.madt.apic_ids, p.madt.count) + (p.others_unlisted ? "; others" : "");
}

inline std::string homes_text(const platform &p)
{
	std::string text = "homes:";

	for (unsigned i = 0; i < p.madt.count; i++)
		text += " " + std::to_string(srat_domain_of_cpu(&p.srat, p.madt.apic_ids[i]));
	return text;
}

inline std::string distances_text(const platform &p)
{
	std::string text = "distances:";

	for (unsigned a = 0; a < p.srat.domain_count; a++) {
		text += a != 0 ? " /" : "";
		for (unsigned b = 0; b < p.srat.domain_count; b++)
			text += " " + std::to_string(p.slit.distance[a][b]);
	}
	return text;
}

inline std::string ranges_text(const boot_info &info)
{
	std::string text = "ranges:";

	for (unsigned i = 0; i < info.range_count; i++)
		text += " " + range_text(info.ranges[i].start, info.ranges[i].end) + "/" +
			std::to_string(info.ranges[i].domain);
	return text;
}

inline void add_loader(const boot_raw &raw, Lines &lines)
{
	const boot_framebuffer &fb = raw.fb;

	if (fb.kind != BOOT_FB_NONE)
		lines.push_back(std::string("screen: ") +
				(fb.kind == BOOT_FB_RGB ? "rgb " : "text ") +
				std::to_string(fb.width) + "x" + std::to_string(fb.height) + "x" +
				std::to_string(fb.bpp));
	for (unsigned i = 0; i < raw.module_count; i++)
		lines.push_back("module: " + range_text(raw.modules[i].start, raw.modules[i].end) +
				" " + raw.modules[i].name);
}

// All but the command line and the log.
inline Lines machine_lines(const BootMachine &machine)
{
	const platform &p = *machine.platform;
	Lines lines = {"boots: yes", cpus_text(p),
		       "domains: " + std::to_string(p.srat.domain_count)};

	if (p.srat.domain_count > 1) {
		lines.push_back(homes_text(p));
		lines.push_back(distances_text(p));
	}
	lines.push_back(ranges_text(*machine.info));
	if (machine.info->lost_bytes != 0)
		lines.push_back("lost: " + hex(machine.info->lost_bytes));
	lines.push_back("low: " + hex(machine.low));
	lines.push_back("timer: " + hex(p.pm_timer_port));
	if (p.madt.lapic_base != MADT_LAPIC_BASE)
		lines.push_back("lapic: " + hex(p.madt.lapic_base));
	add_loader(*machine.raw, lines);
	return lines;
}

} // namespace firmware

#endif
