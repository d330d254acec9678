/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/boot_collect.h"

#include "arch/physmap.h"
#include "arch/x86_64/devices/devices.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/firmware/bytes.h"
#include "arch/x86_64/firmware/loader.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/platform.h"
#include "lib/panic.h"
#include "lib/string.h"

/* The image, what was taken, and what the loader left. */
enum { KEEP_MAX = 2 + LOADER_KEPT_MAX };

static struct boot_raw raw;
static struct boot_info info, ram;

const struct boot_info *arch_boot_info(void)
{
	return &info;
}

static void show(void *ctx, const char *line)
{
	(void)ctx;
	kprintf("boot: %s\n", line);
}

static struct fw_report report = {.show = show};

static const void *map_boot_memory(void *ctx, vm_paddr_t pa, size_t len)
{
	(void)ctx;
	return pa < BOOT_MAPPED_END && len <= BOOT_MAPPED_END - pa ? arch_physmap(pa) : NULL;
}

static const struct fw_mem memory = {.map = map_boot_memory};

/* The emulator's own line wins over that of the loader's menu. */
static void choose_cmdline(void)
{
	size_t length = devices_cmdline(info.cmdline, sizeof(info.cmdline));

	if (length == 0)
		str_copy(info.cmdline, sizeof(info.cmdline), raw.cmdline);
	else if (length >= sizeof(info.cmdline))
		kprintf("boot: command line cut to %zu bytes\n", sizeof(info.cmdline) - 1);
}

static unsigned list_kept(struct keep_range *keep, struct keep_range taken)
{
	keep[0] = (struct keep_range){info.image_start, info.image_end};
	keep[1] = taken;
	return 2 + loader_list_kept(&raw, keep + 2);
}

/* The direct map has room for 64 TiB, and the CPU for as many address bits as it says. */
static vm_paddr_t ram_limit(void)
{
	vm_paddr_t map = PHYSMAP_END - PHYSMAP_BASE, cpu = UINT64_C(1) << cpu_features.paddr_bits;

	return map < cpu ? map : cpu;
}

static void normalise(const struct keep_range *keep, unsigned count, struct boot_info *out,
		      struct fw_report *to)
{
	struct memmap_input in = {
	    .raw = &raw.map,
	    .keep = keep,
	    .keep_count = count,
	    .srat = &platform.srat,
	    .limit = ram_limit(),
	};

	if (!memmap_normalise(&in, out, to))
		panic("boot: the memory map has no usable memory");
}

void boot_collect_ranges(struct keep_range taken)
{
	struct keep_range keep[KEEP_MAX];

	/* The last call tells what is wrong with the map; once is enough. */
	normalise(keep, list_kept(keep, taken), &info, taken.end != 0 ? &report : NULL);
	if (taken.end != 0 && fw_report_hidden(&report) != 0)
		kprintf("boot: %u more problems with what the firmware says\n",
			fw_report_hidden(&report));
}

const struct boot_info *boot_collect_ram(void)
{
	return &ram;
}

vm_paddr_t boot_collect_low_page(void)
{
	struct memmap_input in = {.raw = &raw.map};

	return memmap_find_low(&in, 1);
}

void boot_collect_drop_framebuffer(void)
{
	info.fb.kind = BOOT_FB_NONE;
}

void boot_collect(uint32_t entry, vm_paddr_t pa)
{
	struct acpi_hint hint;

	if (!loader_read(&memory, entry, pa, &raw, &report))
		panic("boot: the loader (magic %#x) passed no information that can be read", entry);
	str_copy(info.loader, sizeof(info.loader), raw.loader);
	choose_cmdline();
	info.image_start = (vm_paddr_t)image_phys_start;
	info.image_end = image_paddr(image_end);
	info.rsdp = raw.rsdp;
	info.fb = raw.fb;
	hint = (struct acpi_hint){raw.rsdp, raw.rsdp_copy, raw.rsdp_copy_len};
	platform_init(&memory, &hint, &raw.map, &report);
	normalise(NULL, 0, &ram, NULL);
	boot_collect_ranges((struct keep_range){0, 0});
}
