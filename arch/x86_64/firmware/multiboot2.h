/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Multiboot2 information that GRUB leaves for us (Multiboot2 specification 2.0, section 3.6,
 * "Boot information format"). Pure: reads only the bytes that it is given.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_MULTIBOOT2_H
#define QUIRE_ARCH_X86_64_FIRMWARE_MULTIBOOT2_H

#include "arch/x86_64/firmware/boot_raw.h"
#include "arch/x86_64/firmware/report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	MULTIBOOT2_MAGIC = 0x36d76289, /* in EAX at entry (3.3, "I386 machine state") */
	MULTIBOOT2_INFO_MIN = 16,      /* fixed part and end tag */
	MULTIBOOT2_INFO_MAX = 1024 * 1024,
};

/* How many bytes to map: the total size out of the first 8, or 0 when it makes no sense. */
size_t multiboot2_size(const void *first8);

/*
 * Fills `raw` from the `len` bytes at `info`; the smaller of `len` and the size that it states is
 * read. False when there is no information at all; otherwise everything up to the first tag that
 * makes no sense is kept. No usable map leaves raw->map empty, reported.
 */
bool multiboot2_parse(const void *info, size_t len, struct boot_raw *raw, struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
