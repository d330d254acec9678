/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start information of a PVH boot (Xen public/arch-x86/hvm/start_info.h; `qemu -kernel` uses
 * it too). Pure: reads physical memory only through `mem`.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_PVH_H
#define QUIRE_ARCH_X86_64_FIRMWARE_PVH_H

#include "arch/x86_64/firmware/boot_raw.h"
#include "arch/x86_64/firmware/bytes.h"
#include "arch/x86_64/firmware/report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PVH_MAGIC = 0x336ec578,
	PVH_INFO_V0 = 40, /* bytes of version 0 */
	PVH_INFO_V1 = 56, /* with the memory map, from version 1 on */
};

/*
 * Fills `raw` from the start information at physical `pa` (EBX at entry). False when it cannot be
 * read or has another magic. Version 0 has no memory map: raw->map stays empty, reported.
 */
bool pvh_parse(const struct fw_mem *mem, vm_paddr_t pa, struct boot_raw *raw,
	       struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
