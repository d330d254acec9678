/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that QEMU passes in its fw_cfg device (QEMU docs/specs/fw_cfg.rst): the directory and
 * bounded reading. Pure: ports are the caller's.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_FWCFG_H
#define QUIRE_ARCH_X86_64_FIRMWARE_FWCFG_H

#include "arch/x86_64/firmware/report.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	FWCFG_KEY_SIGNATURE = 0x00,
	FWCFG_KEY_DIRECTORY = 0x19,
	FWCFG_FILES_MAX = 1024, /* a directory that claims more is read so far */
	FWCFG_NAME_MAX = 56,    /* bytes with the final 0 */
};

#define FWCFG_CMDLINE "opt/quire/cmdline"

struct fwcfg {
	/* Starts reading item `key` at its first byte (selector register, port 0x510). */
	void (*select)(void *ctx, uint16_t key);
	/* The next byte of the item (data register, port 0x511); 0 past its end. */
	uint8_t (*read)(void *ctx);
	void *ctx;
};

struct fwcfg_file {
	uint32_t size; /* bytes */
	uint16_t key;
};

/* Whether the device is there: item 0 reads "QEMU". */
bool fwcfg_present(const struct fwcfg *cfg);

bool fwcfg_find(const struct fwcfg *cfg, const char *name, struct fwcfg_file *out,
		struct fw_report *report);

/*
 * Reads a file as a string: at most size - 1 bytes, up to its first 0, always ended with 0.
 * `size` is not 0. Returns the file's whole size: `size` or more means that it was cut.
 */
size_t fwcfg_read_string(const struct fwcfg *cfg, const struct fwcfg_file *file, char *buf,
			 size_t size);

/* The kernel options of FWCFG_CMDLINE, if the device and the file are there; else false, and `buf`
 * is the empty string. */
bool fwcfg_cmdline(const struct fwcfg *cfg, char *buf, size_t size, struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
