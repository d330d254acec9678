// SPDX-License-Identifier: BSD-2-Clause
// The kernel's way from what the firmware left to CPUs, domains and memory, up to the point where
// it would be used; and the invariants of what comes out, whatever went in.
#ifndef QUIRE_TESTS_HOST_FIRMWARE_BOOT_MACHINE_H
#define QUIRE_TESTS_HOST_FIRMWARE_BOOT_MACHINE_H

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "arch/x86_64/firmware/loader.h"
#include "arch/x86_64/firmware/memmap.h"
#include "arch/x86_64/firmware/platform_read.h"
#include "tests/host/firmware/machine_file.h"

namespace firmware
{

class BootMachine
{
      public:
	// The kernel image in all of these machines, and what the direct map can hold.
	enum : uint64_t {
		IMAGE_START = 0x100000,
		IMAGE_END = 0x300000,
		RAM_LIMIT = uint64_t{64} << 40
	};

	// What arch/x86_64/boot_collect.c does. False: the kernel would stop with a panic.
	bool boot(const MachineFile &file)
	{
		platform_cpu cpu = {file.boot_cpu, file.x2apic ? X2APIC_ID_MAX : XAPIC_ID_MAX};
		acpi_hint hint;

		fw_report_ = {show, this, 0, 0, 0};
		log.clear();
		if (!loader_read(file.mem(), file.magic, file.info, raw.get(), &fw_report_))
			return false;
		hint = {raw->rsdp, raw->rsdp_copy, raw->rsdp_copy_len};
		platform_read(file.mem(), &hint, &raw->map, cpu, tables_.get(), platform.get(),
			      &fw_report_);
		return read_memory();
	}

	// The first rule that does not hold, or NULL. After boot() has returned true.
	const char *broken() const
	{
		if (const char *rule = broken_cpus())
			return rule;
		if (const char *rule = broken_domains())
			return rule;
		return broken_ranges();
	}

	std::vector<std::string> log;
	std::unique_ptr<boot_raw> raw = std::make_unique<boot_raw>();
	std::unique_ptr<::platform> platform = std::make_unique<::platform>();
	std::unique_ptr<boot_info> info = std::make_unique<boot_info>();
	vm_paddr_t low = 0;

      private:
	static void show(void *ctx, const char *line)
	{
		static_cast<BootMachine *>(ctx)->log.emplace_back(line);
	}

	bool read_memory()
	{
		keep_range keep[1 + LOADER_KEPT_MAX] = {{IMAGE_START, IMAGE_END}};
		unsigned kept = 1 + loader_list_kept(raw.get(), keep + 1);
		memmap_input all = {&raw->map, nullptr, 0, &platform->srat, RAM_LIMIT};
		memmap_input free = {&raw->map, keep, kept, &platform->srat, RAM_LIMIT};

		low = memmap_find_low(&all, 1);
		return memmap_normalise(&free, info.get(), &fw_report_);
	}

	const char *broken_cpus() const
	{
		const madt_cpus &cpus = platform->madt;
		std::vector<uint32_t> ids(cpus.apic_ids, cpus.apic_ids + cpus.count);

		if (ids.empty() || ids.size() > MAXCPU)
			return "at least one CPU, and no more than are supported";
		std::sort(ids.begin(), ids.end());
		if (std::unique(ids.begin(), ids.end()) != ids.end())
			return "no APIC id twice";
		if ((cpus.lapic_base & PAGE_MASK) != 0 || cpus.lapic_base == 0)
			return "the local APIC is at a page's beginning";
		return nullptr;
	}

	const char *broken_domains() const
	{
		const srat &domains = platform->srat;

		if (domains.domain_count < 1 || domains.domain_count > MAXMEMDOM)
			return "at least one domain, and no more than are supported";
		for (unsigned i = 0; i < platform->madt.count; i++)
			if (srat_domain_of_cpu(&domains, platform->madt.apic_ids[i]) >=
			    domains.domain_count)
				return "every CPU is in a domain";
		for (unsigned a = 0; a < domains.domain_count; a++)
			for (unsigned b = 0; b < domains.domain_count; b++)
				if ((platform->slit.distance[a][b] == SLIT_LOCAL) != (a == b))
					return "a domain is nearest to itself";
		return nullptr;
	}

	const char *broken_ranges() const
	{
		uint64_t total = info->kept_bytes + info->lost_bytes;
		vm_paddr_t before = LOADER_LOW_END;

		for (unsigned i = 0; i < info->range_count; i++) {
			const boot_range &r = info->ranges[i];

			if (r.start >= r.end || r.start < before)
				return "ranges ascend, are not empty, and begin above 1 MiB";
			if (((r.start | r.end) & PAGE_MASK) != 0)
				return "ranges are whole pages";
			if (r.start < IMAGE_END && r.end > IMAGE_START)
				return "the image is kept";
			if (r.end > RAM_LIMIT || r.domain >= info->domain_count)
				return "ranges can be mapped and are in a domain";
			if (const char *rule = broken_range(r))
				return rule;
			total += r.end - r.start;
			before = r.end;
		}
		if (total != info->ram_bytes)
			return "all RAM is a range, kept or lost";
		return low == 0 || (low >= PAGE_SIZE && low < 0xa0000 && (low & PAGE_MASK) == 0)
			   ? nullptr
			   : "CPUs start in a page between the first and 640 KiB";
	}

	// Nothing that is reserved or a module is handed out.
	const char *broken_range(const boot_range &r) const
	{
		for (unsigned i = 0; i < raw->map.count; i++) {
			const raw_range &other = raw->map.ranges[i];
			vm_paddr_t end;

			if (other.type != RAW_USABLE && raw_range_end(&other, &end) &&
			    other.start < r.end && end > r.start)
				return "what is reserved is not handed out";
		}
		for (unsigned i = 0; i < raw->module_count; i++)
			if (raw->modules[i].start < r.end && raw->modules[i].end > r.start)
				return "modules are not handed out";
		return nullptr;
	}

	std::unique_ptr<acpi_tables> tables_ = std::make_unique<acpi_tables>();
	fw_report fw_report_ = {};
};

} // namespace firmware

#endif
