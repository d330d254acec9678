/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader and the firmware told us, in one form for every way to boot.
 *
 * Filled once by the backend before any allocator exists, copied out of the loader's memory, and
 * constant from then on. Ranges are sorted, disjoint, page-aligned and already clear of everything
 * that must be kept (image, modules, low firmware areas), so they may be used as they stand.
 */
#ifndef QUIRE_ARCH_BOOTINFO_H
#define QUIRE_ARCH_BOOTINFO_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	BOOT_RANGES_MAX = 256,
	BOOT_CMDLINE_MAX = 2048, /* bytes, with the final 0 */
	BOOT_LOADER_MAX = 64,
};

/* Usable RAM: physical [start, end), page-aligned, in one memory domain. */
struct boot_range {
	vm_paddr_t start;
	vm_paddr_t end;
	uint32_t domain;
};

enum boot_fb_kind { BOOT_FB_NONE, BOOT_FB_TEXT, BOOT_FB_RGB };

struct boot_framebuffer {
	enum boot_fb_kind kind;
	vm_paddr_t base;
	uint32_t pitch;         /* bytes from one line to the next */
	uint32_t width, height; /* pixels, or characters for text */
	uint8_t bpp;
	uint8_t red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};

struct boot_info {
	char loader[BOOT_LOADER_MAX];
	char cmdline[BOOT_CMDLINE_MAX];

	struct boot_range ranges[BOOT_RANGES_MAX];
	unsigned range_count;
	uint64_t ram_bytes;     /* usable RAM that firmware reported, before anything is kept */
	uint64_t kept_bytes;    /* of it: image, modules, low megabyte, cut to whole pages */
	uint64_t lost_bytes;    /* of it: dropped because there were too many ranges */
	unsigned domain_count;  /* >= 1 */
	vm_paddr_t image_start; /* the kernel image, page-aligned */
	vm_paddr_t image_end;

	vm_paddr_t rsdp; /* 0: none was passed, search for it */
	struct boot_framebuffer fb;
};

const struct boot_info *arch_boot_info(void);

#ifdef __cplusplus
}
#endif

#endif
