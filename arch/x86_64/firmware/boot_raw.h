/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loader said, in one form for every way to boot, before anything is made of it.
 *
 * About 50 KiB: let it be static, not on a stack. Everything is copied out of the loader's
 * memory except what `modules` and `rsdp` point to.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_BOOT_RAW_H
#define QUIRE_ARCH_X86_64_FIRMWARE_BOOT_RAW_H

#include "arch/bootinfo.h"
#include "arch/x86_64/firmware/report.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	RAW_RANGES_MAX = 1024,
	BOOT_MODULES_MAX = 16,
	BOOT_MODULE_NAME_MAX = 64,
	RSDP_BYTES = 36, /* ACPI 6.5 section 5.2.5.3: revision 2; revision 0 has the first 20 */
};

/* Address range types (ACPI 6.5 table 15.2); everything but RAW_USABLE is kept out of use. */
enum {
	RAW_USABLE = 1,
	RAW_RESERVED = 2,
	RAW_ACPI = 3,
	RAW_NVS = 4,
	RAW_BAD = 5,
};

/* [start, start + length) exactly as firmware wrote it: any order, overlapping, empty, wrapping. */
struct raw_range {
	vm_paddr_t start;
	uint64_t length;
	uint32_t type;
};

struct raw_map {
	struct raw_range ranges[RAW_RANGES_MAX];
	unsigned count;
	uint64_t lost_bytes; /* usable ones that found no room */
};

struct boot_module {
	vm_paddr_t start;
	vm_paddr_t end;
	char name[BOOT_MODULE_NAME_MAX];
};

struct boot_raw {
	char loader[BOOT_LOADER_MAX];
	char cmdline[BOOT_CMDLINE_MAX];
	struct raw_map map;
	struct boot_module modules[BOOT_MODULES_MAX];
	unsigned module_count;
	struct boot_framebuffer fb;

	vm_paddr_t rsdp;               /* where the loader says it is; 0: it does not say */
	uint8_t rsdp_copy[RSDP_BYTES]; /* or the loader's copy of it */
	unsigned rsdp_copy_len;        /* 0: no copy */

	bool efi;                  /* started by UEFI firmware */
	bool efi_services;         /* and its boot services still run */
	uint64_t efi_system_table; /* physical; 0: not passed */
};

/*
 * Where a range ends, exclusive; false for one that is empty or wraps. One that ends exactly at
 * the top of the address space ends at UINT64_MAX for us, which loses a byte and no case.
 */
bool raw_range_end(const struct raw_range *range, vm_paddr_t *end);

void boot_raw_init(struct boot_raw *raw);

/*
 * Adds a range, joined to the one before it where that says the same. When the table is full a
 * reserved range takes the place of the smallest usable one, so that nothing reserved is ever
 * forgotten while something usable is remembered; what is lost is counted.
 */
void raw_map_add(struct raw_map *map, vm_paddr_t start, uint64_t length, uint32_t type);

/*
 * Adds a module [start, end). One that makes no sense (end below start) is refused with a report,
 * an empty one is ignored; when the table is full its memory is still reserved in `map`. The name
 * is at most `name_len` bytes, up to a 0.
 */
void boot_raw_add_module(struct boot_raw *raw, vm_paddr_t start, vm_paddr_t end, const char *name,
			 size_t name_len, struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
