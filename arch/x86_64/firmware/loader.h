/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader passed, whichever loader it was, and which memory it left in use. Pure: reads
 * physical memory only through `mem`.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_LOADER_H
#define QUIRE_ARCH_X86_64_FIRMWARE_LOADER_H

#include "arch/x86_64/firmware/boot_raw.h"
#include "arch/x86_64/firmware/bytes.h"
#include "arch/x86_64/firmware/memmap.h"
#include "arch/x86_64/firmware/report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LOADER_LOW_END = 1024 * 1024, /* the BIOS, and what CPUs start in, are below */
	LOADER_KEPT_MAX = 2 + BOOT_MODULES_MAX,
};

/*
 * Fills `raw` from what stands at physical `info`; `magic` (MULTIBOOT2_MAGIC or PVH_MAGIC) says in
 * which form. False when it is neither, or cannot be read.
 */
bool loader_read(const struct fw_mem *mem, uint32_t magic, vm_paddr_t info, struct boot_raw *raw,
		 struct fw_report *report);

/*
 * Writes at most LOADER_KEPT_MAX ranges that must not be handed out, whatever the memory map says
 * of them: the low megabyte, the frame buffer, the modules. Returns how many.
 */
unsigned loader_list_kept(const struct boot_raw *raw, struct keep_range *keep);

#ifdef __cplusplus
}
#endif

#endif
