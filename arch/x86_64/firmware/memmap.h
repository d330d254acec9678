/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the memory map as firmware wrote it to the ranges that the kernel may use.
 *
 * Firmware's ranges come in any order, overlap, are empty, wrap, and share pages. A byte is usable
 * if some range says so and none says otherwise; of these, what must be kept (image, modules, low
 * memory) is taken away, the rest is cut at domain borders and to whole pages. Empty and wrapping
 * ranges are skipped. Pure.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_MEMMAP_H
#define QUIRE_ARCH_X86_64_FIRMWARE_MEMMAP_H

#include "arch/bootinfo.h"
#include "arch/x86_64/firmware/boot_raw.h"
#include "arch/x86_64/firmware/report.h"
#include "arch/x86_64/firmware/srat.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Physical [start, end) that the kernel must not hand out. Empty ones are harmless. */
struct keep_range {
	vm_paddr_t start;
	vm_paddr_t end;
};

struct memmap_input {
	const struct raw_map *raw;
	const struct keep_range *keep;
	unsigned keep_count;
	const struct srat *srat; /* NULL: one domain */
	vm_paddr_t limit;        /* RAM from here on cannot be mapped and is lost; 0: no limit */
};

/*
 * Fills ranges, range_count, ram_bytes, kept_bytes, lost_bytes and domain_count of *out and
 * nothing else. ram_bytes == the ranges + kept_bytes + lost_bytes. With more than BOOT_RANGES_MAX
 * ranges the largest stay. False when not one usable page is left.
 *
 * Takes time in the square of the number of ranges, at most a few million steps, and no memory.
 */
bool memmap_normalise(const struct memmap_input *in, struct boot_info *out,
		      struct fw_report *report);

/*
 * The highest `npages` pages of usable memory that a CPU can start in, for the trampoline: a
 * start-up IPI names a page below 1 MiB, vectors 0xa0 to 0xbf are reserved (Intel SDM vol. 3A
 * 9.4.4), and page 0 holds the BIOS data. Uses `raw` and `keep` only; do not list the
 * first MiB in `keep`. 0 when there is none: the machine then stays on one CPU.
 */
vm_paddr_t memmap_find_low(const struct memmap_input *in, unsigned npages);

#ifdef __cplusplus
}
#endif

#endif
