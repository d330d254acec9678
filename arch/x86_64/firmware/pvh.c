/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/pvh.h"

#include "lib/string.h"

/* Offsets in struct hvm_start_info. */
enum {
	INFO_MAGIC = 0,
	INFO_VERSION = 4,
	INFO_MODULE_COUNT = 12,
	INFO_MODULES = 16,
	INFO_CMDLINE = 24,
	INFO_RSDP = 32,
	INFO_MEMMAP = 40,
	INFO_MEMMAP_COUNT = 48,

	MODULE_BYTES = 32,
	MODULE_START = 0,
	MODULE_SIZE = 8,
	MODULE_CMDLINE = 16,

	MEMMAP_BYTES = 24,
	MEMMAP_START = 0,
	MEMMAP_LENGTH = 8,
	MEMMAP_TYPE = 16,

	/* More is nonsense: both tables are read entry by entry and need not be mapped whole. */
	MODULES_MAX = 1024,
	MEMMAP_MAX = 16384,
};

struct parser {
	const struct fw_mem *mem;
	struct boot_raw *raw;
	struct fw_report *report;
};

static uint32_t bounded(struct parser *parser, uint32_t count, uint32_t max, const char *name)
{
	if (count <= max)
		return count;
	fw_report_add(parser->report, "pvh: %u %s, reading %u", count, name, max);
	return max;
}

/* Entry `i` of a table, or NULL with a report where memory ends. */
static const void *map_entry(struct parser *parser, vm_paddr_t table, uint32_t i, size_t size,
			     const char *name)
{
	vm_paddr_t pa;
	const void *entry = NULL;

	if (table != 0 && !__builtin_add_overflow(table, (uint64_t)i * size, &pa))
		entry = fw_map(parser->mem, pa, size);
	if (entry == NULL)
		fw_report_add(parser->report, "pvh: %s cannot be read from entry %u on", name, i);
	return entry;
}

static void take_module(struct parser *parser, const void *entry)
{
	char name[BOOT_MODULE_NAME_MAX] = "";
	vm_paddr_t start = fw_u64(entry, MODULE_START);
	vm_paddr_t cmdline = fw_u64(entry, MODULE_CMDLINE);
	vm_paddr_t end;

	if (__builtin_add_overflow(start, fw_u64(entry, MODULE_SIZE), &end)) {
		fw_report_add(parser->report, "pvh: module at %#llx wraps around: ignored",
			      (unsigned long long)start);
		return;
	}
	if (cmdline != 0)
		(void)fw_map_string(parser->mem, cmdline, name, sizeof(name));
	boot_raw_add_module(parser->raw, start, end, name, sizeof(name), parser->report);
}

static void take_modules(struct parser *parser, const void *info)
{
	vm_paddr_t table = fw_u64(info, INFO_MODULES);
	uint32_t count = fw_u32(info, INFO_MODULE_COUNT);

	count = bounded(parser, count, MODULES_MAX, "modules");
	for (uint32_t i = 0; i < count; i++) {
		const void *entry = map_entry(parser, table, i, MODULE_BYTES, "module list");

		if (entry == NULL)
			return;
		take_module(parser, entry);
	}
}

static void take_memmap(struct parser *parser, vm_paddr_t table, uint32_t count)
{
	count = bounded(parser, count, MEMMAP_MAX, "memory ranges");
	for (uint32_t i = 0; i < count; i++) {
		const void *entry = map_entry(parser, table, i, MEMMAP_BYTES, "memory map");

		if (entry == NULL)
			return;
		raw_map_add(&parser->raw->map, fw_u64(entry, MEMMAP_START),
			    fw_u64(entry, MEMMAP_LENGTH), fw_u32(entry, MEMMAP_TYPE));
	}
}

static void take_cmdline(struct parser *parser, const void *info)
{
	struct boot_raw *raw = parser->raw;
	vm_paddr_t cmdline = fw_u64(info, INFO_CMDLINE);

	if (cmdline == 0)
		return;
	if (!fw_map_string(parser->mem, cmdline, raw->cmdline, sizeof(raw->cmdline)))
		fw_report_add(parser->report, "pvh: command line at %#llx cut to %zu bytes",
			      (unsigned long long)cmdline, strlen(raw->cmdline));
}

static const void *map_info(struct parser *parser, vm_paddr_t pa)
{
	const void *info = fw_map(parser->mem, pa, PVH_INFO_V0);

	if (info == NULL) {
		fw_report_add(parser->report, "pvh: no start information at %#llx",
			      (unsigned long long)pa);
		return NULL;
	}
	if (fw_u32(info, INFO_MAGIC) != PVH_MAGIC) {
		fw_report_add(parser->report, "pvh: magic %#x at %#llx instead of %#x",
			      fw_u32(info, INFO_MAGIC), (unsigned long long)pa,
			      (unsigned)PVH_MAGIC);
		return NULL;
	}
	return info;
}

bool pvh_parse(const struct fw_mem *mem, vm_paddr_t pa, struct boot_raw *raw,
	       struct fw_report *report)
{
	struct parser parser = {.mem = mem, .raw = raw, .report = report};
	const void *info, *v1;

	boot_raw_init(raw);
	info = map_info(&parser, pa);
	if (info == NULL)
		return false;
	str_copy(raw->loader, sizeof(raw->loader), "PVH");
	raw->rsdp = fw_u64(info, INFO_RSDP);
	take_cmdline(&parser, info);

	v1 = fw_u32(info, INFO_VERSION) >= 1 ? fw_map(mem, pa, PVH_INFO_V1) : NULL;
	if (v1 != NULL)
		take_memmap(&parser, fw_u64(v1, INFO_MEMMAP), fw_u32(v1, INFO_MEMMAP_COUNT));
	take_modules(&parser, info);
	if (raw->map.count == 0)
		fw_report_add(report, "pvh: no memory map (version %u)",
			      fw_u32(info, INFO_VERSION));
	return true;
}
