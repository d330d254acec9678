/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/fwcfg.h"

#include "lib/string.h"

static uint32_t read_be(const struct fwcfg *cfg, unsigned bytes)
{
	uint32_t x = 0;

	/* The directory is big-endian (fw_cfg.rst, "File Directory"). */
	while (bytes-- != 0)
		x = x << 8 | cfg->read(cfg->ctx);
	return x;
}

bool fwcfg_present(const struct fwcfg *cfg)
{
	cfg->select(cfg->ctx, FWCFG_KEY_SIGNATURE);
	return read_be(cfg, 4) == 0x51454d55; /* "QEMU" */
}

/* One directory entry: size, key, two reserved bytes, name. */
static void read_entry(const struct fwcfg *cfg, struct fwcfg_file *file, char *name)
{
	file->size = read_be(cfg, 4);
	file->key = (uint16_t)read_be(cfg, 2);
	(void)read_be(cfg, 2);
	for (unsigned i = 0; i < FWCFG_NAME_MAX; i++)
		name[i] = (char)cfg->read(cfg->ctx);
	name[FWCFG_NAME_MAX - 1] = '\0';
}

bool fwcfg_find(const struct fwcfg *cfg, const char *name, struct fwcfg_file *out,
		struct fw_report *report)
{
	uint32_t count;

	cfg->select(cfg->ctx, FWCFG_KEY_DIRECTORY);
	count = read_be(cfg, 4);
	if (count > FWCFG_FILES_MAX) {
		fw_report_add(report, "fw_cfg: %u files claimed, looking at %u", count,
			      (unsigned)FWCFG_FILES_MAX);
		count = FWCFG_FILES_MAX;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct fwcfg_file file;
		char file_name[FWCFG_NAME_MAX];

		read_entry(cfg, &file, file_name);
		if (strcmp(file_name, name) == 0) {
			*out = file;
			return true;
		}
	}
	return false;
}

size_t fwcfg_read_string(const struct fwcfg *cfg, const struct fwcfg_file *file, char *buf,
			 size_t size)
{
	size_t fits = file->size < size ? file->size : size - 1;
	size_t n = 0;

	cfg->select(cfg->ctx, file->key);
	while (n < fits) {
		buf[n] = (char)cfg->read(cfg->ctx);
		if (buf[n] == '\0')
			break;
		n++;
	}
	buf[n] = '\0';
	return file->size;
}

bool fwcfg_cmdline(const struct fwcfg *cfg, char *buf, size_t size, struct fw_report *report)
{
	struct fwcfg_file file;

	buf[0] = '\0';
	if (!fwcfg_present(cfg) || !fwcfg_find(cfg, FWCFG_CMDLINE, &file, report))
		return false;
	/* A file may carry its final 0 with it: losing that is no loss. */
	if (fwcfg_read_string(cfg, &file, buf, size) >= size && strlen(buf) == size - 1 &&
	    cfg->read(cfg->ctx) != 0)
		fw_report_add(report, "fw_cfg: %s of %u bytes cut to %zu", FWCFG_CMDLINE, file.size,
			      size - 1);
	return true;
}
